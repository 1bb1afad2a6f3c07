"""What the detail of some records shows beside their fields: by noun, who makes its sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from bo.tui.source import Section

if TYPE_CHECKING:
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.record import Record
    from bo.tui.shown import Shown

Maker = Callable[["Reader", "Shown", "Record"], tuple[Section, ...]]

MAKERS: Final[Mapping[str, tuple[str, str]]] = {
    "orders": ("bo.tui.order_detail", "order_sections"),
    "customers": ("bo.tui.customer_detail", "customer_sections"),
    "exceptions": ("bo.tui.order_detail", "exception_sections"),
    "returns": ("bo.tui.order_detail", "return_sections"),
    "refunds": ("bo.tui.order_detail", "refund_sections"),
}


# Fields that a section tells better than they do themselves.
TOLD: Final[Mapping[str, frozenset[str]]] = {"returns": frozenset({"lines", "received"})}


def sections_of(reader: Reader, shown: Shown, noun: str, record: Record) -> tuple[Section, ...]:
    """The sections of a record; none where nobody makes any. What may not be read is left out."""
    if noun not in MAKERS:
        return ()
    module, name = MAKERS[noun]
    maker: Maker = getattr(import_module(module), name)
    return tuple(section for section in maker(reader, shown, record) if section.rows)
