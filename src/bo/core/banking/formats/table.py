"""Tables of entries: exports of banks and payment channels, by a mapping that says which column is what.

What a table says of itself is checked: a balance beside each line, gross less fee, stated counts and sums. A row that
does not fit is refused with its line; nothing is guessed from one row alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from bo.core.banking.formats.document import Document, Hints, TableRow
from bo.core.banking.formats.mapping import (
    NO_STATEMENTS,
    Bound,
    TableMapping,
    bind,
    plain,
    presets,
    read_mapping,
    saved,
)
from bo.core.banking.formats.totals import MINOR, Told, require_totals
from bo.core.banking.formats.written import amount_of, currency_of, day_of, day_order, decimal_mark, fine_of, rounded
from bo.core.banking.statement import (
    FEE,
    PAYMENT,
    PAYOUT,
    NotAStatement,
    Statement,
    StatementLine,
    WrongSums,
    in_order,
    no_statement,
)
from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import BadValue
from bo.core.kernel.text import _

HEADER_WITHIN: Final = 60
BLANKS: Final = frozenset(("", "/", "-", "--"))
_SUM_ROW = re.compile(r"合计|总计|小计|^totals?$|^summe$", re.IGNORECASE)
_WRAPPED = re.compile(r'^="(.*)"$')


def read(document: Document, hints: Hints) -> Iterator[Statement]:
    """The statements of a table: one for each account, currency and number in it. Raises NotAStatement, WrongSums."""
    rows = list(document.rows())
    found = _find_header(rows, hints, document.name)
    if found is None:
        raise NotAStatement(
            "{name}: its columns are those of no statement known here ({columns})",
            hint="Say which column is what: --mapping FILE; docs/formats.md shows one.",
            name=document.name,
            columns=_shown(rows),
        )
    place, bound = found
    if bound.mapping.no_statement:
        raise no_statement(document.name, NO_STATEMENTS[bound.mapping.no_statement])
    yield from _Reading(document.name, bound, hints).statements(rows[:place], rows[place + 1 :])


def _find_header(rows: Sequence[TableRow], hints: Hints, name: str) -> tuple[int, Bound] | None:
    known = [read_mapping(hints.mapping)] if hints.mapping else [*saved(hints.mappings), *presets()]
    for place, row in enumerate(rows[:HEADER_WITHIN]):
        fitting = [bound for mapping in known if (bound := bind(mapping, row.cells)) is not None]
        if fitting:
            # of several the one that asks for most: a shop's own layout before the general one
            return place, max(fitting, key=lambda bound: len(bound.mapping.header))
    if hints.mapping:
        raise NotAStatement(
            "{name}: no row holds the columns of {mapping}", hint="Its `header` must name columns of the file.",
            name=name, mapping=hints.mapping,
        )  # fmt: skip
    return None


def _shown(rows: Sequence[TableRow]) -> str:
    widest = max(rows[:HEADER_WITHIN], key=lambda row: sum(bool(cell.strip()) for cell in row.cells), default=None)
    cells = [" ".join(cell.split())[:24] for cell in widest.cells if cell.strip()][:8] if widest is not None else []
    return ", ".join(cells)


class _Entry(msgspec.Struct):
    """A row that has been read: its statement's key, and its line, or None where it moved nothing."""

    key: tuple[str, str, str]
    line: StatementLine | None
    stated_total: int | None = None
    payout: tuple[str, str] = ("", "")


class _Reading:
    """One table while it is read."""

    def __init__(self, name: str, bound: Bound, hints: Hints) -> None:
        self.name, self.bound, self.hints = name, bound, hints
        self.mapping: TableMapping = bound.mapping
        self.days = self.mark = self.preamble_account = ""
        self.told = Told()
        self.left_out: Counter[str] = Counter()
        self.has_balance = "balance" in bound.places

    def statements(self, before: Sequence[TableRow], rows: Sequence[TableRow]) -> Iterator[Statement]:
        data, after = self.parted(rows)
        if not data:
            raise NotAStatement(
                "{name} has a header and no entries", hint="Choose another period.", name=self.name
            )  # fmt: skip
        self.look_at(before, data)
        entries = [self.entry(row) for row in data]
        stated = require_totals(self.bound, self.told, before, after, self.name)
        if "fee" in stated:
            self.round_fees(entries, int(stated["fee"] * MINOR))
        groups: dict[tuple[str, str, str], list[_Entry]] = defaultdict(list)
        for entry in entries:
            groups[entry.key].append(entry)
        for (account, currency, number), members in groups.items():
            yield self.statement(account, currency, number, members)

    def parted(self, rows: Sequence[TableRow]) -> tuple[list[TableRow], list[TableRow]]:
        """Rows of entries, and what stands below them: notes, and rows of sums."""
        data: list[TableRow] = []
        after: list[TableRow] = []
        for row in rows:
            filled = [cell for cell in row.cells if cell.strip()]
            if not filled:
                continue
            first = _clean(filled[0])
            ends = after and after[-1].line == row.line - 1
            if (
                len(filled) < 2
                or first.startswith("#")
                or _SUM_ROW.search(first)
                or first in self.mapping.summary
                or ends
            ):
                after.append(row)
            else:
                data.append(row)
        return data, after

    def look_at(self, before: Sequence[TableRow], data: Sequence[TableRow]) -> None:
        """What the values of a whole file say about how days and amounts are written, and about their account."""
        self.days = self.hints.days or self.mapping.days or day_order(self.text(row, "day") for row in data)
        amounts = (self.text(row, field) for row in data for field in ("amount", "net", "credit", "debit", "balance"))
        self.mark = self.hints.decimal or self.mapping.decimal or decimal_mark(amounts)
        above = "\n".join(" ".join(row.cells) for row in before)
        found = re.search(self.mapping.account, above) if self.mapping.account else None
        self.preamble_account = _clean(found[1]) if found else ""

    # -- cells ---------------------------------------------------------------------------------------------------------

    def text(self, row: TableRow, field: str) -> str:
        """The field's text, tidied; of several columns the first that has one."""
        for place in self.bound.places.get(field, ()):
            if place < len(row.cells) and (text := _clean(row.cells[place])) not in BLANKS:
                return text
        return ""

    def cell(self, row: TableRow, header: str) -> str:
        place = self.bound.names.get(plain(header))
        return _clean(row.cells[place]) if place is not None and place < len(row.cells) else ""

    def sum(self, row: TableRow, field: str, currency: str, *, finer: bool = False) -> int | None:
        """The sum of a field's columns, or None where all are blank."""
        total, found = 0, False
        for place in self.bound.places.get(field, ()):
            text = _clean(row.cells[place]) if place < len(row.cells) else ""
            if text in BLANKS:
                continue
            found = True
            if finer:
                fine = self.fine(row, text)
                self.told.fees += fine
                total += rounded(fine, currency)
            else:
                total += self.amount(row, text, currency)
        return total if found else None

    def amount(self, row: TableRow, text: str, currency: str) -> int:
        less = re.search(self.mapping.less, text) if self.mapping.less else None
        if less is None:
            return self.read(row, text, currency)
        whole = self.read(row, text[: less.start()], currency)
        return whole - self.read(row, less[1], currency) if less[1] else 0

    def read(self, row: TableRow, text: str, currency: str) -> int:
        try:
            return amount_of(text, currency, self.mark)
        except BadValue as error:
            raise self.refusal(row, error) from None

    def fine(self, row: TableRow, text: str) -> Decimal:
        """A fee as finely as it is written: channels reckon finer than they pay."""
        try:
            return fine_of(text, self.mark)
        except BadValue as error:
            raise self.refusal(row, error) from None

    def day(self, row: TableRow, text: str) -> date:
        try:
            return day_of(text, self.days)
        except BadValue as error:
            raise self.refusal(row, error) from None

    def refusal(self, row: TableRow, error: BadValue) -> NotAStatement:
        return NotAStatement(
            "{name}, line {line}: {reason}",
            hint=error.hint or "Mend the row, or fetch the file again.",
            name=self.name,
            line=row.line,
            reason=str(error),
        )

    # -- rows ----------------------------------------------------------------------------------------------------------

    def entry(self, row: TableRow) -> _Entry:
        currency = self.currency(row)
        self.told.row()
        rule = next((each for each in self.mapping.rules if re.search(each.has, self.cell(row, each.column))), None)
        kind = self.kind(row, rule.kind if rule else "")
        amount, fee = self.money(row, currency, rule.sign if rule else "")
        stated = self.sum(row, "stated_total", currency)
        payout = self.mapping.payout
        key = (self.text(row, "account") or self.preamble_account, currency, self.text(row, "number"))
        line = None
        if amount is not None and (amount or fee):
            line = self.line(row, currency, amount, fee, kind)
        return _Entry(key, line, stated, self.paid_out(row) if payout else ("", ""))

    def currency(self, row: TableRow) -> str:
        said = self.text(row, "currency")
        try:
            return currency_of(said or self.mapping.currency or self.hints.currency)
        except BadValue:
            raise NotAStatement(
                "{name}, line {line}: no currency is named",
                hint="Say it: --currency EUR.",
                name=self.name,
                line=row.line,
            ) from None

    def kind(self, row: TableRow, ruled: str) -> str:
        said = self.text(row, "kind").casefold()
        return ruled or next((kind for word, kind in self.mapping.kinds.items() if word.casefold() == said), PAYMENT)

    def money(self, row: TableRow, currency: str, sign: str) -> tuple[int | None, int]:
        """What the balance moved by and the fee within it; None for what moved nothing."""
        fee = self.sum(row, "fee", currency, finer=True) or 0
        fee = -fee if self.mapping.fee == "negative" else fee
        net = self.sum(row, "net", currency)
        if net is None:
            gross = self.before_fee(row, currency)
            if gross is None:
                self.require_stated(row)
                return None, 0
            return self.signed(row, gross, currency, sign, fee)
        gross = self.sum(row, "gross", currency)
        if gross is not None and gross - fee != net:
            raise WrongSums(
                "{name}, line {line}: {gross} less a fee of {fee} is not {net} {currency}",
                hint="Fetch the file again.",
                name=self.name,
                line=row.line,
                gross=format_amount(gross, currency),
                fee=format_amount(fee, currency),
                net=format_amount(net, currency),
                currency=currency,
            )
        return (None, 0) if sign == "skip" else (net, fee)

    def before_fee(self, row: TableRow, currency: str) -> int | None:
        if "credit" in self.bound.places or "debit" in self.bound.places:
            credit, debit = self.sum(row, "credit", currency), self.sum(row, "debit", currency)
            self.told.add("credit", credit or 0)
            self.told.add("debit", abs(debit or 0))
            # some write what went out below zero, some above: what is in that column went out
            return None if credit is None and debit is None else (credit or 0) - abs(debit or 0)
        found = self.sum(row, "amount", currency)
        return self.sum(row, "amounts", currency) if found is None else found

    def require_stated(self, row: TableRow) -> None:
        if not self.text(row, "stated_total"):
            raise self.refusal(row, BadValue("there is no amount"))

    def signed(self, row: TableRow, gross: int, currency: str, sign: str, fee: int) -> tuple[int | None, int]:
        """The amount with the sign that its row gives it, counted for the stated totals."""
        if "direction" not in self.bound.places:
            if "amount" in self.bound.places:
                self.told.add("credit" if gross > 0 else "debit", abs(gross))
            net = gross if self.mapping.after_fee else gross - fee
            return (None, 0) if sign == "skip" else (net, fee)
        said = self.text(row, "direction").casefold()
        way = 1 if said in self.mapping.credit else -1 if said in self.mapping.debit else 0
        self.told.add({1: "credit", -1: "debit", 0: "neutral"}[way], abs(gross))
        way = {"in": 1, "out": -1, "skip": 0}.get(sign, way)
        if not way:
            self.left_out[_("neither came in nor went out")] += 1
            return None, 0
        return way * abs(gross) - fee, fee

    def line(self, row: TableRow, currency: str, amount: int, fee: int, kind: str) -> StatementLine:
        value_day = self.text(row, "value_day")
        purposes = [
            _clean(row.cells[place]) for place in self.bound.places.get("purpose", ()) if place < len(row.cells)
        ]
        facts = {name: text for name, place in self.bound.facts
                 if place < len(row.cells) and (text := _clean(row.cells[place])) not in BLANKS}  # fmt: skip
        return StatementLine(
            day=self.day(row, self.text(row, "day")),
            amount=amount,
            place=f"line {row.line}",
            value_day=self.day(row, value_day) if value_day else None,
            counterparty=self.text(row, "counterparty"),
            counterparty_account=self.text(row, "counterparty_account"),
            reference=self.text(row, "reference"),
            end_to_end_id=self.text(row, "end_to_end_id"),
            bank_reference=self.text(row, "bank_reference"),
            purpose=" ".join(dict.fromkeys(text for text in purposes if text.strip("-") not in BLANKS)),
            kind=kind,
            fee=fee,
            balance=self.balance(row, currency),
            facts=facts,
        )

    def balance(self, row: TableRow, currency: str) -> int | None:
        text = self.text(row, "balance")
        if not text or not any(character.isdigit() for character in text):
            return None  # masked by whoever passed the file on
        return self.read(row, text, currency)

    def paid_out(self, row: TableRow) -> tuple[str, str]:
        payout = self.mapping.payout
        assert payout is not None
        if payout.column and self.cell(row, payout.column).casefold() not in payout.values:
            return "", ""
        return self.cell(row, payout.by), self.cell(row, payout.day)

    def round_fees(self, entries: list[_Entry], stated: int) -> None:
        """A line of what the fees of the rows, each rounded, differ from their sum as it was charged."""
        lines = [entry.line for entry in entries if entry.line is not None]
        more = stated - sum(line.fee for line in lines)
        if lines and more:
            last = lines[-1]
            line = StatementLine(day=last.day, amount=-more, place=last.place, kind=FEE, purpose=_("rounding of fees"))
            entries.append(_Entry(entries[-1].key, line))

    # -- statements ----------------------------------------------------------------------------------------------------

    def statement(self, account: str, currency: str, number: str, entries: Sequence[_Entry]) -> Statement:
        lines = [entry.line for entry in entries if entry.line is not None]
        if self.mapping.memo:
            lines = self.moving(lines)
        ordered = tuple(lines) if self.mapping.keep_order else in_order(lines, self.name, currency)
        stated = next((entry.stated_total for entry in entries if entry.stated_total is not None), None)
        total = sum(line.amount for line in ordered)
        if stated is not None and stated != total:
            raise WrongSums(
                "{name}: {number} states a total of {stated}; its entries come to {total} {currency}",
                hint="Fetch the report again.",
                name=self.name,
                number=number or account or "the file",
                stated=format_amount(stated, currency),
                total=format_amount(total, currency),
                currency=currency,
            )
        payouts = self.payouts(entries, currency) if self.mapping.payout else ()
        opening = closing = None
        if ordered and all(line.balance is not None for line in ordered):
            opening, closing = (ordered[0].balance or 0) - ordered[0].amount, ordered[-1].balance
        elif payouts and number:
            opening, closing = 0, 0
        if (
            not payouts
            and not self.mapping.keep_order
            and opening is None
            and ordered[:1]
            and ordered[0].day > ordered[-1].day
        ):
            ordered = ordered[::-1]
        return Statement(
            format=self.mapping.format,
            account=account,
            number=number,
            currency=currency,
            lines=(*ordered, *payouts),
            opening=opening,
            closing=closing,
            notes=tuple(f"{reason}: {count}" for reason, count in self.left_out.items()),
        )

    def moving(self, lines: Sequence[StatementLine]) -> list[StatementLine]:
        """Lines that moved the balance beside them; memos, which repeat the balance before, are left out."""
        found: list[StatementLine] = []
        for line in lines:
            if found and line.balance is not None and line.balance == found[-1].balance:
                self.left_out[_("memos that move no balance")] += 1
            else:
                found.append(line)
        return found

    def payouts(self, entries: Sequence[_Entry], currency: str) -> tuple[StatementLine, ...]:
        """A line for each payout: what its entries come to leaves the channel."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for entry in entries:
            if entry.payout[0] and entry.payout[1] and entry.line is not None:
                sums[entry.payout] += entry.line.amount
        return tuple(
            StatementLine(
                day=day_of(day, self.days), amount=-amount, place=number, reference=number,
                bank_reference=f"payout {number}", purpose=number, kind=PAYOUT,
            )
            for (number, day), amount in sums.items() if amount
        )  # fmt: skip


def _clean(cell: str) -> str:
    """A cell without what exports put around values: tabs, backticks, formulas that keep zeros."""
    text = cell.strip().lstrip("`'").strip()
    found = _WRAPPED.match(text)
    return found[1].strip() if found else text
