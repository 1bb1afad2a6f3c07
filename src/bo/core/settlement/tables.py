"""Payout files that are tables: a template in TOML says the columns, the encoding and the separator.

encoding = "gbk"        # utf-8, utf-8-sig, gbk, gb18030, latin-1 or ascii
delimiter = ","
header = true
[[columns]]
title = "收款人账号"
field = "account"       # one of FIELDS; or text = "…" for the same in every row
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import BadValue
from bo.core.settlement.records import Payout, Settlement
from bo.core.settlement.refusals import CannotBeWritten

LAYOUTS: Final = Path(__file__).parent / "layouts"
FIELDS: Final = (
    "place", "reference", "payee", "holder", "account_kind", "account", "bank", "bank_code", "amount", "currency",
    "settlement", "pay_on",
)  # fmt: skip
LIVE_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column: a field of the payment, or a text that is the same in every row."""

    title: str = ""
    field: str = ""
    text: str = ""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template as it was read."""

    columns: tuple[Column, ...]
    encoding: Literal["utf-8", "utf-8-sig", "gbk", "gb18030", "latin-1", "ascii"] = "utf-8-sig"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    header: bool = True


def shipped(layout: str) -> str:
    """The template of a layout that bo brings."""
    return (LAYOUTS / f"{layout}.toml").read_text("utf-8")


def read_template(text: str) -> Template:
    """A template. Raises BadValue where it is not one."""
    try:
        found = msgspec.toml.decode(text, type=Template)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadValue(
            "the template cannot be read: {reason}", hint="docs/money.md shows one.", reason=str(error)[:200]
        ) from None
    for column in found.columns:
        if column.field and column.field not in FIELDS:
            raise BadValue(
                "the template has a field {field}, which payments do not have", hint="There are: {names}.",
                field=column.field, names=", ".join(FIELDS),
            )  # fmt: skip
    if not found.columns:
        raise BadValue("the template has no columns", hint="docs/money.md shows one.")
    return found


def payment_table(settlement: Settlement, payouts: Sequence[Payout], text: str, pay_on: str) -> bytes:
    """The payments as the template says. Raises CannotBeWritten for a name that the encoding does not have."""
    template = read_template(text)
    rows = [[column.title for column in template.columns]] if template.header else []
    for place, item in enumerate(payouts, 1):
        values: dict[str, Any] = {
            "place": str(place), "reference": item.reference, "payee": item.payee_code, "holder": item.holder,
            "account_kind": item.account_kind, "account": item.account, "bank": item.bank,
            "bank_code": item.bank_code, "amount": format_amount(item.amount, item.currency),
            "currency": item.currency, "settlement": settlement.number, "pay_on": pay_on,
        }  # fmt: skip
        row = [values[column.field] if column.field else column.text for column in template.columns]
        try:
            "".join(row).encode(template.encoding)
        except UnicodeEncodeError as error:
            raise CannotBeWritten(
                "{payee}: {text} cannot be written in {encoding}",
                hint="Change the account's holder or bank to what the bank has, or use another layout.",
                payee=item.payee_code, text=error.object[error.start : error.end], encoding=template.encoding,
            ) from None  # fmt: skip
        rows.append(row)
    return table(rows, encoding=template.encoding, delimiter=template.delimiter)


def table(rows: Iterable[Sequence[str]], *, encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    """Rows as a file that no spreadsheet runs anything of."""
    written = StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator="\r\n").writerows(
        [_cell(cell) for cell in row] for row in rows
    )
    return written.getvalue().encode(encoding)


def _cell(text: str) -> str:
    """A cell that no spreadsheet runs; a plain number may begin with its minus sign."""
    if text.startswith(LIVE_FORMULA) and not (text[0] == "-" and text[1:].replace(".", "", 1).isdigit()):
        return "'" + text
    return text
