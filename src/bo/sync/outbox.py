"""The worker that carries what happened to the outside: webhooks are told, effects are carried out. Before that it lets
rules do what is left to them, which may be to tell somebody.

Everything goes at least once and in order for each reader; a reader that fails is tried again later and later, holds
up nobody else, and waits for a person in the end. One event goes in one request: then a receiver's 2xx means exactly
that event, its id is enough to know it again, and one that cannot be taken keeps back nothing before it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from bo.core.access.records import Webhook
from bo.core.automation.following import Runner
from bo.core.kernel.dispatch import OUTAGES
from bo.core.kernel.errors import BoError
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import utc_now
from bo.sync import effects, leases, webhooks
from bo.sync.effects import CannotBeDone, Effect, Handler
from bo.sync.leases import NEVER, Place
from bo.sync.webhooks import Event, Send

if TYPE_CHECKING:
    from bo.sync.central import Central
    from bo.sync.outside import Answered, Outside

EVENTS_AT_ONCE: Final = 50  # that are read, and then sent one by one
TURN_EVENTS_MOST: Final = 200  # that one webhook is told before others have their turn
TURN_LONGEST: Final = timedelta(seconds=15)
PARALLEL: Final = 4
WINDOW: Final = 1_000
CLOCK_EVERY: Final = timedelta(minutes=1)
WINDOWS_MOST: Final = 20
SETTLED: Final = "effects"  # the reader that marks effects nobody has to carry out any more
log = logging.getLogger("bo.sync")


class Failed(Exception):
    """An event was not taken."""

    def __init__(self, reason: str, *, after: timedelta = timedelta(), gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.gone = gone


class LeaseLost(Exception):
    """Somebody else works for this reader now."""


class Turn(msgspec.Struct):
    """What one reader gets done in one go."""

    held: Place
    until: datetime
    done: int = 0


class Worker:
    """Works for one organisation. Several may, in several processes: each reader is worked for by one at a time."""

    def __init__(
        self,
        central: Central,
        *,
        clock: Callable[[], datetime] = utc_now,
        send: Send | None = None,
        handlers: Mapping[str, Handler] | None = None,
        chance: Callable[[], float] | None = None,
        parallel: int = PARALLEL,
    ) -> None:
        self._central = central
        self._clock = clock
        self._given_send = send
        self._outside: Outside | None = None
        self._handlers = handlers or {}
        self._chance = chance or random.Random().random
        self._parallel = parallel
        self._stopped = threading.Event()
        self._making = threading.Lock()
        self._clock_at = clock()  # when rules of the clock are looked at next
        self._told: dict[str, set[str]] = {}  # events beyond a webhook's place: their operation has more of them

    def run_once(self) -> int:
        """Give every reader that is due one turn; how many events were delivered and effects carried out.

        Raises what keeps the whole database from being used (Busy, StorageFull, Damaged): the next call goes on.
        """
        self._follow()
        turns: Sequence[Callable[[], int]] = self._due()
        if len(turns) < 2:
            done = sum(turn() for turn in turns)
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(self._parallel, len(turns)), "bo-outbox") as threads:
                done = sum(threads.map(lambda turn: turn(), turns))
        self._settle()
        return done

    def _follow(self) -> None:
        """Do what rules have still to do: what was cut off, and every minute what those of the clock find."""
        now = self._clock()
        is_time = now >= self._clock_at
        with suppress(*OUTAGES):
            with self._central.workspace() as ws:
                waiting = Runner(ws)
                if not waiting.has_more() and not (is_time and waiting.has_clock()):
                    return
            with self._central.writing(SYSTEM.id) as ws:
                runner = Runner(ws)
                runner.follow()
                if is_time:
                    self._clock_at = now + CLOCK_EVERY
                    runner.look_at_clock()

    def stop(self) -> None:
        """End after the requests that are under way."""
        self._stopped.set()

    def close(self) -> None:
        self.stop()
        if self._outside is not None:
            self._outside.close()

    def _due(self) -> list[Callable[[], int]]:
        """A turn for each reader that has something to do."""
        now = self._clock()
        with self._central.workspace() as ws:
            session, head = ws.database.session, ws.data_version()
            readers = [(self._tell, webhooks.reader_of(session, hook)) for hook in webhooks.hooks_of(ws) if hook.active]
            for name in self._handlers:
                held = leases.place(session, _reader(name)) or leases.make(session, _reader(name), 0)
                readers.append((self._carry_out, held))
        return [
            partial(self._take_turn, held.name, step)
            for step, held in readers
            if held.seq < head and held.next_at <= now and held.lease_until <= now
        ]

    def _take_turn(self, name: str, step: Callable[[Turn], bool]) -> int:
        """Work for one reader as long as there is something to do, and time. Whatever fails is this reader's alone."""
        if self._stopped.is_set():
            return 0
        now = self._clock()
        try:
            with self._central.workspace() as ws:
                held = leases.take(ws.database.session, name, now)
        except OUTAGES as error:
            log.warning("the outbox waits: %s", type(error).__name__)
            return 0
        if held is None:
            return 0
        turn = Turn(held, now + TURN_LONGEST)
        try:
            while step(turn) and not self._is_over(turn):
                pass
            self._give_back(turn.held)
        except LeaseLost:
            log.info("somebody else works for %s now", name)
        except OUTAGES as error:
            log.warning("the outbox waits: %s", type(error).__name__)
            self._give_back(turn.held)
        except Failed as error:
            self._put_off(turn.held, error)
        except Exception as error:  # a fault of ours: its words may quote what must not be told
            log.error("%s failed by a fault: %s", name, type(error).__name__)
            self._put_off(turn.held, Failed(str(error) if isinstance(error, BoError) else type(error).__name__))
        return turn.done

    def _is_over(self, turn: Turn) -> bool:
        return self._stopped.is_set() or turn.done >= TURN_EVENTS_MOST or self._clock() >= turn.until

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def _tell(self, turn: Turn) -> bool:
        """Read some events and send them. Whether there may be more."""
        held = turn.held
        with self._central.workspace() as ws:
            hook = next((item for item in webhooks.hooks_of(ws) if item.id == held.name and item.active), None)
        if hook is None:
            return False
        try:
            with self._central.workspace(hook.operator) as ws:
                found = webhooks.read(ws, hook, held.seq, most=EVENTS_AT_ONCE)
        except OUTAGES:
            raise
        except BoError as error:  # the operator is switched off
            raise Failed(str(error)) from None
        for event in found.events:
            if self._is_over(turn):
                return False
            if event.id in self._told.get(held.name, ()):
                continue
            self._send(turn, hook, event)
            head = self._moved(turn, event.seq if event.last else event.seq - 1)
            turn.done += 1
            if not event.last:
                self._told.setdefault(held.name, set()).add(event.id)
            if head != found.head:  # what this operator may see, or the webhook itself, may have changed
                return True
        if found.upto > turn.held.seq:
            self._moved(turn, found.upto)
        return found.upto < found.head

    def _send(self, turn: Turn, hook: Webhook, event: Event) -> None:
        """Raises Failed, LeaseLost."""
        self._renew(turn)
        held = turn.held
        try:
            answer = self._post(hook.url, webhooks.headers_for(event, held, self._clock()), event.body)
        except BoError as error:
            raise Failed(webhooks.without_secrets(str(error), hook, held)) from None
        except Exception as error:
            raise Failed(type(error).__name__) from None
        log.info("webhook %s was sent %s and answered %s", hook.id, event.id, answer.status)
        if answer.status == webhooks.GONE:
            self._switch_off(hook)
            raise Failed("410 Gone: the receiver wants nothing any more, so it was switched off", gone=True)
        if not answer.ok:
            text = webhooks.without_secrets(f"{answer.status} {answer.text}".strip(), hook, held)
            raise Failed(text, after=timedelta(seconds=answer.retry_after))

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        if self._given_send is not None:
            return self._given_send(url, headers, body)
        with self._making:
            if self._outside is None:
                from bo.sync.outside import Outside

                self._outside = Outside()
        return self._outside.post(url, headers, body)

    def _switch_off(self, hook: Webhook) -> None:
        with self._central.writing(SYSTEM.id) as ws:
            ws.do("webhooks.edit", hook.id, active=False)

    # -- effects -------------------------------------------------------------------------------------------------------

    def _carry_out(self, turn: Turn) -> bool:
        """Carry out some effects of one name. Whether there may be more."""
        name = turn.held.name.removeprefix(_reader(""))
        after = turn.held.seq
        with self._central.workspace() as ws, ws.database.reading() as session:
            head = ws.data_version()
            upto = min(after + WINDOW, head)
            wanted = [item for item in effects.wanted_between(session, after, upto) if item.name == name]
        for item in wanted:
            if self._is_over(turn):
                return False
            if item.seq - 1 > turn.held.seq:
                self._moved(turn, item.seq - 1)
            self._renew(turn)
            self._mark(item, self._handled(turn, item))
            self._moved(turn, turn.held.seq)
            turn.done += 1
        self._moved(turn, upto)
        return upto < head

    def _handled(self, turn: Turn, item: Effect) -> str:
        """What becomes of an effect. Raises Failed where it is to be tried again."""
        try:
            self._handlers[item.name](item)
        except CannotBeDone as error:
            log.warning("effect %s cannot be done: %s", item.id, error.message)
            return effects.FAILED
        except Exception as error:
            if turn.held.attempts + 1 >= leases.ATTEMPTS_MOST:
                log.error("effect %s has failed for good: %s", item.id, type(error).__name__)
                return effects.FAILED
            raise Failed(str(error) if isinstance(error, BoError) else type(error).__name__) from None
        return effects.DONE

    def _mark(self, item: Effect, state: str) -> None:
        with self._central.workspace() as ws:
            effects.mark(ws.database.session, [item.id], state)

    def _settle(self) -> None:
        """Mark effects done that no handler is for: those that every webhook which asked for any has been told, and
        all where none has."""
        if self._stopped.is_set():
            return
        with suppress(*OUTAGES), self._central.workspace() as ws:
            session, head = ws.database.session, ws.data_version()
            known = leases.place(session, SETTLED) or leases.make(session, SETTLED, 0)
            asking = [hook for hook in webhooks.hooks_of(ws) if hook.active and webhooks.wants_effects(hook)]
            upto = min([head, *(webhooks.reader_of(session, hook).seq for hook in asking)])
            held = leases.take(session, SETTLED, self._clock()) if known.seq < upto else None
            for _window in range(WINDOWS_MOST):
                if held is None or held.seq >= upto or self._stopped.is_set():
                    break
                end = min(held.seq + WINDOW, upto)
                wanted = effects.of_others(effects.wanted_between(session, held.seq, end), self._handlers)
                effects.mark(session, [item.id for item in wanted], effects.DONE)
                held = leases.move(session, held, self._clock(), seq=end)
            if held is not None:
                leases.give_back(session, held)

    # -- places --------------------------------------------------------------------------------------------------------

    def _renew(self, turn: Turn) -> None:
        """Make sure that the lease outlasts what comes now. Raises LeaseLost."""
        with self._central.workspace() as ws:
            made = leases.renew(ws.database.session, turn.held, self._clock())
        if made is None:
            raise LeaseLost
        turn.held = made

    def _moved(self, turn: Turn, seq: int) -> int:
        """Keep how far a reader has come; where the journal ends now. Raises LeaseLost."""
        with self._central.workspace() as ws:
            made = leases.move(ws.database.session, turn.held, self._clock(), seq=max(seq, turn.held.seq))
            head = ws.data_version()
        if made is None:
            raise LeaseLost
        if made.seq > turn.held.seq:
            self._told.pop(made.name, None)
        turn.held = made
        return head

    def _put_off(self, held: Place, error: Failed) -> None:
        """Try again later, or leave it to a person after so many attempts."""
        attempts = held.attempts + 1
        wait = max(leases.delay(attempts, self._chance()), min(error.after, leases.DELAY_MOST))
        next_at = self._clock() + wait
        if error.gone:
            next_at = self._clock()
        elif attempts >= leases.ATTEMPTS_MOST:
            next_at = NEVER
            log.error("%s is parked after %s attempts", held.name, attempts)
        with suppress(*OUTAGES), self._central.workspace() as ws:
            leases.put_off(ws.database.session, held, attempts, next_at, error.reason)

    def _give_back(self, held: Place) -> None:
        with suppress(*OUTAGES), self._central.workspace() as ws:
            leases.give_back(ws.database.session, held)


def _reader(effect: str) -> str:
    """The name of the reader for the effects of one name."""
    return f"effect:{effect}"
