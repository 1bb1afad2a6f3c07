"""Cells that hold several telephone numbers.

Imports and forms call this before values are read by their kinds; commands see one number in a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bo.core.kernel.errors import BadValue

MORE_PHONES: Final = "more_phones"
_LONGEST_SINGLE: Final = 14  # +86 and eleven digits; what is longer may be two


def split_phone_cells(values: Mapping[str, object], region: str) -> Mapping[str, object]:
    """The values with `phone` and `phone2` holding one number each; later ones go to `extra`, and are not lost.

    Returns the very same mapping where there is nothing to split. A cell that cannot be split is left as it is:
    reading it says why.
    """
    first, second = values.get("phone"), values.get("phone2")
    if not (_may_hold_several(first) or _may_hold_several(second)):
        return values
    from bo.core.kernel.parsing import split_phones

    phones: dict[str, None] = {}
    try:
        for cell in (first, second):
            if isinstance(cell, str) and cell:
                phones.update(dict.fromkeys(split_phones(cell, region)))
    except BadValue:
        return values
    numbers = [*phones, "", ""]
    made = {**values, "phone": numbers[0], "phone2": numbers[1]}
    if len(phones) > 2:
        extra = values.get("extra")
        made["extra"] = {**(extra if isinstance(extra, Mapping) else {}), MORE_PHONES: ", ".join(list(phones)[2:])}
    return made


def _may_hold_several(cell: object) -> bool:
    return type(cell) is str and (len(cell) > _LONGEST_SINGLE or not cell.isascii())
