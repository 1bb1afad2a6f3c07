"""The import screen: from a file to records in five steps, by keys alone.

What takes long is `bo NOUN import` in a process of its own, first with --dry-run and then for real; here only the first
rows are read, in the reading thread. An import that runs goes on when the screen is left, and is one step to undo.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual import events
from textual.widgets import Input

from bo.core.kernel.ids import short
from bo.core.kernel.text import _
from bo.tui.import_outcome import DID, ImportStep, TrialStep
from bo.tui.import_steps import FileStep, MappingStep, Offers, PreviewStep
from bo.tui.importing import (
    Glance,
    Reading,
    Told,
    completed,
    glance,
    is_long,
    meant,
    rejects_beside,
    require_importable,
    save_mapping,
)
from bo.tui.jobs import DONE, Job
from bo.tui.key_screen import KeyScreen
from bo.tui.looks import Tone
from bo.tui.pane import Bar
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

Step = FileStep | PreviewStep | MappingStep | TrialStep | ImportStep
STEPS = (FileStep, PreviewStep, MappingStep, TrialStep, ImportStep)
MAPPINGS = "mappings"


def open_import(app: BoApp, text: str) -> None:
    """Import a file as records of the sort that is shown; without a name, the file is chosen first."""
    path = Path(text.strip()).expanduser().absolute() if text.strip() else None

    noun = app.browser.noun

    def closed(undo: bool | None) -> None:
        if undo:
            app.triage.undo()

    def opened(_nothing: None) -> None:
        app.push_screen(ImportScreen(app, noun, path), closed)

    def refused(error: Exception) -> None:
        app.trouble(error)
        app.release_keys(drop=True)

    app.hold_keys()
    app.browser.read(
        lambda workspace: require_importable(workspace, noun),
        opened,
        refused,
        topic="import",
    )


class PathLine(Input):
    """A path being typed. Tab completes it, Enter takes it, Esc or an arrow goes back to the list."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__(compact=True, select_on_focus=False, id="path")
        self.cursor_blink = False
        self._told = told

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("tab", "enter", "escape", "down", "up"):
            event.stop()
            event.prevent_default()
            self._told(event.key)
        else:
            await super()._on_key(event)


class ImportScreen(KeyScreen["bool | None"]):
    """Holds the step the user is at. Closes with True where the import is to be taken back at once."""

    DEFAULT_CSS = "ImportScreen #path { height: 1; display: none; padding: 0 1; }"

    def __init__(self, app: BoApp, noun: str, path: Path | None) -> None:
        self._path = PathLine(self._typed)
        self._said, self._keys = Bar(app.looks), Bar(app.looks)
        super().__init__(app.looks, self._path, self._said, self._keys)
        self._office = app
        self._noun = noun
        self._begun_with = path
        self._reading = Reading()
        self._glance: Glance | None = None
        self._mapped = ""
        self._closed = False
        start = path if path is not None and path.is_dir() else path.parent if path is not None else Path.cwd()
        self._file = FileStep(self, start)
        self.step: Step = self._file
        self._mapping: MappingStep | None = None

    def on_mount(self) -> None:
        self._office.release_keys()
        if self._begun_with is not None and not self._begun_with.is_dir():
            self.open_file(str(self._begun_with))

    def press(self, name: str) -> bool:
        self.step.press(name)
        self.draw()
        return True

    def jobs_changed(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Show the step as it is now."""
        if self._closed or not self.is_mounted:
            return
        number = STEPS.index(type(self.step)) + 1
        noun = _(self._noun.replace("_", " "))
        name = Path(self._glance.path).name if self._glance and self.step is not self._file else ""
        step = f"  {number}/{len(STEPS)} {self.step.heading}"
        title = " " + _("Import {noun}", noun=noun)
        self.heading.put([(title, "title"), (step, "text"), (f"  {name}", "dim")])
        self.pane.put(self.step.lines(max(30, self.size.width), max(3, self.pane.size.height)))
        self._keys.put([(f" {self.step.keys}", "dim")])

    # What the steps ask for

    def say(self, text: str, tone: Tone = "text") -> None:
        self._said.put([(f" {text}", tone)] if text else [])

    def leave(self) -> None:
        """Close. A trial is stopped, an import goes on."""
        if isinstance(self.step, TrialStep):
            self.stop()
        self._closed = True
        self.dismiss(None)

    def back(self) -> None:
        """One step back."""
        self.say("")
        if isinstance(self.step, TrialStep) and self._mapping is not None:
            self.stop()
            self.step = self._mapping
        elif isinstance(self.step, MappingStep) and self._glance is not None:
            self.step = PreviewStep(self, self._glance, self._reading)
        else:
            self.step = self._file

    def choose(self, heading: str, offers: Offers, picked: Callable[[int], None]) -> None:
        def chosen(at: int) -> None:
            picked(at)
            self.draw()

        self._office.overlays.choose(heading, offers, chosen)

    def type_path(self, begun: str) -> None:
        self._path.display = True
        self._path.value = begun
        self._path.cursor_position = len(self._path.value)
        self.set_focus(self._path)

    def _typed(self, key: str) -> None:
        text = meant(self._path.value.strip())
        if key == "tab":
            done, names = completed(text)
            self._path.value = done
            self._path.cursor_position = len(done)
            self.say("  ".join(names[:12]) if len(names) > 1 else "", "dim")
            return
        self._path.display = False
        self.set_focus(None)
        self.say("")
        place = Path(text).expanduser().absolute()
        if key == "enter" and place.is_dir():
            self._file.go(place)
        elif key == "enter" and text:
            self.open_file(str(place))
        self.draw()

    def open_file(self, path: str) -> None:
        if not Path(path).is_file():
            self.say(_("There is no file {path}", path=path), "bad")
            return
        self._reading = Reading()
        self._look(path)

    def read_again(self, reading: Reading) -> None:
        if self._glance is not None:
            self._reading = reading
            self._look(self._glance.path)

    def _look(self, path: str) -> None:
        noun, reading = self._noun, self._reading
        self._mapped, self._mapping = "", None
        self.say(_("reading …"), "dim")
        if is_long(path):
            self.run_worker(self._look_apart(path), exclusive=True, group="look")
            return
        self._office.hold_keys()
        self._office.browser.read(
            lambda workspace: glance(workspace, noun, path, reading), self._looked, self._trouble, topic="import"
        )

    async def _look_apart(self, path: str) -> None:
        """Look at a long file in another process, which ends when the screen is left."""
        pipe = asyncio.subprocess.PIPE
        words = ["-m", "bo.tui.importing", self._noun, path, msgspec.json.encode(self._reading).decode()]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            env=self._office.jobs.environment(),
        )  # fmt: skip
        try:
            answer, trouble = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.communicate()  # so that its pipes are closed
            raise
        if process.returncode:
            self.say(trouble.decode(errors="replace").strip().rpartition("\n")[2], "bad")
        else:
            self._looked(msgspec.json.decode(answer, type=Glance))

    def _looked(self, glanced: Glance) -> None:
        self._glance = glanced
        self.step = PreviewStep(self, glanced, self._reading)
        self.say("")
        self.draw()
        self._office.release_keys()

    def _trouble(self, error: Exception) -> None:
        self.say(error_words(error), "bad")
        self._office.release_keys(drop=True)

    def map_columns(self) -> None:
        if self._glance is not None:
            self._mapping = self._mapping or MappingStep(self, self._glance)
            self.step = self._mapping

    def try_out(self) -> None:
        """Have it tried out, under the mapping as it is now."""
        glanced, mapping = self._glance, self._mapping
        if glanced is None or mapping is None:
            return
        try:
            if mapping.is_changed or self._mapped:
                folder = Path(self._office.jobs.workspace) / MAPPINGS
                self._mapped = str(save_mapping(glanced, mapping.fields, folder, self._mapped))
        except OSError as error:
            self.say(f"{error.filename}: {error.strerror}", "bad")
            return
        if self._mapped:
            self.say(_("kept as {file}", file=Path(self._mapped).name), "info")
        step = TrialStep(self, glanced)
        self.step = step

        def ended(job: Job) -> None:
            step.told = told_of(job)
            self.draw()

        title = _("Trial of {file}", file=Path(glanced.path).name)
        step.job = self._office.jobs.start(title, self._words("--dry-run", "--progress=json"), ended)

    def carry_out(self) -> None:
        """Import for real; rows that were rejected go to a file of their own."""
        trial, glanced = self.step, self._glance
        if not isinstance(trial, TrialStep) or trial.told is None or glanced is None:
            return
        rejects = ["--rejects", rejects_beside(glanced.path)] if trial.told.rejected else []
        step = ImportStep(self, in_parts=bool(rejects))
        self.step = step
        self.say("")

        def ended(job: Job) -> None:
            step.told = told_of(job)
            finished(self._office, Path(glanced.path).name, job, step.told)
            self.draw()

        title = _("Import of {file}", file=Path(glanced.path).name)
        step.job = self._office.jobs.start(title, self._words(*rejects, "--progress=json"), ended)

    def _words(self, *more: str) -> list[str]:
        assert self._glance is not None
        mapped = ["--map", self._mapped] if self._mapped else []
        noun = self._noun.replace("_", "-")
        return [noun, "import", self._glance.path, *self._reading.words(), *mapped, *more]

    def stop(self) -> None:
        if isinstance(self.step, (TrialStep, ImportStep)) and self.step.job is not None:
            self._office.jobs.stop(self.step.job)

    def take_back(self) -> None:
        self._closed = True
        self.dismiss(True)


def told_of(job: Job) -> Told | None:
    """The report of an import that came to an end."""
    try:
        return msgspec.convert(job.answer, Told) if job.state == DONE else None
    except msgspec.ValidationError:
        return None


def finished(app: BoApp, name: str, job: Job, told: Told | None) -> None:
    """Say what came of an import, and make it one step that `u` takes back."""
    if told is None or not told.operation:
        return
    operation = told.operation
    words = _("Import of {file}", file=name)

    def take_back() -> None:
        app.jobs.start(_("Undo of {what}", what=words), ["undo", operation, "--yes"], taken_back)

    def taken_back(undone: Job) -> None:
        if undone.state == DONE:
            app.rebuild()
            app.say(_("Undone: {what}", what=words), "good")
        else:
            app.triage.remember(words, take_back)

    app.triage.remember(words, take_back)
    counts = ", ".join(f"{count:,} {_(DID[which])}" for which, count in told.counts().items() if count)
    app.say(
        _("{what}: {counts}; {refresh} shows them, {undo} takes it back ({operation})", what=words, counts=counts,
          refresh=app.key_of("refresh"), undo=app.key_of("undo"), operation=short(operation)),
        "warn" if told.rejected else "good",
    )  # fmt: skip
