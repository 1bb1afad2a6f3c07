"""A small world for the simulator: a central store, laptops that are copied, cloned, shut out and killed, a line that
loses things, and a book of every operation that was ever done.

Each step gets a seed of its own, so that leaving steps out does not change what the others draw.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, BoError, NotAllowed, UsageError
from bo.core.kernel.ids import encode
from bo.core.kernel.workspace import Workspace
from bo.sync.central import Revoked
from bo.sync.client import Report
from bo.sync.protocol import Pushed
from bo.sync.transport import Transport, Unreachable
from tests.sync import judging
from tests.sync.business import Desk
from tests.sync.cast import Errors, Laptop, Made
from tests.sync.dangers import Killed, Trip, Vault
from tests.sync.lossy import Fate, Lossy
from tests.sync.stage import Device, Stage

PEOPLE: Final = (
    ("hugo", "manager", None), ("mia", "manager", None), ("ada", "admin", None), ("otto", "auditor", None),
    ("anna", "store", "S1"), ("bert", "store", "S2"), ("cleo", "store", "S3"), ("dora", "store", "S1"),
)  # fmt: skip
SHOPS: Final = (("S1", "浦东店"), ("S2", "静安店"), ("S3", "朝阳店"))
SKEWS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (0, 0, 0, 2, -4, 90, -3600, 86_400 * 40, 86_400 * 3650, -86_400 * 3650)
)
ROUNDS_MOST: Final = 12
CLONES_MOST: Final = 2


class Step(msgspec.Struct, frozen=True):
    """One thing that happens: what, on which laptop, and the seed of all that is drawn in it."""

    kind: str
    who: int
    seed: int

    def __str__(self) -> str:
        return f"{self.kind}({self.who}, {self.seed})"


class Broken(AssertionError):
    """Something that must hold does not."""


class Theatre(Stage):
    """A stage whose central store can be killed."""

    def __init__(self, folder: Path, database: Callable[[], Database], new_id: Callable[[], str]) -> None:
        self.trip = Trip()
        super().__init__(folder, database, people=PEOPLE, shops=SHOPS, new_id=new_id)

    def open_central(self) -> Workspace:
        ws = super().open_central()
        self.trip.watch(ws.database)
        return ws


class Mortal:
    """A line to a central store that may be killed while it works on the request."""

    def __init__(self, world: World, inner: Transport) -> None:
        self.world = world
        self.inner = inner

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        try:
            return self.inner.call(kind, body)
        except Killed:
            self.world.survived["central killed"] += 1
            self.world.stage.restart()
            raise Unreachable("the central store has gone away", hint="Try again later.") from None

    def close(self) -> None:
        return


class Backup(msgspec.Struct):
    taken: object
    seq: int


class World:
    """Carries out steps, and says what is broken."""

    def __init__(self, seed: int, folder: Path, database: Callable[[], Database], vault: Vault) -> None:
        self.ids = Random(seed)
        self.folder = folder
        self.vault = vault
        self.said: list[str] = []
        self.survived: Counter[str] = Counter()
        self.made: dict[str, Made] = {}
        self.backups: list[Backup] = []
        self.stable = 0
        self.restored = False
        self.inside = False  # a step within a step
        self.cut = False  # a request was cut in this step
        self.shops: dict[str, set[str]] = {login: {shop} for login, _role, shop in PEOPLE if shop}
        self.stage = Theatre(folder, database, self.new_id)
        self.errors = Errors()
        logging.getLogger("bo.sync").addHandler(self.errors)
        self._furnish()
        self.laptops = [self._laptop(login, Random(seed + place)) for place, (login, _r, _s) in enumerate(PEOPLE)]

    def new_id(self) -> str:
        return "op_" + encode(self.ids.getrandbits(128))

    def close(self) -> None:
        logging.getLogger("bo.sync").removeHandler(self.errors)
        self.stage.close()

    def _furnish(self) -> None:
        calls = [Call("referrers.register", None, {"code": f"R-{number}", "name": "邓设计"}) for number in range(4)]
        for code, event, kind, terms in (
            ("VALID", "valid_lead", "fixed", {"amount": 500}), ("VISIT", "visit", "fixed", {"amount": 1000}),
            ("WON", "won", "percent", {"rate": "2%"}),
        ):  # fmt: skip
            args = {"code": code, "event": event, "kind": kind, "effective_from": "2020-01-01", **terms}
            calls.append(Call("reward_rules.add", None, args))
            calls.append(Call("reward_rules.activate", f"{code}/1"))
        for place in range(6):
            args = {"name": "李雷", "phone": f"139001390{place:02}", "city": "上海", "referrer": f"R-{place % 4}"}
            calls.append(Call("leads.report", None, args))
        leads = [made.returned for made in self.stage.office.run(calls, atomic=True)][-6:]
        given = [Call("leads.accept", lead) for lead in leads[:5]]
        given += [Call("leads.assign", lead, {"store": SHOPS[place % 3][0]}) for place, lead in enumerate(leads[:4])]
        self.stage.office.run(given, atomic=True)

    def _laptop(self, login: str, chance: Random) -> Laptop:
        spool = self.folder / f"spool-{login}" if chance.random() < 0.5 else None
        if spool is not None:
            spool.mkdir()
        device = self.stage.device(login, wrap=self._line, spool=spool, synced=chance.random() < 0.8)
        return self._dressed(login, device, chance.choice(SKEWS))

    def _dressed(self, login: str, device: Device, skew: timedelta) -> Laptop:
        made = Laptop(login, device, Trip(), skew)
        device.ws.clock = lambda: self.stage.clock() + made.skew
        made.trip.watch(device.ws.database)
        return made

    def _line(self, inner: Transport) -> Lossy:
        return Lossy(Mortal(self, inner), hear=self._heard)

    # -- the book ------------------------------------------------------------------------------------------------------

    def _heard(self, kind: str, _body: bytes, answer: bytes) -> None:
        if kind != "push":
            return
        try:
            results = msgspec.json.decode(answer, type=Pushed).results
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        for made in results:
            known = self.made.get(made.id)
            if known is not None:
                known.acknowledged |= made.status == "applied"
                known.unchanged |= made.status == "unchanged"
                known.refused |= made.status in ("refused", "quarantined")

    def _note(self, laptop: Laptop, before: set[str]) -> None:
        for name in judging.outbox(laptop.device).keys() - before:
            self.made.setdefault(name, Made(laptop.login))

    def say(self, text: str) -> None:
        self.said.append(("    " if self.inside else "") + text)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def take(self, step: Step) -> None:
        """Carry out one step. Raises Broken, or whatever nobody expected."""
        self.ids = Random(step.seed)
        chance, laptop = Random(step.seed + 1), self.laptops[step.who % len(self.laptops)]
        self.said.append(f"{step}: {laptop.login}")
        getattr(self, f"_{step.kind}")(laptop, chance)
        if self.errors.records:
            record = self.errors.records[0]
            why = record.exc_info[1] if record.exc_info else ""
            raise Broken(f"the central store complains: {record.getMessage()} {why!r}") from (
                why if isinstance(why, BaseException) else None
            )

    def _work(self, laptop: Laptop, chance: Random) -> None:
        before = set(judging.outbox(laptop.device))
        desk = Desk(laptop.ws, chance, asks=laptop.login == "ada")
        for _time in range(chance.choice((1, 1, 2, 4))):
            calls = [desk.call() for _call in range(chance.choice((1, 1, 1, 3)))]
            try:
                for made in laptop.ws.run(calls, atomic=len(calls) > 1 and chance.random() < 0.5):
                    self.say(f"{laptop.login}: {_told(made.call)} -> {made.error or made.status} {made.operation[-6:]}")
            except BoError as error:
                self.say(f"{laptop.login}: {' + '.join(_told(call) for call in calls)} -> nothing: {error}")
        self._note(laptop, before)

    def _office(self, _laptop: Laptop, chance: Random) -> None:
        desk = Desk(self.stage.office, chance)
        for _time in range(chance.choice((1, 2, 4))):
            (made,) = self.stage.office.run([desk.call()])
            self.say(f"office: {_told(made.call)} -> {made.error or made.status} {made.operation[-6:]}")

    def _sync(self, laptop: Laptop, chance: Random, do: Callable[[Report], object] | None = None) -> bool:
        """Sync over a line that may be bad, while others may be at work. Whether it came to its end."""
        self._line_of(laptop, chance)
        try:
            if do is not None:
                do(Report())
            else:
                report = laptop.device.client.sync()
                self.say(f"{laptop.login} {_summary(report)}")
        except (Unreachable, BadFile) as error:
            self.say(f"{laptop.login}: {error}")
            self.survived[error.code] += 1
            return False
        except UsageError as error:
            if not self.cut:
                raise
            self.say(f"{laptop.login}: {error}")
            return False
        except Revoked:
            if not laptop.device.revoked:
                raise
            self.say(f"{laptop.login} is shut out")
            return False
        except NotAllowed as error:
            if self._active(laptop):
                raise
            self.say(f"{laptop.login}: {error}")
            return False
        finally:
            self._line_fine(laptop)
            self.stage.trip.disarm()
            laptop.trip.disarm()
            self._check_scopes(laptop)
        self._check_rows(laptop)
        return True

    def _push(self, laptop: Laptop, chance: Random) -> None:
        self._sync(laptop, chance, laptop.device.client.push)

    def _pull(self, laptop: Laptop, chance: Random) -> None:
        self._sync(laptop, chance, laptop.device.client.pull)

    def _compare(self, laptop: Laptop, chance: Random) -> None:
        def check(report: Report) -> None:
            odd = laptop.device.client.check(report)
            if odd:
                raise Broken(f"{laptop.login}: sums differ from central's: {odd}")

        self._sync(laptop, chance, check)

    def _snapshot(self, laptop: Laptop, chance: Random) -> None:
        def anew(report: Report) -> None:
            laptop.device.client.push(report)
            laptop.device.client.snapshot(report)

        self._sync(laptop, chance, anew)

    def _line_of(self, laptop: Laptop, chance: Random) -> None:
        rate = chance.choice((0.0, 0.0, 0.15, 0.5))
        bad = [fate for fate in Fate if fate is not Fate.FINE]
        self.cut = False

        def choose(_kind: str) -> Fate:
            fate = chance.choice(bad) if chance.random() < rate else Fate.FINE
            self.cut |= fate is Fate.CUT_REQUEST
            if fate is not Fate.FINE:
                self.survived[fate.value] += 1
                self.say(f"{laptop.login}, {_kind}: {fate.value}")
            return fate

        laptop.line.choose = choose
        if chance.random() < 0.3 and not self.stage.trip.left and not laptop.trip.left:
            laptop.line.before = laptop.line.after = lambda kind: self._meanwhile(laptop, kind, chance)

    def _line_fine(self, laptop: Laptop) -> None:
        laptop.line.choose = lambda _kind: Fate.FINE
        laptop.line.before = laptop.line.after = lambda _kind: None

    def _meanwhile(self, laptop: Laptop, _kind: str, chance: Random) -> None:
        """What happens while a laptop waits for an answer: work there, elsewhere, or another program that syncs it."""
        if self.inside or chance.random() < 0.5:
            return
        self.inside = True
        self.survived["meanwhile"] += 1
        try:
            sort = chance.random()
            if sort < 0.4:
                self._office(laptop, chance)
            elif sort < 0.7:
                self._work(laptop, chance)
            elif sort < 0.85:
                self._other_sync(self.laptops[chance.randrange(len(self.laptops))], laptop)
            else:
                self.say(f"{laptop.login} syncs with another program")
                laptop.device.new_client().sync()
        except (Revoked, NotAllowed):
            self.say("is not let in")
        finally:
            self.inside = False

    def _other_sync(self, other: Laptop, busy: Laptop) -> None:
        if other is not busy:
            self.say(f"{other.login} {_summary(other.device.client.sync())}")

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def _kill_work(self, laptop: Laptop, chance: Random) -> None:
        before = set(judging.outbox(laptop.device))
        laptop.trip.arm(chance, 30)
        try:
            self._work(laptop, chance)
        except Killed:
            self.say(f"{laptop.login} is killed")
            self.survived["device killed at work"] += 1
            laptop.start_again()
            self._note(laptop, before)
        laptop.trip.disarm()

    def _kill_sync(self, laptop: Laptop, chance: Random) -> None:
        laptop.trip.arm(chance, chance.choice((12, 60)))
        try:
            self._sync(laptop, chance)
        except Killed:
            self.say(f"{laptop.login} is killed")
            self.survived["device killed in sync"] += 1
            laptop.start_again()
        laptop.trip.disarm()

    def _kill_central(self, laptop: Laptop, chance: Random) -> None:
        self.stage.trip.arm(chance, chance.choice((15, 60)))
        self._sync(laptop, chance)
        self.stage.trip.disarm()

    def _backup(self, _laptop: Laptop, chance: Random) -> None:
        seq, _hash = judging.head(self.stage.office)
        self.backups.append(Backup(self.vault.take(), seq))
        verified = chance.random() < 0.5
        if verified:
            self.stable = seq
            with self.stage.office.database.writing() as session:
                session.script(
                    ["DELETE FROM stable", f"INSERT INTO stable VALUES (1, {seq}, '2026-11-02T02:00:00.000Z')"]
                )
        self.say(f"a backup at {seq}" + (", verified" if verified else ""))

    def _restore(self, _laptop: Laptop, chance: Random) -> None:
        """Central is put back to a backup that is not older than what it told devices to be safe."""
        fitting = [item for item in self.backups if item.seq >= self.stable]
        if not fitting:
            return
        chosen = chance.choice(fitting)
        before = set(judging.journal_of(self.stage.office))
        self.stage.stop()
        self.vault.put_back(chosen.taken)
        self.stage.start()
        self.backups = [item for item in self.backups if item.seq <= chosen.seq]
        lost = before - set(judging.journal_of(self.stage.office))
        for name in lost & self.made.keys():
            self.made[name].central_lost = True
        self.restored = True
        self.survived["central restored"] += 1
        self.say(f"central is restored to {chosen.seq}: {len(lost)} operations are lost")

    def _copy(self, laptop: Laptop, _chance: Random) -> None:
        laptop.copies.append(laptop.device.copy(self.folder / f"{laptop.device.path().stem}.{len(laptop.copies)}.copy"))

    def _put_back(self, laptop: Laptop, chance: Random) -> None:
        if not laptop.copies:
            return
        before, path = laptop.known(), laptop.device.path()
        laptop.ws.close()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        shutil.copy(chance.choice(laptop.copies), path)
        laptop.start_again()
        lost = (before - laptop.known()) & self.made.keys()
        for name in lost:
            self.made[name].disk_lost = True
        self.survived["device restored"] += 1
        self.say(f"{laptop.login}'s disk is an older one: {len(lost)} operations are lost")

    def _clone(self, laptop: Laptop, chance: Random) -> None:
        if len(self.laptops) >= len(PEOPLE) + CLONES_MOST:
            return
        laptop.clones += 1
        device = self.stage.clone(laptop.device, f"clone{laptop.clones}")
        device.revoked = laptop.device.revoked
        self.laptops.append(self._dressed(laptop.login, device, chance.choice(SKEWS)))
        self.survived["device cloned"] += 1

    def _revoke(self, laptop: Laptop, _chance: Random) -> None:
        made = self.stage.office.run([Call("devices.revoke", laptop.ws.device)])
        if made[0].ok:
            self.survived["device revoked"] += 1
            for other in self.laptops:
                other.device.revoked |= other.ws.device == laptop.ws.device

    def _move(self, laptop: Laptop, chance: Random) -> None:
        """Somebody of a shop goes to another one."""
        if laptop.login not in self.shops:
            return
        shop = chance.choice(SHOPS)[0]
        (made,) = self.stage.office.run([Call("operators.edit", laptop.ws.actor, {"store": shop})])
        if made.ok:
            self.shops[laptop.login].add(shop)
            self.survived["operator moved"] += 1
            self.say(f"{laptop.login} goes to {shop}: {made.status}")

    def _rights(self, laptop: Laptop, chance: Random) -> None:
        extra = chance.choice(("referrers.read", "rewards.read", "leads.review", "leads.assign", "territories.read"))
        (role,) = (role for role in judging.selected(self.stage.office, ROLE_OF_SHOPS))
        had = msgspec.json.decode(role[1], type=list[str])
        permissions = [item for item in had if item != extra] if extra in had else [*had, extra]
        if chance.random() < 0.3:
            permissions = [item for item in permissions if item != "follow_ups.read"]
        calls = [Call("roles.edit", role[0], {"permissions": permissions})]
        if chance.random() < 0.5 and laptop.login in self.shops:
            roles = chance.choice((["store"], ["store", "dispatcher"], ["reviewer"]))
            calls = [Call("operators.edit", laptop.ws.actor, {"roles": roles})]
        (made,) = self.stage.office.run(calls)
        self.survived["rights changed"] += 1
        self.say(f"{_told(made.call)} -> {made.error or made.status}")

    def _disable(self, laptop: Laptop, _chance: Random) -> None:
        verb = "disable" if self._active(laptop) else "enable"
        (made,) = self.stage.office.run([Call(f"operators.{verb}", laptop.ws.actor)])
        self.say(f"{laptop.login}: {verb} -> {made.error or made.status}")

    def _clock(self, _laptop: Laptop, chance: Random) -> None:
        self.stage.clock.later(minutes=chance.choice((1, 30, 600, 3000)), milliseconds=chance.randrange(1000))

    def _skew(self, laptop: Laptop, chance: Random) -> None:
        laptop.skew = chance.choice(SKEWS)
        self.survived["clock changed"] += 1

    # -- what must hold ------------------------------------------------------------------------------------------------

    def _active(self, laptop: Laptop) -> bool:
        self.stage.trip.disarm()  # this look is the judge's, and nobody dies of it
        sql = f"SELECT active FROM operator WHERE id = '{laptop.ws.actor}'"
        return bool(judging.selected(self.stage.office, sql)[0][0])

    def _check_scopes(self, laptop: Laptop) -> None:
        """A shop's laptop never holds a row of a shop in which its person has never worked, nor headquarters'."""
        if laptop.login not in self.shops:
            return
        ids = {self.stage.store(shop) for shop in self.shops[laptop.login]}
        allowed = {*(f"store:{shop}" for shop in ids), f"operator:{laptop.ws.actor}", "shared", "everyone"}
        for noun, rows in judging.rows_confirmed(laptop.ws).items():
            for row, image in rows.items():
                scope = msgspec.json.decode(image, type=dict[str, object]).get("scope", "")
                if scope not in allowed:
                    raise Broken(f"{laptop.login} holds {noun} {row} of {scope}")

    def _check_rows(self, laptop: Laptop) -> None:
        """Whoever has read to the end has what central shows, below what is pending."""
        link = laptop.ws.read_link()
        assert link is not None
        if (link.seq, link.hash) != judging.head(self.stage.office):
            return
        shown = judging.rows_shown_to(self.stage.office, laptop.ws.actor)
        if odd := judging.difference(judging.rows_confirmed(laptop.ws), shown):
            raise Broken(f"{laptop.login} is not in step: {odd}")

    def settle(self) -> None:
        """Let everybody sync in peace, and check all that must hold."""
        live = [item for item in self.laptops if not item.device.revoked and self._active(item)]
        for round_ in range(1, ROUNDS_MOST + 1):
            for laptop in live:
                self.said.append(f"round {round_}: {laptop.login} {_summary(laptop.device.client.sync())}")
            if all(self._is_quiet(laptop) for laptop in live):
                break
        else:
            raise Broken(
                f"no rest after {ROUNDS_MOST} rounds: {[item.login for item in live if not self._is_quiet(item)]}"
            )
        for laptop in live:
            self._check_at_rest(laptop)
        self._check_book(live)
        self._check_central()

    def _is_quiet(self, laptop: Laptop) -> bool:
        link = laptop.ws.read_link()
        assert link is not None
        waiting = "waiting" in judging.outbox(laptop.device).values()
        return not waiting and (link.seq, link.hash) == judging.head(self.stage.office)

    def _check_at_rest(self, laptop: Laptop) -> None:
        shown = judging.rows_shown_to(self.stage.office, laptop.ws.actor)
        if odd := judging.difference(judging.rows_held(laptop.ws), shown):
            raise Broken(f"{laptop.login} at rest: {odd}")
        if odd := judging.words_of_search(laptop.ws):
            raise Broken(f"{laptop.login} finds what is not there: {odd}")
        if nouns := laptop.device.client.check(Report()):
            raise Broken(f"{laptop.login}: sums differ though rows do not: {nouns}")

    def _check_book(self, live: list[Laptop]) -> None:
        """Nothing is lost, nothing is doubled, nothing is both done and refused."""
        office = self.stage.office
        journal, answers = judging.journal_of(office), judging.answers_of(office)
        kept: Counter[str] = Counter()
        for laptop in self.laptops:
            kept.update({name: 1 for name, state in judging.outbox(laptop.device).items() if state == "refused"})
        shut = [laptop for laptop in self.laptops if laptop not in live]
        stuck = {name for laptop in shut for name in laptop.known()}
        for name, made in self.made.items():
            what = f"{name} of {made.where}"
            if journal.get(name, 0) > 1:
                raise Broken(f"{what} was done twice")
            if made.acknowledged and not made.central_lost and name not in journal:
                raise Broken(f"{what} was acknowledged, and is not there")
            if name in journal and name in kept and not self.restored:
                raise Broken(f"{what} was done, and its laptop says it was refused")
            idle = made.unchanged or answers.get(name) == "unchanged"
            if not (name in journal or kept[name] or idle or name in stuck or made.disk_lost):
                raise Broken(f"{what} is nowhere")

    def _check_central(self) -> None:
        office = self.stage.office
        office.verify()
        judging.money(office)
        kept = [row for row in judging.selected(office, "SELECT id, reason FROM quarantine") if row[1] != "revoked"]
        if kept:
            raise Broken(f"in quarantine: {kept}")
        if odd := judging.replayed(office, self.folder):
            raise Broken(f"the journal run again comes out otherwise in: {odd}")


ROLE_OF_SHOPS: Final = "SELECT id, permissions FROM role WHERE code = 'store'"


def _told(call: Call) -> str:
    args = ", ".join(f"{name}={value}" for name, value in call.args.items())
    return f"{call.name} {(call.subject or '')[-6:]} {args}".strip()


def _summary(report: Report) -> str:
    fields = {name: value for name in report.__struct_fields__ if (value := getattr(report, name))}
    return f"syncs: {fields}"
