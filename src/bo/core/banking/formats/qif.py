"""QIF: a list of entries by one-letter fields. It names neither currency nor balances nor ids; the days of a file
settle each other's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bo.core.banking.formats.document import Document, Hints
from bo.core.banking.formats.written import amount_of, day_of, day_order, decimal_mark
from bo.core.banking.statement import NotAStatement, Statement, StatementLine
from bo.core.kernel.errors import BadValue

NAME: Final = "qif"
_OF_ACCOUNTS: Final = ("bank", "cash", "ccard", "oth a", "oth l")
_Entry = dict[str, str]


def sniff(head: str) -> bool:
    return head.lstrip("\ufeff \r\n").casefold().startswith(("!type:", "!account", "!option:"))


def read(document: Document, hints: Hints) -> Iterator[Statement]:
    """Raises NotAStatement, naming the line."""
    account, entries = _entries(document)
    if not entries:
        raise NotAStatement(
            "{name} has no entries of a bank account", hint="Export the account, not lists.", name=document.name
        )
    if not hints.currency:
        raise NotAStatement("{name}: QIF does not say its currency", hint="Say it: --currency EUR.", name=document.name)
    order = hints.days or day_order(entry["D"] for _line, entry in entries if "D" in entry)
    mark = hints.decimal or decimal_mark(entry.get("T", "") for _line, entry in entries)
    lines = [_line(document.name, line, entry, hints.currency, order, mark) for line, entry in entries]
    if len(lines) > 1 and lines[0].day > lines[-1].day:
        lines.reverse()
    yield Statement(format=NAME, account=account, currency=hints.currency, lines=tuple(lines))


def _entries(document: Document) -> tuple[str, list[tuple[int, _Entry]]]:
    account, section = "", "bank"
    found: list[tuple[int, _Entry]] = []
    entry: _Entry = {}
    begun = 1
    for number, line in enumerate(document.text().splitlines(), 1):
        field, said = line[:1].upper(), line[1:].strip()
        if field == "!":
            section = said.casefold().removeprefix("type:")
            entry = {}
        elif field == "^":
            if section == "account":
                account = entry.get("N", account)
            elif section in _OF_ACCOUNTS and entry:
                found.append((begun, entry))
            entry = {}
        elif field.strip():
            begun = begun if entry else number
            entry.setdefault(field, said)
    if section in _OF_ACCOUNTS and "T" in entry:
        raise NotAStatement(
            "{name} breaks off within the entry of line {line}", hint="Fetch the file again.", name=document.name,
            line=begun,
        )  # fmt: skip
    return account, found


def _line(name: str, line: int, entry: _Entry, currency: str, order: str, mark: str) -> StatementLine:
    try:
        day = day_of(entry.get("D", ""), order)
        amount = amount_of(entry.get("T", entry.get("U", "")), currency, mark)
    except BadValue as error:
        raise NotAStatement(
            "{name}, line {line}: {reason}", hint=error.hint or "Mend the file, or fetch it again.", name=name,
            line=line, reason=str(error),
        ) from None  # fmt: skip
    facts = {"category": entry.get("L", ""), "cleared": entry.get("C", "")}
    return StatementLine(
        day=day,
        amount=amount,
        place=f"line {line}",
        counterparty=entry.get("P", ""),
        reference=entry.get("N", ""),
        purpose=entry.get("M", ""),
        facts={key: text for key, text in facts.items() if text},
    )
