"""The jobs: what runs, how far it is, and what became of those that ended. `x` stops the one under the cursor."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.jobs import DONE, FAILED, RUNNING, STOPPED, Job, Jobs
from bo.tui.keys import key_name
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Bar, Line, Pane

WORDS = {RUNNING: "runs", DONE: "done", FAILED: "went wrong", STOPPED: "stopped"}
TONES: dict[str, Tone] = {RUNNING: "info", DONE: "good", FAILED: "bad", STOPPED: "wait"}


class JobsScreen(ModalScreen[None]):
    """The newest first."""

    def __init__(self, looks: Looks, jobs: Jobs) -> None:
        super().__init__()
        self._looks = looks
        self._jobs = jobs
        self._at = 0
        self.pane = Pane(looks, id="text")

    def compose(self) -> ComposeResult:
        heading = Bar(self._looks, raised=True)
        heading.put([(f" {_('Jobs')}", "title")], [(_("j k move  x stops it  q closes") + " ", "dim")])
        yield heading
        yield self.pane

    def on_mount(self) -> None:
        self.jobs_changed()

    def jobs_changed(self) -> None:
        """Draw them as they are now."""
        lines = [self._line(at, job) for at, job in enumerate(self._shown())]
        self.pane.put(lines or [((" " + _("Nothing runs, and nothing has run"), "dim"),)], keep_offset=True)

    def _shown(self) -> list[Job]:
        return self._jobs.all[::-1]

    def _line(self, at: int, job: Job) -> Line:
        mark: Span = (f" {self._looks.glyphs.mark if at == self._at else ' '} ", "mark")
        state: Span = (fitted(_(WORDS[job.state]), 12), TONES[job.state])
        title: Span = (fitted(harmless(job.title), 34, more=self._looks.glyphs.more) + "  ", "head")
        return (mark, state, title, (harmless(job.progress or job.told), "text"))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        moves = {"j": 1, "down": 1, "k": -1, "up": -1}
        shown = self._shown()
        if name in moves:
            self._at = max(0, min(self._at + moves[name], len(shown) - 1))
            self.jobs_changed()
        elif name == "x" and shown:
            self._jobs.stop(shown[self._at])
            self.jobs_changed()
        elif name in ("q", "escape", "enter", "?"):
            self.dismiss(None)
