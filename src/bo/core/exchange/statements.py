"""Files of statements: opened by the containers, encodings and tables of this module, read by the readers of `banking`,
and taken in, all statements of a file or none.

It knows how a file is opened, the readers what it says. A statement finds its account by the number in it, or is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, cast

import msgspec

from bo.core.banking.formats import Document, Hints, TableRow, read_statements
from bo.core.banking.records import BankStatement
from bo.core.banking.statement import Statement, StatementLine
from bo.core.exchange.containers import Content, open_content
from bo.core.exchange.lines import BLOCK_BYTES, read_block
from bo.core.exchange.pipeline import MAPPINGS
from bo.core.exchange.readers import USUAL, Request, source_of, text_of
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BadFile, NotFound
from bo.core.kernel.record import info_of
from bo.core.kernel.text import _
from bo.core.kernel.workspace import Workspace, collector_resting
from bo.core.settlement.records import BankAccount

AS_TABLE: Final = Request(header_row=0)
ACCOUNTS_MOST: Final = 1_000
NUMBER_LEAST: Final = 5  # so many characters of an account's number must agree where it is written in two ways


class StatementFile(msgspec.Struct, frozen=True):
    """A file of statements that has been read: its name without folders, its hash, and what it holds."""

    name: str
    hash: str
    statements: tuple[Statement, ...]
    notes: tuple[str, ...] = ()


class StatementOptions(msgspec.Struct, frozen=True):
    """What the user says about a file; the rest is found out. `account` is the code of an account of ours."""

    account: str = ""
    currency: str = ""
    format: str = ""
    encoding: str = ""
    sheet: str = ""
    days: str = ""
    decimal: str = ""
    mapping: str = ""
    dry_run: bool = False


class TakenIn(msgspec.Struct, frozen=True):
    """What became of one statement: `outcome` is `applied`, or `unchanged` where all of it was known."""

    account: str
    outcome: str
    format: str
    currency: str
    entries: int
    new: int
    known: int
    total: int
    opening: int | None
    closing: int | None
    gap: int | None
    reference: str
    operation: str


class OtherAccount(BadFile):
    """A statement of another account, or of none that is known here."""

    code = "other_account"


class SeveralCurrencies(BadFile):
    """A file of several currencies, of which one must be chosen."""

    code = "several_currencies"


def take_in_file(
    workspace: Workspace, path: str | os.PathLike[str], options: StatementOptions
) -> tuple[StatementFile, list[TakenIn]]:
    """Take in every statement of a file, or of `-` for standard input: all of them in one transaction, or none.

    Raises:
        BadFile: it cannot be read, its sums are not met, or it is of another account; nothing is kept.
        Refused: what the command refuses.
    """
    accounts = workspace.reader().records(BankAccount, limit=ACCOUNTS_MOST)
    chosen = _called(accounts, options.account) if options.account else None
    currency = options.currency.upper() or (chosen.currency if chosen else workspace.context.currency)
    hints = Hints(currency, options.days, options.decimal, options.mapping, _folders(workspace))
    with collector_resting():
        file = read_file(path, hints, format=options.format, encoding=options.encoding, sheet=options.sheet)
        statements = _of_currency(file, options.currency.upper(), chosen)
        owners = [_owner(file, statement, accounts, chosen) for statement in statements]
        calls = [_call(file, each, owner) for each, owner in zip(statements, owners, strict=True)]
        outcomes = workspace.run(calls, atomic=True, dry_run=options.dry_run)
    told = zip(statements, owners, outcomes, strict=True)
    return file, [_taken_in(workspace, each, owner, outcome) for each, owner, outcome in told]


def _called(accounts: list[BankAccount], code: str) -> BankAccount:
    found = next((item for item in accounts if code.casefold() in (item.code.casefold(), item.id)), None)
    if found is None:
        raise NotFound(
            "there is no bank account {code}", hint="bo bank-accounts list shows them; bo bank-accounts add makes one.",
            code=code,
        )  # fmt: skip
    return found


def _folders(workspace: Workspace) -> tuple[str, ...]:
    database = workspace.database
    return (str(database.path.parent / MAPPINGS / "statements"),) if isinstance(database, SqliteDatabase) else ()


def _of_currency(file: StatementFile, currency: str, chosen: BankAccount | None) -> list[Statement]:
    """The statements that are meant. Of a file with several currencies for one account, one must be named."""
    found = sorted({statement.currency for statement in file.statements})
    if not currency and chosen is not None and len(found) > 1:
        sums = ", ".join(
            f"{each} ({sum(len(s.lines) for s in file.statements if s.currency == each)})" for each in found
        )
        raise SeveralCurrencies(
            "{name} holds entries in several currencies: {currencies}",
            hint="Take in one after the other, each for its account: --currency {first}.",
            name=file.name,
            currencies=sums,
            first=found[0],
        )
    kept = [statement for statement in file.statements if not currency or statement.currency == currency]
    if not kept:
        raise SeveralCurrencies(
            "{name} has nothing in {currency}", hint="It has: {currencies}.", name=file.name, currency=currency,
            currencies=", ".join(found),
        )  # fmt: skip
    return kept


def _owner(
    file: StatementFile, statement: Statement, accounts: list[BankAccount], chosen: BankAccount | None
) -> BankAccount:
    if chosen is not None:
        if statement.account and chosen.kind == "bank" and not _may_be(statement.account, chosen.number):
            raise OtherAccount(
                "{name} is of the account {number}, and {code} is {own}",
                hint="Name the right one with --account; bo bank-accounts list shows them.",
                name=file.name,
                number=statement.account,
                code=chosen.code,
                own=chosen.number,
            )
        return chosen
    fitting = [item for item in accounts if _is_same(statement.account, item.number)]
    fitting = [item for item in fitting if item.currency == statement.currency] or fitting
    if len(fitting) != 1:
        raise OtherAccount(
            "{name} is of the account {number}, which is none of ours"
            if statement.account
            else "{name} does not say which account it is of",
            hint="Say --account CODE; bo bank-accounts add makes one.",
            name=file.name,
            number=statement.account,
        )
    return fitting[0]


def _is_same(said: str, own: str) -> bool:
    plain, ours = _plain_number(said), _plain_number(own)
    return bool(plain) and plain == ours


def _may_be(said: str, own: str) -> bool:
    """Whether a number in a file can be that of our account: banks write it with and without their own, or in part."""
    plain, ours = _plain_number(said.rpartition("/")[2]), _plain_number(own)
    if not plain.isalnum() or set("*Xx") & set(said) or len(plain) < NUMBER_LEAST or not any(map(str.isdigit, plain)):
        return True  # masked, or only its last digits
    short, long = sorted((plain.lstrip("0"), ours), key=len)
    return short in long


def _plain_number(number: str) -> str:
    return "".join(character for character in number.upper() if character.isalnum())


def _call(file: StatementFile, statement: Statement, account: BankAccount) -> Call:
    given = {
        "account": account.id,
        "number": statement.number,
        "from_day": statement.from_day,
        "until_day": statement.until_day,
        "currency": statement.currency,
        "opening": statement.opening,
        "closing": statement.closing,
        "format": statement.format,
        "file_name": file.name,
        "file_hash": file.hash,
        "lines": [_row(line) for line in statement.lines],
    }
    return Call("bank_statements.take_in", None, {name: value for name, value in given.items() if value is not None})


def _row(line: StatementLine) -> dict[str, object]:
    row: dict[str, object] = {
        name: value
        for name in _LINE_FIELDS
        if (value := getattr(line, name)) not in ("", None) and (name != "fee" or value)
    }
    for name in ("counterparty", "counterparty_account"):
        if name in row:
            row[name] = str(row[name])[:200]
    if "purpose" in row:
        row["purpose"] = str(row["purpose"])[:4_000]
    return {**row, "extra": line.facts} if line.facts else row


_LINE_FIELDS: Final = (
    "day", "amount", "value_day", "counterparty", "counterparty_account", "reference", "end_to_end_id",
    "bank_reference", "purpose", "kind", "fee", "balance",
)  # fmt: skip


def _taken_in(workspace: Workspace, statement: Statement, account: BankAccount, outcome: Outcome) -> TakenIn:
    noun = info_of(BankStatement).noun
    images = [change.after for change in outcome.changes if change.noun == noun and change.row == outcome.returned]
    if images and images[0] is not None:
        made = msgspec.json.decode(images[0], type=BankStatement)
        new, known = made.lines, made.known
    else:
        made = workspace.reader().get(BankStatement, outcome.returned or "")
        new, known = 0, len(statement.lines)
    return TakenIn(account.code, outcome.status, statement.format, statement.currency, len(statement.lines), new, known,
                   statement.total, statement.opening, statement.closing, made.gap, made.reference,
                   outcome.operation)  # fmt: skip


def read_file(
    path: str | os.PathLike[str], hints: Hints, *, format: str = "", encoding: str = "", sheet: str = ""
) -> StatementFile:
    """All statements of a file, or of `-` for standard input, their sums checked.

    Raises:
        BadFile: no statement, broken, or at odds with itself: with the place and what to do.
        UsageError: an option that does not fit the file.
    """
    notes: list[str] = []
    with _opened(path) as content:
        document = _document(content, encoding, sheet, notes)
        statements = tuple(read_statements(document, hints, format))
        return StatementFile(os.path.basename(content.name), _hash(content), statements, tuple(notes))


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    content = open_content(path, USUAL)
    try:
        yield content
    finally:
        content.close()


class _Lent:
    """A file for one reading of it, whose end leaves the file open for the next."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def __getattr__(self, name: str) -> object:
        return getattr(self._content, name)

    def close(self) -> None:
        """The owner closes it."""


def _document(content: Content, encoding: str, sheet: str, notes: list[str]) -> Document:
    request = msgspec.structs.replace(AS_TABLE, encoding=encoding or None)
    head, texts = ("", None) if content.workbook else text_of(content, request)
    chosen = int(sheet) if sheet.isdigit() else sheet or None

    def rows() -> Iterator[TableRow]:
        with source_of(cast(Content, _Lent(content)), request, chosen) as source:
            notes.extend(source.notes)
            for row in source:
                if row.problem is not None and not row.cells:
                    raise row.problem
                yield TableRow(row.line, [cell or "" for cell in row.cells])

    if texts is not None and texts.encoding not in ("utf-8", "ascii"):
        notes.append(_("read as {encoding}", encoding=texts.encoding))
    return Document(content.name, head, lambda: _blocks(content), lambda: iter(texts or ()), rows)


def _blocks(content: Content) -> Iterator[bytes]:
    source = content.open()
    while block := read_block(source, BLOCK_BYTES, content.name):
        yield block


def _hash(content: Content) -> str:
    made = sha256()
    for block in _blocks(content):
        made.update(block)
    return made.hexdigest()
