"""Running what rules make of the journal: what is still to be done is found there, done in one transaction with the
mark of how far it has been done, and kept with its outcome.

A call's id follows from its cause, so that whoever comes second finds it done.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from bo.core.automation import reading
from bo.core.automation.reading import Done, Met
from bo.core.automation.records import AutomationRule
from bo.core.automation.rules import CLOCK, DEPTH_MOST, Cause, Chain, filled, goes_round, listens, way_to_subject
from bo.core.kernel.command import Command
from bo.core.kernel.dispatch import OUTAGES, Call, Outcome
from bo.core.kernel.errors import BoError, Refused
from bo.core.kernel.ids import caused_operation_id
from bo.core.kernel.record import Record, RecordInfo, encode_json, info_of

if TYPE_CHECKING:
    from bo.core.kernel.database import Session
    from bo.core.kernel.workspace import Transaction, Workspace

T = TypeVar("T")
WINDOW: Final = 1_000  # operations that are looked at in one transaction
CALLS_AT_ONCE: Final = 1_000
LAG_MOST: Final = 2_000  # operations that concern no rule, and after which the place is kept all the same
FACT_LONGEST: Final = 200
log = logging.getLogger("bo.automation")


class TooDeep(Refused):
    """A chain of causes that does not end by itself."""

    code = "too_deep"


class Unfinished(Refused):
    """A command that failed by a fault of ours."""

    code = "fault"


class Followed(msgspec.Struct):
    """How many calls came to what."""

    applied: int = 0
    unchanged: int = 0
    refused: int = 0

    @property
    def calls(self) -> int:
        return self.applied + self.unchanged + self.refused


class Runner:
    """Runs rules in one workspace. `done` counts, for whoever asks."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.done = Followed()
        self._scanned = 0  # up to here no operation concerns a rule, though the place has not been kept
        self._faulty: dict[str, str] = {}
        self._calls: Sequence[Call] = ()
        self._at_once = CALLS_AT_ONCE

    def follow(self) -> Followed:
        """Do all that the journal says is to be done. Raises what keeps the office from being written."""
        with self._alone():
            while self.has_more():
                self._tried(self._window)
        return self.done

    def follow_quietly(self) -> None:
        """The same after a commit, which stands whatever becomes of this."""
        try:
            self.follow()
        except BoError as error:
            log.warning("rules wait: %s", type(error).__name__)
        except Exception:
            log.exception("rules wait because of a fault")

    def look_at_clock(self) -> Followed:
        """Do what rules of the clock make of the records that meet them now, and what that causes."""
        with self._alone():
            for rule in reading.rules(self.ws):
                after = 0
                while rule.on == CLOCK and after >= 0:
                    after = self._tried(partial(self._page, rule=rule, after=after))
        return self.follow()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What is committed here is looked at here."""
        after, self.ws.after = self.ws.after, None
        try:
            yield
        finally:
            self.ws.after = after

    def has_clock(self) -> bool:
        """Whether a rule waits for nothing but time."""
        return any(rule.on == CLOCK for rule in reading.rules(self.ws))

    # -- one transaction -----------------------------------------------------------------------------------------------

    def has_more(self) -> bool:
        """Whether an operation may concern a rule; where none does, how far that is known."""
        ws = self.ws
        found = [rule for rule in reading.rules(ws) if rule.on != CLOCK]
        if not found:
            return False
        session, head = ws.database.session, ws.data_version()
        place = reading.place(session)
        start = max(place, self._scanned, min(reading.since(session, found).values()))
        if start >= head:
            return False
        names = reading.names_between(session, start, head)
        if any(listens(rule.on, name) for rule in found for name in names):
            return True
        self._scanned = head
        if head - place > LAG_MOST:
            with ws.transaction() as perform:
                reading.move(perform.session, max(head, reading.place(perform.session)))
        return False

    def _tried(self, work: Callable[[Transaction], T]) -> T:
        """Do a transaction's work. A command with a fault is found by running them one by one, and is left out at the
        next attempt: it holds up no other."""
        while True:
            before = msgspec.structs.replace(self.done)
            try:
                with self.ws.transaction() as perform:
                    made = work(perform)
                return made
            except BoError:
                self.done = before
                raise
            except Exception as error:
                self.done = before
                if len(self._calls) > 1:
                    self._at_once = 1
                elif self._calls and self._calls[0].id not in self._faulty:
                    self._faulty[str(self._calls[0].id)] = type(error).__name__
                    log.exception("%s, run by a rule, fails", self._calls[0].name)
                else:
                    raise
            finally:
                self._calls = ()

    def _window(self, perform: Transaction) -> None:
        session = perform.session
        found = [rule for rule in reading.rules(self.ws) if rule.on != CLOCK]
        since = reading.since(session, found)
        if not found:
            return
        start = max(reading.place(session), self._scanned, min(since.values()))
        window = reading.done_between(session, start, min(start + WINDOW, perform.head.seq))
        concerned = [item for item in window if any(listens(rule.on, item.name) for rule in found)]
        chains = reading.chains(session, concerned)
        for rule in found:
            own = [item for item in concerned if item.seq > since[rule.id] and listens(rule.on, item.name)]
            if own and (info := self._records(rule)) is not None:
                self._apply(perform, rule, reading.touched(session, info, own), chains)
        reading.move(session, min(start + WINDOW, perform.head.seq) if not window else window[-1].seq)

    def _page(self, perform: Transaction, rule: AutomationRule, after: int) -> int:
        """Some records that meet a rule of the clock, each with the operation that made it what it is; the place to go
        on from, -1 at the end."""
        session = perform.session
        try:
            info = info_of(self.ws.registry.record(rule.records))
            met = reading.met(self.ws, session, rule, info, after=after)
        except OUTAGES:
            raise
        except BoError as error:
            log.warning("rule %s cannot look: %s", rule.code, error.code)
            return -1
        pairs = reading.last_touched(session, [item.record.id for item in met.values()])
        chains = reading.chains(session, [item for item, _record in pairs])
        self._apply(perform, rule, pairs, chains, met)
        return max((item.n for item in met.values()), default=-1)

    def _records(self, rule: AutomationRule) -> RecordInfo | None:
        """The sort of records that a rule looks at; None where this version has no such records any more."""
        try:
            return info_of(self.ws.registry.record(rule.records))
        except BoError as error:
            log.warning("rule %s cannot look: %s", rule.code, error.code)
            return None

    # -- one rule ------------------------------------------------------------------------------------------------------

    def _apply(
        self,
        perform: Transaction,
        rule: AutomationRule,
        pairs: Sequence[tuple[Done, str]],
        chains: Mapping[str, Chain],
        met: Mapping[str, Met] | None = None,
    ) -> None:
        """Run the rule's command for the operations and records that come together here for the first time."""
        session, registry = perform.session, self.ws.registry
        causes = _first_time(session, rule, pairs, chains)
        if not causes:
            return
        try:
            info, command = info_of(registry.record(rule.records)), registry.command(rule.then)
            if met is None:
                met = reading.met(self.ws, session, rule, info, [cause.record for cause in causes.values()])
        except OUTAGES:
            raise
        except BoError as error:  # the author may not look any more, or the rule names what is gone
            self._keep(perform, [(name, cause, error) for name, cause in causes.items()])
            return
        ready: dict[str, tuple[Cause, Call]] = {}
        refused: list[tuple[str, Cause, BoError]] = []
        for name, cause in causes.items():
            if cause.record not in met:
                continue
            try:
                self._require_end(chains.get(cause.origin, ()), name, command)
                ready[name] = cause, self._call(rule, cause, name, met[cause.record].record, info, command)
            except BoError as error:
                refused.append((name, cause, error))
        self._keep(perform, refused)
        self._perform(perform, ready)

    def _require_end(self, chain: Chain, name: str, command: Command) -> None:
        if len(chain) >= DEPTH_MOST:
            raise TooDeep(
                "this would be the {depth}th operation in a chain of causes",
                hint="Two rules may be calling each other: bo automation-rules list shows them.",
                depth=len(chain) + 1,
            )
        if name in self._faulty:
            raise Unfinished("{command} failed by a fault: {reason}", command=command.name, reason=self._faulty[name])

    def _call(
        self, rule: AutomationRule, cause: Cause, name: str, record: Record, info: RecordInfo, command: Command
    ) -> Call:
        way = way_to_subject(info, command)
        subject = getattr(record, way) if way else None
        if way and not subject:
            raise Refused("{name} {id} names no {wanted}", name=info.name, id=record.id, wanted=way)
        args = filled(rule.arguments, record, info, command, self.ws.context.currency)
        return Call(command.name, subject, args, name, actor=rule.author, batch=name, cause=cause.text)

    def _perform(self, perform: Transaction, ready: Mapping[str, tuple[Cause, Call]]) -> None:
        names = list(ready)
        for start in range(0, len(names), self._at_once):
            part = names[start : start + self._at_once]
            self._calls = [ready[name][1] for name in part]
            outcomes = perform(self._calls)
            self._keep(perform, [(name, ready[name][0], made) for name, made in zip(part, outcomes, strict=True)])
        self._calls = ()

    def _keep(self, perform: Transaction, made: Sequence[tuple[str, Cause, Outcome | BoError]]) -> None:
        """Keep what became of calls."""
        at = perform.session.moment(self.ws.clock())
        rows = []
        counted: dict[str, int] = defaultdict(int)
        for name, cause, what in made:
            error = what.error if isinstance(what, Outcome) else what
            outcome = "refused" if error is not None else "unchanged" if _is_unchanged(what) else "applied"
            counted[outcome] += 1
            rows.append((name, cause.origin, cause.rule, cause.record, outcome, _told(error), at))
        reading.keep(perform.session, rows)
        self.done.applied += counted["applied"]
        self.done.unchanged += counted["unchanged"]
        self.done.refused += counted["refused"]


def _first_time(
    session: Session, rule: AutomationRule, pairs: Sequence[tuple[Done, str]], chains: Mapping[str, Chain]
) -> dict[str, Cause]:
    """Those of the operations and records that the rule has not met, by the id of the call that it would make."""
    causes = {
        caused_operation_id(item.id, rule.id, record): Cause(item.id, rule.id, record)
        for item, record in pairs
        if not goes_round(chains.get(item.id, ()), rule.id, record)
    }
    known = reading.known(session, list(causes))
    return {name: cause for name, cause in causes.items() if name not in known}


def _is_unchanged(what: Outcome | BoError) -> bool:
    return isinstance(what, Outcome) and what.status == "unchanged"


def _told(error: BoError | None) -> str:
    if error is None:
        return ""
    facts = {name: str(value)[:FACT_LONGEST] for name, value in error.facts.items()}
    told = reading.Told(error.code, error.message, error.hint, facts)
    return encode_json(told).decode()
