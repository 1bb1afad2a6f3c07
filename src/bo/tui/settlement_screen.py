"""A settlement opened: its payees at the left, the lines of the one under the cursor beside, each with its why.

From here it is submitted, approved, given back, exported and paid; payees and lines are taken out and in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.looks import Looks, Span, state_tone
from bo.tui.pane import Line
from bo.tui.settling import NOUN, LineRow, PayoutRow, Sheet, grouped, lines_of, sheet
from bo.tui.two_panes import Key, TwoPanes

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

CODE, NAME, STATE, SUM = 10, 16, 9, 13
RULE, DAY = 12, 10
# What `d` does in each state, and what `b` does.
GOOD = {
    "draft": "submit", "submitted": "approve", "approved": "export", "exported": "mark_paid", "part_paid": "mark_paid",
}  # fmt: skip
BAD = {"draft": "cancel", "submitted": "return", "approved": "cancel"}


class SettlementScreen(TwoPanes):
    """Opened on a settlement; `payout` puts the cursor on one of its payees."""

    NOUNS: ClassVar[tuple[str, ...]] = (NOUN, "payouts")

    def __init__(self, app: BoApp, shown: Sheet, payout: str = "") -> None:
        super().__init__(app)
        self.sheet = shown
        self.lines: list[LineRow] = []
        self._lines_of = ""
        self.left.at = next((at for at, row in enumerate(shown.payouts) if row.id == payout), 0)
        self.left.empty = _("There is no payee in it")
        self.right.empty = _("There is no line")

    @property
    def payout(self) -> PayoutRow | None:
        rows = self.sheet.payouts
        return rows[self.left.at] if self.left.at < len(rows) else None

    @property
    def line(self) -> LineRow | None:
        return self.lines[self.right.at] if self.right.at < len(self.lines) else None

    def keys(self) -> Sequence[Key]:
        state = self.sheet.state
        steps = {
            "submit": (_("submit"), self._submit), "approve": (_("approve"), self._approve),
            "export": (_("export"), self._export), "mark_paid": (_("mark paid"), self._paid),
            "cancel": (_("cancel"), self._cancel), "return": (_("give back"), self._return),
        }  # fmt: skip
        of_state = [
            Key((key,), *steps[step])
            for key, step in (("d", GOOD.get(state, "")), ("b", BAD.get(state, "")))
            if f"{NOUN}.{step}" in self.commands
        ]
        is_open = state in ("draft", "submitted")
        return [
            *of_state,
            Key(("E",), _("payout file"), self._export, lambda: state not in ("draft", "submitted", "cancelled"),
                foot=False),
            Key(("enter",), _("why this amount") if self.at_right else _("its lines"), self._enter),
            Key(("x",), _("take out"), self._take_out, lambda: is_open and self._can_take_out()),
            Key(("W",), _("take in again"), self._take_in,
                lambda: is_open and self._is("held") and "payouts.release" in self.commands),
        ]  # fmt: skip

    def _can_take_out(self) -> bool:
        if self.at_right:
            return self._is("planned") and self.line is not None and f"{NOUN}.remove_line" in self.commands
        return self._is("planned") and "payouts.hold" in self.commands

    def _is(self, state: str) -> bool:
        return self.payout is not None and self.payout.state == state

    # Reading

    def fill(self) -> None:
        settlement = self.sheet.id
        self.bo.browser.read(lambda workspace: sheet(workspace, settlement), self._arrived, self.trouble)

    def _arrived(self, shown: Sheet) -> None:
        self.sheet, self._lines_of = shown, ""
        self.draw()

    def _want_lines(self) -> None:
        payout = self.payout
        if payout is None or payout.id == self._lines_of:
            return
        self._lines_of, wanted = payout.id, payout.id
        self.bo.browser.read(
            lambda workspace: lines_of(workspace, wanted), self._lines_arrived, self.trouble, topic="payout lines"
        )

    def _lines_arrived(self, lines: list[LineRow]) -> None:
        self.lines = lines
        self.draw()

    def move(self, step: int) -> None:
        if not self.at_right:
            self.right.at = 0
        super().move(step)

    # Drawing

    def draw(self) -> None:
        self._want_lines()
        more = self.looks.glyphs.more
        self.left.lines = [payout_line(row, self.looks) for row in self.sheet.payouts]
        self.right.lines = [_reward_line(row, more) for row in self.lines]
        state = self.sheet.state
        heading: list[Span] = [
            (f" {_('Settlement')} ", "title"), (harmless(self.sheet.number), "head"),
            (f"  {self.looks.state(state)} {_(state.replace('_', ' '))}  ", state_tone(state)),
            (f"{self.sheet.period}", "dim"),
        ]  # fmt: skip
        payout = self.payout
        beside: list[Span] = [(f"{harmless(payout.payee)} {harmless(payout.holder)} ", "dim")] if payout else []
        self.show(heading, beside, sums(self.sheet))

    # Doing

    def _enter(self) -> None:
        if not self.at_right:
            self.at_right = bool(self.lines)
            self.draw()
        elif self.line is not None:
            from bo.tui.explain import open_explanation

            open_explanation(self.bo, self.line.id, self.leave)

    def _submit(self) -> None:
        self.act(f"{NOUN}.submit", [self.sheet.id], {}, _("{number} submitted", number=self.sheet.number))

    def _approve(self) -> None:
        from bo.tui.approve_screen import approve

        words = _("{number} approved", number=self.sheet.number)
        approve(self.bo, self.sheet.id, lambda told: self.act(f"{NOUN}.approve", [self.sheet.id], told, words),
                self.trouble)  # fmt: skip

    def _export(self) -> None:
        from bo.tui.payout_file import export

        export(self.bo, self.sheet, self.say, self.fill)

    def _paid(self) -> None:
        command = self.commands[f"{NOUN}.mark_paid"]
        sent = [row for row in self.sheet.payouts if row.state == "sent"]
        total = grouped(sum(row.amount for row in sent), self.sheet.currency)
        heading = _("Paid by the bank: {number}, {payees} payees, {net} {currency}", number=self.sheet.number,
                    payees=len(sent), net=total, currency=self.sheet.currency)  # fmt: skip
        words = _("{number} paid", number=self.sheet.number)
        self.bo.overlays.form(
            command, [self.sheet.id], heading, lambda told: self.act(command.name, [self.sheet.id], told, words), {}
        )

    def _cancel(self) -> None:
        self._with_reason(f"{NOUN}.cancel", _("Cancel {number}"), _("{number} cancelled"))

    def _return(self) -> None:
        self._with_reason(f"{NOUN}.return", _("Give {number} back"), _("{number} given back"))

    def _with_reason(self, name: str, title: str, done: str) -> None:
        facts = {"number": self.sheet.number}
        self.ask(name, [self.sheet.id], _(title, **facts),
                 lambda told: self.act(name, [self.sheet.id], told, _(done, **facts)))  # fmt: skip

    def _take_out(self) -> None:
        payout, line = self.payout, self.line
        if self.at_right and line is not None:
            self.act(f"{NOUN}.remove_line", [self.sheet.id], {"line": line.id},
                     _("a line of {amount} taken out", amount=line.amount))  # fmt: skip
        elif payout is not None:
            heading = _("Take {payee} out: {amount}", payee=payout.payee, amount=payout.net)
            self.ask("payouts.hold", [payout.id], heading,
                     lambda told: self.act("payouts.hold", [payout.id], told, _("{payee} taken out",
                                                                               payee=payout.payee)))  # fmt: skip

    def _take_in(self) -> None:
        if self.payout is not None:
            self.act("payouts.release", [self.payout.id], {}, _("{payee} taken in", payee=self.payout.payee))


def sums(shown: Sheet) -> list[Span]:
    """What a settlement comes to, on one line."""
    held = len(shown.held)
    spans: list[Span] = [
        (f" {shown.total} {shown.currency}", "head"),
        (f"  {_('less tax {tax}, paid {net}', tax=shown.tax, net=shown.net)}  ", "text"),
        (_("{payees} payees, {lines} lines", payees=shown.payees, lines=shown.lines), "dim"),
    ]
    if held:
        spans.append((f"  {_('{count} held', count=held)}", "warn"))
    return spans


def payee_lines(shown: Sheet, looks: Looks) -> list[Line]:
    """Who is paid, and who is held and why."""
    paid = [row for row in shown.payouts if row.state != "held"]
    lines: list[Line] = [((f" {_('Who is paid')}", "title"),)]
    lines += [(("  ", "text"), *payout_line(row, looks, says_state=False)) for row in paid]
    if shown.held:
        lines += [(), ((f" {_('Who is held, and why')}", "title"),)]
        lines += [(("  ", "text"), *payout_line(row, looks, says_state=False)) for row in shown.held]
    return lines


def payout_line(row: PayoutRow, looks: Looks, *, says_state: bool = True) -> Line:
    """A payee on one line: who, how far, what the bank pays, and where or why not."""
    more = looks.glyphs.more
    lines = _("1 line") if row.lines == 1 else _("{count} lines", count=row.lines)
    about = row.why or f"{lines}, {row.account or '-'}"
    if row.tax.strip("0.,"):
        about = _("{about}, {gross} less tax {tax}", about=about, gross=row.gross, tax=row.tax)
    return (
        (fitted(harmless(row.payee), CODE, more=more) + " ", "text"),
        (fitted(harmless(row.holder), NAME, more=more) + " ", "text"),
        (fitted(_(row.state), STATE, more=more) + " " if says_state else "", "warn" if row.state == "held" else "info"),
        (fitted(row.net, SUM, "right") + "  ", "text"),
        (harmless(about), "warn" if row.why else "dim"),
    )


def _reward_line(row: LineRow, more: str) -> Line:
    about: Span = (harmless(row.words), "dim")
    spans: list[Span] = [
        (f"{row.day:{DAY}} ", "dim"),
        (fitted(harmless(row.rule or row.kind), RULE, more=more) + " ", "text"),
        (fitted(row.amount, SUM, "right") + "  ", "bad" if row.amount.startswith("-") else "text"),
    ]
    return (*spans, (_("disputed") + " ", "bad"), about) if row.disputed else (*spans, about)
