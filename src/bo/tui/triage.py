"""Acting on records: one at a time with advance, or on marks; undo, redo and repeat.

Acting is optimistic about the cursor and never about the data: the row dims and the cursor goes on at once, so that a
fast second key press acts on the next record and never twice on one; what became of the call is shown when it is known,
and a refused record is un-dimmed and flagged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bo.core.kernel.text import _
from bo.tui.looks import Tone
from bo.tui.source import CommandSpec, Desk, Outcome, ParamSpec
from bo.tui.words import called, counted, done_words, past, reasons

if TYPE_CHECKING:
    from bo.tui.browse import Browser
    from bo.tui.lane import Lane
    from bo.tui.table import VirtualTable

CHUNK = 100
STEPS_KEPT = 200

Arguments = Mapping[str, str]


class Step(Struct, frozen=True):
    """What one undo takes back: everything that one key press did."""

    command: CommandSpec
    arguments: Arguments
    ids: tuple[str, ...]
    operations: tuple[str, ...]
    made: int = 0  # by a command without a record

    @property
    def count(self) -> int:
        return self.made or max(1, len(self.ids))


class Elsewhere(Struct, frozen=True):
    """A step of another process, which knows how it is taken back."""

    title: str
    take_back: Callable[[], None]


class _Job(Struct):
    """A command under way over one or many records, in chunks so that it can be stopped and shows progress."""

    command: CommandSpec
    arguments: Arguments
    ids: list[str]
    bulk: bool
    redo: bool = False
    then: Callable[[str], None] | None = None
    outcomes: list[Outcome] = []
    stopped: bool = False


class Office(Protocol):
    """The screen, as far as acting needs it."""

    def say(self, text: str, tone: Tone = "text") -> None: ...

    def trouble(self, error: Exception) -> None: ...

    def standing_changed(self) -> None: ...

    def ask_form(
        self,
        command: CommandSpec,
        targets: Sequence[str],
        heading: str,
        then: Callable[[Arguments], None],
        start: Arguments,
    ) -> None: ...

    def ask_confirm(self, question: str, count: int, then: Callable[[], None]) -> None: ...

    def ask_command(
        self, command: CommandSpec, targets: Sequence[str], arguments: Arguments, question: str,
        then: Callable[[], None],
    ) -> None: ...  # fmt: skip

    def key_of(self, name: str) -> str: ...


class Triage:
    """Runs commands on what is marked, or else on the row under the cursor."""

    def __init__(self, lane: Lane[Desk], table: VirtualTable, browser: Browser, office: Office) -> None:
        self._lane = lane
        self._table = table
        self._browser = browser
        self._office = office
        self._steps: list[Step | Elsewhere] = []
        self._undone: list[Step] = []
        self._jobs: list[_Job] = []
        self._in_flight = 0
        self._afterwards: list[Callable[[], None]] = []
        self._last: tuple[CommandSpec, Arguments] | None = None
        self.advance = True

    @property
    def can_undo(self) -> bool:
        return bool(self._steps) or self._in_flight > 0

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def can_repeat(self) -> bool:
        return self._last is not None

    @property
    def jobs(self) -> int:
        return len(self._jobs)

    def targets(self) -> list[str]:
        """Marked records, or the one under the cursor."""
        if self._table.marks:
            return self._table.marks.ids()
        row = self._table.current()
        return [row.id] if row is not None else []

    # Acting

    def act(self, command: CommandSpec, arguments: Arguments | None = None) -> None:
        """Do a command: ask for what it needs, have it confirmed where it should be, then run it."""
        targets = self.targets() if command.subject else []
        if command.subject and not targets:
            self._office.say(_("There is no record here"), "warn")
            return
        given, about = dict(arguments or {}), self._about(command)
        if command.params and not given and (command.edits or not command.subject):
            self.act_with_form(command)
            return
        given |= about
        if any(_missing(param, given) for param in command.params):
            heading = self._heading(command, targets)
            then = partial(self._confirm_with, given, command, targets)
            self._office.ask_form(command, targets, heading, then, given)
        else:
            self._confirm(command, targets, given)

    def act_with_form(self, command: CommandSpec) -> None:
        """As `act`, but offering every parameter, also those that may be left out."""
        targets, about = self.targets() if command.subject else [], self._about(command)
        if command.about and not about:
            self._office.say(_("There is no record here"), "warn")
            return
        heading = self._heading(command, targets)

        def ask(start: Arguments) -> None:
            then = partial(self._confirm_with, about, command, targets)
            self._office.ask_form(command, targets, heading, then, {**start, **about})

        if not command.params:
            self.act(command)
        elif command.edits and len(targets) == 1:
            self._browser.values(targets[0], ask)
        else:
            ask({})

    def start(
        self, command: CommandSpec, targets: list[str], arguments: Arguments,
        then: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        """Run what a screen of its own has asked for and had confirmed; `then` is told the record that it went well
        for."""
        self._start(command, targets, arguments, then)

    def note(self, step: Step) -> None:
        """A screen of its own has done this: it is undone like everything else."""
        self._steps.append(step)

    def repeat(self) -> None:
        """The last command with the same arguments, here."""
        if self._last is not None:
            self.act(*self._last)

    def _about(self, command: CommandSpec) -> dict[str, str]:
        """The record under the cursor as the parameter that it is, for a command of other records."""
        row = self._table.current() if command.about else None
        return {command.about: row.id} if row is not None else {}

    def _heading(self, command: CommandSpec, targets: list[str]) -> str:
        """What is done to what: one record by its name, several by their count."""
        targets = targets or list(self._about(command).values())
        if not targets:
            return _(command.title)
        name = self._called(targets[0]) if len(targets) == 1 else counted(command, len(targets))
        return _("{title}: {records}", title=_(command.title), records=name)

    def _called(self, record_id: str) -> str:
        return called(self._table.name_of(record_id), self._browser.noun)

    def _confirm_with(self, given: Arguments, command: CommandSpec, targets: list[str], filled: Arguments) -> None:
        self._confirm(command, targets, {**given, **filled}, by_form=True)

    def _confirm(
        self, command: CommandSpec, targets: list[str], arguments: Arguments, *, by_form: bool = False
    ) -> None:
        here = self._table.current()
        # A single mark that is not under the cursor is easily forgotten, so it is asked about as several are.
        elsewhere = bool(targets) and (here is None or targets != [here.id])
        # The form of a command that is always asked about tells what it would do, and is entered twice.
        told = by_form and command.confirm and len(targets) <= 1
        if (elsewhere or command.confirm) and not told:
            question = self._heading(command, targets) + " ?"
            self._office.ask_command(
                command, targets, arguments, question, lambda: self._start(command, targets, arguments)
            )
        else:
            self._start(command, targets, arguments)

    def _start(
        self, command: CommandSpec, targets: list[str], arguments: Arguments,
        then: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._last = (command, arguments)
        job = _Job(command, arguments, targets, bulk=len(targets) > 1, then=then)
        self._table.acted.update(targets)
        self._table.refused.difference_update(targets)
        self._table.redraw(targets)
        here = self._table.current()
        if self.advance and not job.bulk and here is not None and targets == [here.id]:
            self._table.move_by(1)
        self._run(job)

    # Running

    def _run(self, job: _Job) -> None:
        self._jobs.append(job)
        self._in_flight += 1
        self._office.standing_changed()
        self._next_chunk(job)

    def _next_chunk(self, job: _Job) -> None:
        at = len(job.outcomes)
        chunk = job.ids[at : at + CHUNK]
        self._lane.ask(
            lambda desk: desk.run(job.command.name, chunk, job.arguments),
            lambda outcomes: self._chunk_done(job, outcomes),
            lambda error: self._failed(job, error),
        )

    def _chunk_done(self, job: _Job, outcomes: list[Outcome]) -> None:
        job.outcomes += outcomes
        if job.ids and outcomes and len(job.outcomes) < len(job.ids) and not job.stopped:
            self._office.say(
                _(
                    "{title}: {done} of {all}, Esc stops",
                    title=_(job.command.title),
                    done=len(job.outcomes),
                    all=len(job.ids),
                )
            )
            self._next_chunk(job)
        else:
            self._finish(job)

    def stop(self) -> bool:
        """Stop long jobs after their present chunk; returns whether there was one."""
        long_jobs = [job for job in self._jobs if len(job.ids) > CHUNK]
        for job in long_jobs:
            job.stopped = True
        return bool(long_jobs)

    def _finish(self, job: _Job) -> None:
        well = [outcome for outcome in job.outcomes if outcome.ok]
        badly = [outcome for outcome in job.outcomes if not outcome.ok]
        left = job.ids[len(job.outcomes) :]
        if well:
            operations = tuple(outcome.operation for outcome in well if outcome.operation)
            ids = tuple(outcome.record_id for outcome in well)
            if operations:
                made = 0 if job.command.subject else sum(outcome.count for outcome in well)
                self._steps.append(Step(job.command, job.arguments, ids, operations, made))
                del self._steps[:-STEPS_KEPT]
            if not job.redo:
                self._undone.clear()
            if not job.command.subject and job.command.noun == self._browser.noun:
                # A new record is in no frozen view; whoever made it wants to see it.
                self._browser.refresh_at(well[0].record_id)
        self._table.marks.remove(outcome.record_id for outcome in well)
        self._settle(job, [outcome.record_id for outcome in badly], left)
        name = self._called(job.ids[0]) if len(job.ids) == 1 else ""
        words = done_words(job.command, job.outcomes, self._office.key_of("undo"), name) if job.outcomes else ""
        if left:
            words = _("Stopped. {words}; {count} left as they were", words=words, count=len(left))
        self._office.say(words, "bad" if badly else "good")
        if well and job.then is not None:
            job.then(well[0].record_id)

    def _failed(self, job: _Job, error: Exception) -> None:
        """The call as a whole failed. What earlier chunks did stays done, and can be undone."""
        left = job.ids[len(job.outcomes) :]
        if job.outcomes:
            job.stopped = True
            self._finish(job)
        else:
            self._settle(job, left, [])
        self._office.trouble(error)

    def _settle(self, job: _Job, refused: Sequence[str], left: Sequence[str]) -> None:
        self._table.acted.difference_update(refused, left)
        self._table.refused.update(refused)
        self._table.redraw(job.ids)
        self._browser.reload(set(job.ids))
        self._jobs.remove(job)
        self._landed()

    def _landed(self) -> None:
        self._in_flight -= 1
        self._office.standing_changed()
        if self._in_flight == 0:
            waiting, self._afterwards = self._afterwards, []
            for call in waiting:
                call()

    # Undo

    def undo(self, count: int = 1) -> None:
        """Take back the last step as one, or the last few, several records after asking; those that have moved on since
        stay as they are, with the reason."""
        if self._in_flight:
            self._afterwards.append(lambda: self.undo(count))
            return
        steps = self._steps[: -count - 1 : -1]
        if not steps:
            self._office.say(_("There is nothing to undo"), "warn")
        elif len(steps) == 1 and isinstance(steps[0], Step) and len(steps[0].ids) <= 1:
            self._take_back(steps[0])
        else:
            what = ", ".join(map(_what, steps))
            self._office.ask_confirm(_("Undo: {what} ?", what=what), 0, lambda: self._take_all_back(steps))

    def remember(self, title: str, take_back: Callable[[], None]) -> None:
        """Something was done in another process: `undo` takes it back in its turn."""
        self._steps.append(Elsewhere(title, take_back))

    def _take_all_back(self, steps: Sequence[Step | Elsewhere]) -> None:
        for step in steps:
            self._take_back(step)

    def _take_back(self, step: Step | Elsewhere) -> None:
        self._steps.remove(step)
        if isinstance(step, Elsewhere):
            step.take_back()
            return
        self._in_flight += 1
        self._lane.ask(
            lambda desk: desk.undo(step.operations),
            lambda outcomes: self._undo_done(step, outcomes),
            lambda error: self._undo_failed(step, error),
        )

    def redo(self) -> None:
        """Do the step again that was undone last."""
        if self._in_flight:
            self._afterwards.append(self.redo)
            return
        if not self._undone:
            self._office.say(_("There is nothing to do again"), "warn")
            return
        step = self._undone.pop()
        self._table.acted.update(step.ids)
        self._table.redraw(step.ids)
        ids = list(step.ids) if step.command.subject else []
        self._run(_Job(step.command, step.arguments, ids, bulk=len(ids) > 1, redo=True))

    def _undo_done(self, step: Step, outcomes: list[Outcome]) -> None:
        badly = [outcome for outcome in outcomes if not outcome.ok]
        back = set(step.ids) - {outcome.record_id for outcome in badly}
        self._table.acted.difference_update(back)
        self._table.redraw(back)
        self._browser.reload(set(step.ids))
        if not badly:
            self._undone.append(step)
            key = self._office.key_of("redo")
            records = counted(step.command, step.made or len(back))
            words = _("Undone: {records} {done}; {key} does it again", records=records,
                      done=past(step.command), key=key)  # fmt: skip
        else:
            words = _("{count} undone, {badly} not: {why}", count=len(back), badly=len(badly), why=reasons(badly))
        self._office.say(words, "bad" if badly else "good")
        if len(step.ids) == 1 and back:
            self._browser.position(step.ids[0], self._go_back)
        self._landed()

    def _undo_failed(self, step: Step, error: Exception) -> None:
        self._steps.append(step)
        self._office.trouble(error)
        self._landed()

    def _go_back(self, position: int | None) -> None:
        """After undoing a slip, the record it happened to is what the user wants to see."""
        if position is not None:
            self._table.move_to(position)


def _what(step: Step | Elsewhere) -> str:
    """What an undo takes back, in words."""
    if isinstance(step, Elsewhere):
        return step.title
    return _("{records} {done}", records=counted(step.command, step.count), done=past(step.command))


def _missing(param: ParamSpec, given: Arguments) -> bool:
    return param.required and not param.default and not given.get(param.name)
