"""Which reader a document is for, by what it holds; and what is no statement, told by what it is instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from bo.core.banking.formats import camt, mt940, ofx, qif, table
from bo.core.banking.formats.document import LINES_MOST, Document, Hints
from bo.core.banking.statement import NotAStatement, Statement, checked, no_statement
from bo.core.kernel.errors import UsageError


class Format(NamedTuple):
    """A family of formats."""

    name: str
    sniff: Callable[[str], bool]
    read: Callable[[Document, Hints], Iterator[Statement]]


_READERS: Final = (
    Format("camt", camt.sniff, camt.read),
    Format("ofx", ofx.sniff, ofx.read),
    Format("qif", qif.sniff, qif.read),
    Format("mt940", mt940.sniff, mt940.read),
    Format("table", lambda _head: True, table.read),
)
FORMATS: Final = tuple(each.name for each in _READERS)

# What a file is that is no statement, by a pattern in its beginning.
OTHERS: Final = {
    r"<\w*:?schema\b": "a schema: it describes files and holds no entries",
    r"pain\.001\.|<CstmrCdtTrfInitn": (
        "a payment order (pain.001): it asks a bank to pay, and does not say that it did"
    ),
    r"pain\.008\.|<CstmrDrctDbtInitn": (
        "a direct debit order (pain.008): it asks a bank to collect, and does not say that it did"
    ),
    r"pain\.002\.": "the report of an order (pain.002): it says what was accepted, not what was booked",
    r"\A101 [ \d]{9}[ \d]{10}\d{6}": (
        "an ACH payment order (NACHA): it asks a bank to move money, and does not say that it did"
    ),
    r"\A\s*[\[{]": "JSON of an interface; the report of the account is what can be taken in",
    r"^\d{4}-\d\d-\d\d (open|commodity|balance|txn|\*) |^option \"|mode: beancount": (
        "a journal of another bookkeeping program (Beancount)"
    ),
    r"-\*- (ledger|hledger)|^; A sample journal|^\d{4}[/-]\d\d[/-]\d\d(=\S+)? [^,;\t]+\n[ \t]+\S+(:| )": (
        "a journal of another bookkeeping program (Ledger, hledger)"
    ),
    r"<\?xml|<\w+[ >]": "XML of another kind: neither a camt message nor OFX",
}


def read_statements(document: Document, hints: Hints, format: str = "") -> Iterator[Statement]:
    """The statements of a document, their sums checked.

    Raises:
        NotAStatement: it is none, or cannot be read; with the place and what to do.
        WrongSums: its balances, sums or counts do not agree.
        UsageError: there is no such format.
    """
    if format and format not in FORMATS:
        raise UsageError(
            "there is no statement format {value}", hint="One of: {known}.", value=format, known=", ".join(FORMATS)
        )
    reader = next(each for each in _READERS if (each.name == format if format else each.sniff(document.head)))
    if not format and reader.name == "table":
        _refuse_others(document)
    for statement in reader.read(document, hints):
        if len(statement.lines) > LINES_MOST:
            raise NotAStatement(
                "{name}: a statement of {count} entries; at most {most} are taken in at once",
                hint="Ask for shorter periods, and take them in one after the other.",
                name=document.name,
                count=len(statement.lines),
                most=LINES_MOST,
            )
        yield checked(statement, document.name)


def _refuse_others(document: Document) -> None:
    for pattern, what in OTHERS.items():
        if re.search(pattern, document.head, re.MULTILINE):
            raise no_statement(document.name, what)
