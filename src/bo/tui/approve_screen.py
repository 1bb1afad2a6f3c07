"""What an approval says yes to, all of it, and who says so: a code of the second factor, or the total typed again.

What is approved is what is shown: the hash that is sent is that of what stands here, and a change meanwhile is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless, wrapped
from bo.tui.key_screen import KeyScreen
from bo.tui.looks import Looks, Tone
from bo.tui.pane import Bar, Line
from bo.tui.settlement_screen import payee_lines
from bo.tui.settling import Approval, Moved, approval, is_typed, step_up
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

LABEL, PAYEE = 22, 12
TYPED_MOST, HALF = 40, 32  # a hash of 64 digits on two lines
REFUSAL_WIDTH, REFUSAL_LINES = 76, 4

Prove = Callable[[str, Callable[[str], None]], None]


class ApproveScreen(KeyScreen[bool]):
    """Closes with True once the operator has proved who they are; nothing is proved while it cannot be approved.

    `prove` spends a code and answers with what is wrong with it, or with nothing.
    """

    def __init__(self, looks: Looks, told: Approval, prove: Prove) -> None:
        self._said, self._answer = Bar(looks), Bar(looks, raised=True)
        super().__init__(looks, self._said, self._answer)
        self._told = told
        self._prove = prove
        self._typed = ""
        self._proving = False

    def on_mount(self) -> None:
        keys = _("PgUp PgDn scroll  Esc leaves it as it is")
        self.heading.put(
            [(f" {_('Approve')} ", "title"), (harmless(self._told.sheet.number), "head")], [(keys + " ", "dim")]
        )
        self.pane.put(approval_lines(self._told, self.looks))
        self._show()

    def press(self, name: str) -> bool:
        if name == "escape":
            self.dismiss(False)
        elif name == "enter":
            self._enter()
        elif name == "backspace":
            self._type(self._typed[:-1])
        elif len(name) == 1:
            self._type((self._typed + name)[:TYPED_MOST])
        else:
            return False
        return True

    def _type(self, text: str) -> None:
        if not self._told.refusal and not self._proving:
            self._typed = text
            self._show()

    def _enter(self) -> None:
        if self._told.refusal or self._proving:
            return
        if not self._told.factor:
            if is_typed(self._typed, self._told.to_type):
                self.dismiss(True)
            else:
                self._again(_("That is not the total") if self._typed else _("Type the total, or leave with Esc"))
        elif self._typed:
            self._proving = True
            self._prove(self._typed, self._proved)

    def _proved(self, wrong: str) -> None:
        self._proving = False
        if wrong:
            self._again(wrong)
        else:
            self.dismiss(True)

    def _again(self, why: str) -> None:
        self._typed = ""
        self._say(why)
        self._show()

    def _say(self, words: str) -> None:
        self._said.put([(f" {harmless(words)}", "bad")])

    def _show(self) -> None:
        if self._told.refusal:
            self._answer.put([(" Esc", "key"), (f" {_('back')}", "dim")])
            return
        sheet = self._told.sheet
        asked = _("Type the total of {number}, {total}", number=sheet.number, total=sheet.total)
        if self._told.factor:
            asked = _("Code of your second factor")
        typed = "*" * len(self._typed) if self._told.factor else self._typed
        self._answer.put([(f" {asked}, Enter: ", "text"), (f"{harmless(typed)}_", "key")])


def approval_lines(told: Approval, looks: Looks) -> list[Line]:
    """Every fact of it: sums, hands, accounts, disputes, the hash, and every payee."""
    sheet = told.sheet
    held = sheet.held
    new = [move for move in told.moved if not move.before]
    changed = [move for move in told.moved if move.before]
    facts: list[tuple[str, str, Tone]] = [
        (_("period"), sheet.period, "text"),
        (_("total"), f"{sheet.total} {sheet.currency}", "head"),
        (_("tax withheld"), sheet.tax, "text"),
        (_("paid by the bank"), f"{sheet.net} {sheet.currency}", "head"),
        (_("payees"), _("{payees} payees, {lines} lines", payees=sheet.payees, lines=sheet.lines), "text"),
        (_("held"), _("{count} not paid now", count=len(held)), "warn" if held else "dim"),
        (_("changed accounts"), _moves(changed), "warn" if changed else "dim"),
        (_("paid the first time"), ", ".join(move.payee for move in new) or _("nobody"), "warn" if new else "dim"),
        (_("disputes"), told.disputes, "text"),
        (_("sums"), told.broken or _("total, payouts, tax and lines agree"), "bad" if told.broken else "good"),
        (_("made by"), told.made_by, "text"),
        (_("submitted by"), told.submitted_by, "text"),
        (_("approvals"), _approvals(told), "warn" if told.needed > 1 else "text"),
        (_("binds"), told.hash[:HALF], "dim"),
        ("", told.hash[HALF:], "dim"),
    ]
    more = looks.glyphs.more
    lines: list[Line] = []
    if told.refusal:
        why = wrapped(harmless(_("This cannot be approved: {why}", why=told.refusal)), REFUSAL_WIDTH, REFUSAL_LINES)
        lines += [*(((f" {part}", "bad"),) for part in why), ()]
    lines += [
        ((f" {fitted(label, LABEL, more=more)} ", "dim"), (harmless(words), tone)) for label, words, tone in facts
    ]
    return [*lines, (), *payee_lines(sheet, looks)]


def _moves(moves: list[Moved]) -> str:
    return ", ".join(f"{move.payee} {move.before} > {move.now}" for move in moves) or _("none")


def _approvals(told: Approval) -> str:
    if told.needed == 1:
        return _("yours is enough")
    if told.given + 1 < told.needed:
        return _("{needed} are needed: after yours somebody else has to approve it too", needed=told.needed)
    return _("{needed} are needed: yours is the last", needed=told.needed)


def approve(
    app: BoApp, settlement: str, then: Callable[[Mapping[str, str]], None], failed: Callable[[Exception], None]
) -> None:
    """Show what is approved, ask who it is, and hand on the hash of what was shown."""

    def prove(code: str, answered: Callable[[str], None]) -> None:
        def spend(workspace: Workspace) -> None:
            step_up(workspace, code)

        app.desk_lane.ask(
            lambda desk: desk.lend(spend), lambda _none: answered(""), lambda error: answered(error_words(error))
        )

    def told(found: Approval) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then({"hash": found.hash})
            else:
                app.say(_("Left as it is"))

        app.push_screen(ApproveScreen(app.looks, found, prove), answered)
        app.release_keys()

    def broke(error: Exception) -> None:
        app.release_keys(drop=True)
        failed(error)

    app.hold_keys()
    app.desk_lane.ask(lambda desk: desk.lend(lambda workspace: approval(workspace, settlement)), told, broke)
