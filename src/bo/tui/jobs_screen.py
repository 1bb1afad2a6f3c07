"""The jobs: what runs, how far it is, and what became of those that ended. `x` stops the one under the cursor."""

from __future__ import annotations

from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.jobs import DONE, FAILED, RUNNING, STOPPED, Job, Jobs
from bo.tui.key_screen import ListScreen, cursor
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Line

WORDS = {RUNNING: "runs", DONE: "done", FAILED: "went wrong", STOPPED: "stopped"}
TONES: dict[str, Tone] = {RUNNING: "info", DONE: "good", FAILED: "bad", STOPPED: "wait"}


class JobsScreen(ListScreen[None]):
    """The newest first."""

    def __init__(self, looks: Looks, jobs: Jobs) -> None:
        super().__init__(looks)
        self._jobs = jobs

    @property
    def count(self) -> int:
        return len(self._jobs.all)

    def draw(self) -> None:
        self.heading.put([(f" {_('Jobs')}", "title")], [(_("j k move  x stops it  q closes") + " ", "dim")])
        lines = [self._line(at, job) for at, job in enumerate(self._shown())]
        self.pane.put(lines or [((" " + _("Nothing runs, and nothing has run"), "dim"),)], keep_offset=True)
        self.pane.show_line(self.at)

    def jobs_changed(self) -> None:
        self.draw()

    def _shown(self) -> list[Job]:
        return self._jobs.all[::-1]

    def _line(self, at: int, job: Job) -> Line:
        state: Span = (fitted(_(WORDS[job.state]), 12), TONES[job.state])
        title: Span = (fitted(harmless(job.title), 34, more=self.looks.glyphs.more) + "  ", "head")
        return (cursor(at == self.at), state, title, (harmless(job.progress or job.told), "text"))

    def press(self, name: str) -> bool:
        if name == "x" and self.count:
            self._jobs.stop(self._shown()[self.at])
            self.draw()
        elif name in ("enter", "?"):
            self.leave()
        else:
            return False
        return True
