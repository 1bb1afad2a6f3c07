"""The statement for each payee, as CSV and PDF.

Pure: the same stored data comes to the same bytes, today and in ten years; a PDF carries no clock. The language is the
one that is spoken while it is written (`speaking`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import Amount, Count, Currency, Day, PersonName, Text
from bo.core.kernel.text import _, visible
from bo.core.settlement.tables import table

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

PLAIN_FONT: Final = "Helvetica"
WIDE_FONT: Final = "STSong-Light"  # PDF readers bring it for Chinese, so that no font file has to be carried


_RUNS: Final = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]+")


class RuleSum(Struct, frozen=True):
    """What one version of a rule earned."""

    rule: Text
    lines: Count
    amount: Amount


class StatementLine(Struct, frozen=True):
    """One reward, clawback or adjustment, with the customer masked."""

    day: Day
    kind: Text
    rule: Text
    customer: Text
    order: Text
    reason: Text
    amount: Amount


class Statement(Struct, frozen=True):
    """What a payee is told: closing = opening + earned - clawed_back + adjusted - tax_withheld - paid."""

    number: Text
    settlement: Text
    period_from: Day
    period_until: Day
    payee: Text
    holder: PersonName
    account: Text
    currency: Currency
    state: Text
    opening: Amount
    earned: Amount
    earned_by_rule: tuple[RuleSum, ...]
    clawed_back: Amount
    adjusted: Amount
    tax_withheld: Amount
    tax_arithmetic: Text
    paid: Amount
    paid_on: Day | None
    closing: Amount
    held: Text
    lines: tuple[StatementLine, ...]


# -- statement ---------------------------------------------------------------------------------------------------------


def statement_csv(statement: Statement) -> bytes:
    """The statement as one table: its lines, and below them the balance."""
    rows: list[Sequence[str]] = [
        (_("Statement"), statement.number),
        (_("Payee"), f"{statement.payee} {statement.holder}"),
        (_("Period"), _period(statement)),
        (_("Currency"), statement.currency),
        (),
        tuple(_(title) for title in ("Day", "What", "Rule", "Customer", "Order", "Amount")),
        *((*_cells(line), format_amount(line.amount, statement.currency)) for line in statement.lines),
        (),
        *((label, "", "", "", "", amount) for label, amount in _balance(statement)),
        *([(_("Tax withheld"), statement.tax_arithmetic)] if statement.tax_arithmetic else []),
    ]
    return table(rows)


def statement_pdf(statement: Statement) -> bytes:
    """The statement on A4 pages."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    if WIDE_FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(WIDE_FONT))
    written = BytesIO()
    canvas = Canvas(written, pagesize=A4, invariant=1)
    canvas.setTitle(statement.number)
    canvas.setCreator("bo")
    _Sheet(canvas, A4[1]).draw(statement)
    canvas.save()
    return written.getvalue()


class _Sheet:
    """A pen that goes down the page, and on to the next."""

    LEFT, RIGHT, TOP, BOTTOM, STEP = 50, 545, 60, 60, 15
    COLUMNS: Final = (50, 112, 230, 330, 390)
    LONGEST: Final = (10, 20, 17, 9, 13)

    def __init__(self, canvas: Canvas, height: int) -> None:
        self.canvas, self.height, self.y, self.page = canvas, height, 0, 0

    def draw(self, statement: Statement) -> None:
        self._begin(statement)
        facts = [
            (_("Payee"), f"{statement.payee} {statement.holder}"),
            (_("Account"), statement.account),
            (_("Period"), _period(statement)),
            (_("Settlement"), f"{statement.settlement} ({_(statement.state.replace('_', ' '))})"),
        ]
        for label, text in facts:
            self._row(((self.LEFT, label), (self.COLUMNS[1], text)))
        if statement.held:
            self._row(((self.LEFT, _("Not paid")), (self.COLUMNS[1], _(statement.held))))
        self._gap()
        for label, amount in _balance(statement):
            self._row(((self.LEFT, label),), f"{amount} {statement.currency}")
        if statement.tax_arithmetic:
            self._row(((self.LEFT, _("Tax withheld")), (self.COLUMNS[1], statement.tax_arithmetic)))
        self._gap()
        for rule in statement.earned_by_rule:
            text = _("{rule}: {lines} rewards", rule=rule.rule, lines=rule.lines)
            self._row(((self.LEFT, text),), format_amount(rule.amount, statement.currency))
        self._gap()
        titles = [_(title) for title in ("Day", "What", "Rule", "Customer", "Order")]
        self._row(tuple(zip(self.COLUMNS, titles, strict=True)), _("Amount"))
        for line in statement.lines:
            if self.y < self.BOTTOM + self.STEP:
                self._begin(statement)
            cells = (_short(text, most) for text, most in zip(_cells(line), self.LONGEST, strict=True))
            self._row(tuple(zip(self.COLUMNS, cells, strict=True)), format_amount(line.amount, statement.currency))

    def _begin(self, statement: Statement) -> None:
        if self.page:
            self.canvas.showPage()
        self.page += 1
        self.y = self.height - self.TOP
        self._write(self.LEFT, f"{_('Statement')} {statement.number}", size=15)
        self._write(self.RIGHT - 40, _("page {page}", page=self.page))
        self.y -= 2 * self.STEP

    def _row(self, cells: tuple[tuple[int, str], ...], amount: str = "") -> None:
        for x, text in cells:
            self._write(x, text)
        if amount:
            self.canvas.setFont(WIDE_FONT if not amount.isascii() else PLAIN_FONT, 9)
            self.canvas.drawRightString(self.RIGHT, self.y, amount)
        self.y -= self.STEP

    def _write(self, x: int, text: str, size: int = 9) -> None:
        """Text in the plain font, and what that one does not have in the wide one."""
        place = x
        for part in _RUNS.findall(visible(text)):
            font = PLAIN_FONT if part.isascii() else WIDE_FONT
            self.canvas.setFont(font, size)
            self.canvas.drawString(place, self.y, part)
            place += self.canvas.stringWidth(part, font, size)

    def _gap(self) -> None:
        self.canvas.line(self.LEFT, self.y + self.STEP // 2, self.RIGHT, self.y + self.STEP // 2)
        self.y -= self.STEP // 2


def _balance(statement: Statement) -> list[tuple[str, str]]:
    """The sums of a statement in the order in which they are added up."""
    parts = [
        (_("Opening"), statement.opening),
        (_("Earned"), statement.earned),
        (_("Clawed back"), -statement.clawed_back),
        (_("Adjusted"), statement.adjusted),
        (_("Tax withheld"), -statement.tax_withheld),
        (_("Paid on {day}", day=statement.paid_on.isoformat()) if statement.paid_on else _("Paid"), -statement.paid),
        (_("Closing"), statement.closing),
    ]
    return [(label, format_amount(amount, statement.currency)) for label, amount in parts]


def _cells(line: StatementLine) -> tuple[str, ...]:
    what = _(line.kind) if not line.reason else f"{_(line.kind)}: {line.reason}"
    return (line.day.isoformat(), what, line.rule, line.customer, line.order)


def _period(statement: Statement) -> str:
    last = date.fromordinal(statement.period_until.toordinal() - 1)
    return _("{start} to {last}", start=statement.period_from.isoformat(), last=last.isoformat())


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
