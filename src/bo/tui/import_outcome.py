"""What an import would do, and what it did: counts that add up, problems with their line, changes field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.import_steps import PAGE, Wizard, broken
from bo.tui.importing import Glance, Told
from bo.tui.jobs import RUNNING, STOPPED, Job
from bo.tui.key_screen import step_of, within
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Line

TONES: Mapping[str, Tone] = {"created": "good", "updated": "info", "unchanged": "dim", "duplicate": "wait",
                             "rejected": "bad"}  # fmt: skip

WOULD: Mapping[str, str] = {
    "created": "would be created",
    "updated": "would be updated",
    "unchanged": "are so already",
    "duplicate": "are duplicates",
    "rejected": "are rejected",
}
DID: Mapping[str, str] = {
    "created": "were created",
    "updated": "were updated",
    "unchanged": "were so already",
    "duplicate": "were duplicates",
    "rejected": "were rejected",
}


class TrialStep:
    """What the import would do; nothing is written."""

    def __init__(self, wizard: Wizard, glanced: Glance) -> None:
        self._wizard = wizard
        self._glance = glanced
        self._top = 0
        self.job: Job | None = None
        self.told: Told | None = None

    @property
    def heading(self) -> str:
        return _("what it would do")

    @property
    def keys(self) -> str:
        if self.told is None:
            return _("Esc stops it and goes back  q leaves")
        if self.told.created + self.told.updated == 0:
            return _("nothing would be written  Esc back to the columns  q leaves")
        return _("d imports  j k scroll  Esc back to the columns  q leaves")

    def press(self, name: str) -> None:
        if step := step_of(name, PAGE):
            self._top = max(0, self._top + step)
        elif name == "d" and self.told is not None and self.told.created + self.told.updated:
            self._wizard.carry_out()
        elif name in ("escape", "backspace", "m"):
            self._wizard.back()
        elif name == "q":
            self._wizard.leave()

    def lines(self, width: int, height: int) -> list[Line]:
        if self.told is None:
            return waiting(self.job, self._wizard.looks)
        words = [_(WOULD[name]) for name in self.told.counts()]
        found = [*counted(self.told, words, self._wizard.looks), (), *self._problems(self.told, width),
                 *self._changes(self.told, width), *(((f" {note}", "dim"),) for note in self.told.notes)]  # fmt: skip
        self._top = within(self._top, max(1, len(found) - height + 1))
        return found[self._top : self._top + height]

    def _problems(self, told: Told, width: int) -> list[Line]:
        lines: list[Line] = []
        for problem in told.problems:
            place: Span = (" " + _("line {line}", line=problem.line) + " ", "head")
            value = "" if problem.reason.startswith(problem.value) else f" {problem.value}"
            cell = f"{problem.column}:{value} " if problem.column else ""
            reason = harmless(f"{cell}{problem.reason.rstrip('.')}. {problem.hint}")
            first, *rest = broken(reason, width - cell_len(place[0]) - 1)
            lines += [(place, (first, "bad")), *((("      " + part, "bad"),) for part in rest)]
        return [*lines, ()] if lines else []

    def _changes(self, told: Told, width: int) -> list[Line]:
        lines: list[Line] = []
        cells = dict(zip(self._glance.lines, self._glance.rows, strict=True))
        for row in told.rows:
            if row.outcome == "rejected":
                continue
            words = "" if row.changes else " | ".join(filter(None, cells.get(row.line, ())))
            place: Span = (" " + _("line {line}", line=row.line) + " ", "head")
            lines.append((place, (_(WOULD[row.outcome]) + " ", TONES[row.outcome]), (harmless(words), "dim")))
            for change in row.changes:
                before: Span = (fitted(harmless(change.before) or "-", 24, more=self._wizard.looks.glyphs.more), "dim")
                arrow: Span = (f" {self._wizard.looks.glyphs.to} ", "dim")
                lines.append(
                    ((f"      {fitted(change.field, 16)} ", "key"), before, arrow, (harmless(change.after), "text"))
                )
        return [*lines, ()] if lines else []


class ImportStep:
    """The import itself, and what came of it."""

    def __init__(self, wizard: Wizard, *, in_parts: bool) -> None:
        self._wizard = wizard
        self._in_parts = in_parts
        self.job: Job | None = None
        self.told: Told | None = None

    @property
    def heading(self) -> str:
        return _("importing") if self.told is None else _("what came of it")

    @property
    def keys(self) -> str:
        if self.told is None:
            return _("x stops it  q leaves it running")
        return _("u takes it all back  q closes, then r shows the rows") if self.told.operation else _("q closes")

    def press(self, name: str) -> None:
        if name == "x" and self.told is None:
            self._wizard.stop()
        elif name == "u" and self.told is not None and self.told.operation:
            self._wizard.take_back()
        elif name in ("q", "escape", "enter"):
            self._wizard.leave()

    def lines(self, width: int, height: int) -> list[Line]:
        told = self.told
        if told is None and self.job is not None and self.job.state == STOPPED:
            stays = _("what was written by then stays; the same import again goes on from there")
            return [*waiting(self.job, self._wizard.looks),
                    ((" " + (stays if self._in_parts else _("nothing was kept")), "warn"),)]  # fmt: skip
        if told is None:
            return waiting(self.job, self._wizard.looks)
        lines = counted(told, [_(DID[name]) for name in told.counts()], self._wizard.looks)
        if not told.written:
            lines += [(), ((" " + _("nothing was kept"), "bad"),)]
        if told.rejects:
            words = _("the rejected rows with their reasons are in {file}: mend them there and import it",
                      file=told.rejects)  # fmt: skip
            lines += [(), *(((f" {part}", "warn"),) for part in broken(words, width - 2))]
        if told.operation:
            lines += [(), ((" " + _("operation {id}", id=told.operation), "dim"),)]
        return lines


def counted(told: Told, words: Sequence[str], looks: Looks) -> list[Line]:
    """What became of the rows, each count with its words; they add up."""
    listed: list[Line] = [((f" {told.read:>9,} ", "head"), (_("records read"), "text"))]
    for (name, count), said in zip(told.counts().items(), words, strict=True):
        tone: Tone = TONES[name] if count else "dim"
        listed.append(((f" {count:>9,} ", "head" if count else "dim"), (said, tone)))
    return listed


def waiting(job: Job | None, looks: Looks) -> list[Line]:
    """How far a job is, or why it came to nothing."""
    if job is None:
        return []
    if job.state != RUNNING:
        return [((f" {looks.glyphs.no} {harmless(job.told)}", "bad"),)]
    block, cells = "#" if looks.glyphs.mark.isascii() else "█", 40
    done = cells * min(job.done, job.total) // job.total if job.total else 0
    bar: Span = (" " + block * done + "." * (cells - done) + " ", "info")
    return [(), (bar, (job.progress or _("reading …"), "text"))]
