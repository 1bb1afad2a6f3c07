"""Reconciling: the bank lines that wait at the left, what the one under the cursor may be for at the right.

One key matches the best candidate, a digit another; several are marked to share a line. The head holds the proof that
the ledger is what the bank says, or what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.key_screen import within
from bo.tui.looks import Span, Tone
from bo.tui.pane import Line
from bo.tui.reconciling import NOUN, Lines, OpenLine, Option, Proof, bank_lines, candidates, matches, rest_of
from bo.tui.settling import grouped
from bo.tui.source import Outcome
from bo.tui.two_panes import Key, TwoPanes

if TYPE_CHECKING:
    from textual.timer import Timer

    from bo.tui.screen import BoApp

SUM, WHO, KIND, LABEL = 12, 10, 8, 10
WHO_WHOLE, LABEL_WHOLE = 20, 30
PART, PROVED = 40, 20
NARROW, ROOMY, HEADING = 90, 116, 18
DIGITS = "123456789"
SETTLE_S = 0.06
BY_RULE = "reconciliations.run"


class ReconcileScreen(TwoPanes):
    """`done` shows the lines that are matched or set aside, with what they were for, and takes matches back."""

    NOUNS: ClassVar[tuple[str, ...]] = (NOUN, "reconciliations")
    ANSWERED_BY: ClassVar[Mapping[str, str]] = {
        f"{NOUN}.{verb}": f"{NOUN}.unmatch" for verb in ("match", "fee", "write_off", "book")
    }

    def __init__(self, app: BoApp, shown: Lines, filter_text: str, line: str = "") -> None:
        super().__init__(app)
        self.lines = shown
        self.options: list[Option] = []
        self.done = False
        self.marked: set[str] = set()
        self._filter = filter_text
        self._asked_of = self._options_of = ""
        self._under_way: set[str] = set()
        self._before_rules: int | None = None
        self._resting: Timer | None = None
        self.left.at = next((at for at, row in enumerate(shown.rows) if row.id == line), 0)

    @property
    def line(self) -> OpenLine | None:
        rows = self.lines.rows
        return rows[self.left.at] if self.left.at < len(rows) else None

    def keys(self) -> Sequence[Key]:
        def may(verb: str) -> bool:
            return f"{NOUN}.{verb}" in self.commands and self.line is not None and not self.done

        state = self.line.state if self.line is not None else ""
        unmatches = f"{NOUN}.unmatch" in self.commands and state in ("matched", "part_matched")
        return [
            Key(("enter", "m"), _("match"), self._match,
                lambda: may("match") and (self.options or not self._options_of)),
            Key(("1-9",), _("match with that candidate"), lambda: None, foot=False),
            Key(("s",), _("split"), self._split, lambda: may("match") and len(self.options) > 1),
            Key(("space",), _("mark"), self._mark, lambda: may("match") and self.at_right),
            Key(("w",), _("write off"), lambda: self._with_reason("write_off", _("Write off {amount}: {line}")),
                lambda: may("write_off")),
            Key(("f",), _("fee"), self._fee, lambda: may("fee")),
            Key(("B",), _("book"), lambda: self._with_reason("book", _("Book {amount}: {line}")), lambda: may("book")),
            Key(("b", "i"), _("set it aside"), lambda: self._with_reason("ignore", _("Set {amount} aside: {line}")),
                lambda: may("ignore") and state == "open"),
            Key(("U",), _("unmatch"), lambda: self._back("unmatch"), lambda: unmatches),
            Key(("U",), _("take up again"), lambda: self._back("reconsider"),
                lambda: f"{NOUN}.reconsider" in self.commands and state == "ignored"),
            Key(("v",), _("open lines") if self.done else _("done lines"), self._turn),
            Key(("p",), _("proof"), self._show_proof, lambda: self._proof_of(self.line), foot=False),
            Key(("I",), _("take in a statement"), self._take_in, lambda: self.bo.jobs.are_possible),
            Key(("a",), _("all by rule"), self._by_rule, lambda: BY_RULE in self.commands and not self.done),
        ]  # fmt: skip

    def press(self, name: str) -> bool:
        if name in DIGITS and not self.done and f"{NOUN}.match" in self.commands:
            self._match_with(int(name) - 1)
            return True
        return super().press(name)

    # Reading

    def fill(self) -> None:
        wanted, done = self._filter, self.done
        self.bo.browser.read(
            lambda workspace: bank_lines(workspace, wanted, done=done), self._arrived, self.trouble, topic="bank lines"
        )

    def _arrived(self, shown: Lines) -> None:
        # The cursor stays on its line, or where it was if that line is matched now.
        here = self.back_to or (self.line.id if self.line is not None else "")
        self.lines, self.back_to = shown, ""
        at = next((at for at, row in enumerate(shown.rows) if row.id == here), self.left.at)
        self.left.at = within(at, len(shown.rows))
        self._under_way.clear()
        self._asked_of = ""
        if self._before_rules is not None:
            self.say(_("{matched} matched by rule, {left} left", matched=self._before_rules - shown.count,
                       left=shown.count), "good")  # fmt: skip
            self._before_rules = None
        self.draw()

    def _want_options(self) -> None:
        """Once the cursor rests: a held `j` asks for no line that it passes."""
        line = self.line
        if line is None or line.id == self._asked_of:
            return
        self._asked_of = line.id
        self.options, self._options_of = [], ""
        self.marked.clear()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(SETTLE_S, lambda: self._read_options(line.id))

    def _read_options(self, wanted: str) -> None:
        read = matches if self.done else candidates
        self.bo.browser.read(
            lambda workspace: read(workspace, wanted), lambda found: self._options_arrived(wanted, found), self.trouble,
            topic="candidates",
        )  # fmt: skip

    def _options_arrived(self, line: str, found: list[Option]) -> None:
        if line == self._asked_of:
            self.options, self._options_of = found, line
            self.right.at = 0
            self.draw()

    # Drawing

    def draw(self) -> None:
        self._want_options()
        line = self.line
        self.left.empty = _("No line was matched") if self.done else _("Every line is matched")
        self.right.empty = _("Nothing that is open fits") if line is not None and self._options_of else ""
        self.left.lines = [self._bank_line(row) for row in self.lines.rows]
        self.right.lines = [self._option(at, item) for at, item in enumerate(self.options)]
        count = len(self.lines.rows)
        title = _("Matched lines") if self.done else _("Reconcile")
        of = _("{shown} of {count}", shown=f"{count:,}", count=f"{self.lines.count:,}")
        heading: list[Span] = [(f" {title} ", "title"), (of if count != self.lines.count else f"{count:,}", "dim")]
        if self.marked and line is not None:
            self.show(heading, self._proof(line), self._sum(line))
        else:
            self.show(heading, self._proof(line), self._told(line))

    def _proof(self, line: OpenLine | None) -> list[Span]:
        proof = self._proof_of(line)
        if proof is None:
            return []
        mark = self.looks.glyphs.ok if proof.agrees else self.looks.glyphs.no
        # The whole of it where there is room, less where there is less; the mark always.
        forms = (f"{mark} {proof.account}: {words} " for words in (proof.words, proof.brief) if words)
        shown = next(
            (form for form in forms if cell_len(form) <= self.size.width - HEADING), f"{mark} {proof.account} "
        )
        if self.looks.glyphs.mark.isascii():
            shown = shown.replace("≠", "<>")
        return [(shown, "good" if proof.agrees else "bad")]

    def _proof_of(self, line: OpenLine | None) -> Proof | None:
        found = (proof for proof in self.lines.proofs if line is None or proof.account == line.account)
        return next(found, None)

    def _show_proof(self) -> None:
        """Line by line, from the bank's opening balance to the ledger's."""
        from bo.tui.help import TextScreen

        proof = self._proof_of(self.line)
        if proof is not None:
            lines: list[Line] = [
                ((f" {fitted(name, PART)} ", "dim"), (fitted(amount, PROVED, "right"), "text"))
                for name, amount in proof.lines
            ]
            self.bo.push_screen(
                TextScreen(self.looks, _("Proof of {account}", account=proof.account), lines)
            )  # fmt: skip

    def _told(self, line: OpenLine | None) -> list[Span]:
        if line is None:
            return []
        part: list[Span] = []
        if line.left != line.amount and line.left:
            whole = grouped(line.amount, line.currency)
            part = [(_("{left} left of {amount}", left=line.words, amount=whole), "warn")]
        said = harmless(" ".join(word for word in (line.who, line.text, line.reason) if word))
        shown = f"{grouped(line.amount, line.currency)} {line.currency}" if self.done else line.words
        return [(f" {shown} ", "head"), *part, (f" {said}", "dim")]

    def _sum(self, line: OpenLine) -> list[Span]:
        total, rest = rest_of(line, self._chosen())
        sums = {"total": grouped(total, line.currency), "rest": grouped(rest, line.currency)}
        words = _("{count} marked, {total} of {amount}, left {rest}", count=len(self.marked), amount=line.words, **sums)
        return [(f" {words}", "good" if not rest else "warn"), (f"   {_('Enter matches them')}", "dim")]

    def _bank_line(self, row: OpenLine) -> Line:
        more = self.looks.glyphs.more
        under_way = row.id in self._under_way
        tone: Tone = "dim" if under_way else "text"
        amount = row.amount if self.done else row.left
        part = "~" if row.state == "part_matched" else "-" if row.state == "ignored" else " "
        return (
            (f"{row.day[5:]} ", "dim"), (fitted(harmless(row.account), 7, more=more) + " ", "dim"),
            (fitted(grouped(amount, row.currency), SUM, "right") + part + " ", tone),
            (fitted(harmless(row.who), WHO_WHOLE if self.pane.size.width >= ROOMY else WHO, more=more) + " ", tone),
            (harmless(row.text), "dim"),
        )  # fmt: skip

    def _option(self, at: int, item: Option) -> Line:
        more, line = self.looks.glyphs.more, self.line
        mark = self.looks.glyphs.mark if item.id in self.marked else " "
        digit = f"{at + 1}" if at < len(DIGITS) else " "
        differs = (line.left if line is not None else 0) - item.amount
        points: Span = (f"{item.points:>3} ", "good" if not at else "text") if not self.done else ("", "text")
        difference: Span = (f"{_('off by {amount}', amount=grouped(differs, item.currency))} ", "warn")
        roomy = self.pane.size.width >= ROOMY
        wide = LABEL_WHOLE if self.done or roomy else LABEL
        label: Span = (fitted(_ending(harmless(item.label), wide, more), wide) + " ", "text")
        who: Span = (fitted(harmless(item.who), WHO_WHOLE if roomy else WHO, more=more) + " ", "text")
        # Where there is no room for both, a name says more than a long reference.
        named: tuple[Span, ...] = (label, who, (f"{item.day[5:]} ", "dim"))
        if self.pane.size.width < NARROW:
            named = (who,) if len(item.label) > LABEL and item.who else (label,)
        return (
            (mark, "mark"), (f"{digit} ", "key"), points,
            (fitted(grouped(item.amount, item.currency), SUM, "right") + " ", "text"),
            (fitted(harmless(item.kind), KIND, more=more) + " ", "text"),
            *named, *((difference,) if differs and not self.done else ()), (harmless(item.why), "info"),
        )  # fmt: skip

    # Doing

    def _chosen(self) -> list[Option]:
        return [item for item in self.options if item.id in self.marked]

    def _match(self) -> None:
        """What is marked, or the candidate under the cursor, or else the best."""
        if self.marked:
            self._carry_out(self._chosen())
        elif self.at_right:
            self._match_with(self.right.at)
        elif len(self.options) > 1 and self.options[0].points == self.options[1].points:
            self.say(_("Two fit equally well: choose one by its digit"), "warn")
        else:
            self._match_with(0)

    def _match_with(self, at: int) -> None:
        if self.line is None or self.line.id != self._options_of or self.line.id in self._under_way:
            self.say(_("The candidates are not here yet"), "warn")
        elif at >= len(self.options):
            self.say(_("There is no candidate {number}", number=at + 1), "warn")
        else:
            self._carry_out([self.options[at]])

    def _carry_out(self, chosen: Sequence[Option]) -> None:
        line = self.line
        if line is None or not chosen:
            return
        named = ", ".join(item.label or item.id[-8:] for item in chosen)
        words = _("{amount} matched with {items}", amount=line.words, items=named)
        items = ",".join(item.id for item in chosen)
        self._under_way.add(line.id)
        self.at_right = False
        self.marked.clear()
        self.act(f"{NOUN}.match", [line.id], {"items": items}, words)
        self.draw()

    def _split(self) -> None:
        self.at_right = True
        self.say(_("Space marks, Enter matches what is marked"), "info")
        self.draw()

    def _mark(self) -> None:
        if self.right.at < len(self.options):
            self.marked ^= {self.options[self.right.at].id}
            self.right.move(1)
            self.draw()

    def _fee(self) -> None:
        if self.line is not None:
            self.act(f"{NOUN}.fee", [self.line.id], {}, _("{amount} booked as a fee", amount=self.line.words))

    def _with_reason(self, verb: str, title: str) -> None:
        line = self.line
        if line is None:
            return
        name, what = f"{NOUN}.{verb}", f"{line.account} {line.day}"
        done = {"write_off": _("{amount} written off"), "book": _("{amount} booked"),
                "ignore": _("{amount} set aside")}[verb]  # fmt: skip
        self.ask(name, [line.id], _(title, amount=line.words, line=what),
                 lambda told: self.act(name, [line.id], told, _(done, amount=line.words)))  # fmt: skip

    def _back(self, verb: str) -> None:
        if self.line is not None:
            words = _("{amount} is open again", amount=grouped(self.line.amount, self.line.currency))
            self.act(f"{NOUN}.{verb}", [self.line.id], {}, words)

    def _by_rule(self) -> None:
        """Whatever a rule is sure of. There is no one step that takes it all back: each line is unmatched by itself."""

        def done(outcomes: list[Outcome]) -> None:
            refused = next((outcome for outcome in outcomes if not outcome.ok), None)
            if refused is not None:
                self.say(refused.message, "bad")
            else:
                self._before_rules = self.lines.count
            self._after(())

        self.say(_("matching by rule …"), "dim")
        self.bo.desk_lane.ask(lambda desk: desk.run(BY_RULE, [], {}), done, self.trouble)

    def _take_in(self) -> None:
        from bo.tui.statement_import import open_statement_import

        open_statement_import(self.bo, then=self.fill)

    def _turn(self) -> None:
        self.done = not self.done
        self.left.at, self.at_right = 0, False
        self.fill()


def _ending(label: str, width: int, more: str) -> str:
    """References of one day begin alike: where one is too long, its end is what tells them apart."""
    return label if len(label) <= width else f"{more}{label[1 - width :]}"


def open_reconciliation(app: BoApp, line: str) -> None:
    """The screen on the lines that the table's filter shows, beginning at the one under the cursor."""
    wanted = app.browser.filter_text if app.browser.noun == NOUN else ""

    def told(shown: Lines) -> None:
        app.push_screen(ReconcileScreen(app, shown, wanted, line))
        app.release_keys()

    def failed(error: Exception) -> None:
        app.release_keys(drop=True)
        app.trouble(error)

    app.hold_keys()
    app.browser.read(lambda workspace: bank_lines(workspace, wanted), told, failed)
