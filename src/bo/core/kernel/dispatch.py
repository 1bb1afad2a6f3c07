"""Dispatch: the one way to write. Faces, batches, imports, HTTP, sync and tests all come through `run`.

one writing transaction; the head row says where the journal stands
decode every call's arguments by kind, then load all that the batch names with a few IN statements
for each call: begin -> authorise -> check the state `moves` asks for -> run the function -> move -> settle -> log
    refused: what the transaction holds of this call is dropped; the outcome says why
flush rows, operations, changes, search words and effects; commit
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from bo.core.kernel.arguments import decode_arguments, has_written_amounts, money_in
from bo.core.kernel.command import Command, Registry, as_of_today
from bo.core.kernel.database import Session
from bo.core.kernel.errors import (
    Ambiguous,
    BoError,
    Busy,
    Configuration,
    Damaged,
    NotAllowed,
    NotFound,
    Refused,
    ReusedId,
    StorageFull,
    UsageError,
    WrongState,
)
from bo.core.kernel.ids import TAIL_LENGTH, short
from bo.core.kernel.kinds import Context
from bo.core.kernel.proof import Gate
from bo.core.kernel.record import Move, Record, RecordInfo, declared_records, encode_json, info_of
from bo.core.kernel.tx import SYSTEM, Actor, Tx
from bo.core.kernel.unit import Change, Unit

TAIL_LEAST: Final = 3
OUTAGES: Final = (Busy, StorageFull, Damaged, Configuration)


class Call(msgspec.Struct, frozen=True):
    """One call of a command, as a face, a file or another machine asks for it. `id`, `at`, `actor`, `device`, `batch`
    and `version` are given by replays and by other machines, `cause` by what runs after another operation."""

    name: str
    subject: str | None = None
    args: Mapping[str, object] = {}
    id: str | None = None
    at: datetime | None = None
    actor: str | None = None
    device: str | None = None
    batch: str | None = None
    version: int | None = None
    cause: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a call: `applied`, `unchanged` (nothing to do), `repeated` (the same operation came before),
    `requested` (central decides), `refused`, or `not_run`. `seq` is the operation's number."""

    call: Call
    status: str
    operation: str = ""
    subject: str | None = None
    changes: tuple[Change, ...] = ()
    returned: str | None = None
    error: BoError | None = None
    seq: int = 0

    @property
    def ok(self) -> bool:
        return self.status in ("applied", "unchanged", "repeated", "requested")


class Authorise(Protocol):
    """Who an actor id is, given by the access module: the kernel knows no operators."""

    def __call__(self, tx: Tx, actor: str) -> Actor: ...


class Decoded(msgspec.Struct):
    """A call with its command found and its arguments read."""

    call: Call
    command: Command
    operation: str
    values: dict[str, object]
    error: BoError | None = None
    currency: str = ""  # what its amounts were read in, where that is not the office's


class Dispatch(msgspec.Struct, eq=False):
    """Performs calls in one unit of work. Made anew for each transaction."""

    registry: Registry
    session: Session
    unit: Unit
    context: Context
    authorise: Authorise
    actor: str
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    actors: dict[str, Actor] = {}
    watched: set[str] = set()  # the nouns that authorising has looked at
    authority: bool = True  # false on a device: central has the last word
    gate: Gate | None = None

    def perform(self, calls: Sequence[Call], *, atomic: bool) -> list[Outcome]:
        """Run the calls in order. With `atomic`, the first refusal is raised and nothing of the batch stands."""
        tx = Tx(self.unit, self.context)
        tx.needs_of, tx.record_of, tx.authority = self._needs_of, self.registry.record, self.authority
        tx.command_of = self.registry.command
        tx.load_all = self.registry.load_all
        tx.require_proof = partial(self._require_proof, tx)
        decoded = [self._decode(call) for call in calls]
        self._prefetch(decoded)
        for item in decoded:
            if has_written_amounts(item.command, item.call.args):
                self._read_in_currency(item, self._at_hand(item))
        before = self._recorded_before(decoded)
        batch = decoded[0].operation if decoded else ""
        now = self.clock()
        outcomes = []
        for item in decoded:
            earlier = before.get(item.operation)
            outcome = (
                self._repeat(item, earlier)
                if earlier is not None
                else self._perform(tx, item, item.call.batch or batch, now)
            )
            if outcome.error is not None and atomic:
                raise outcome.error
            if outcome.status == "applied":
                before[item.operation] = (
                    item.command.name,
                    outcome.subject,
                    _arguments(item).decode(),
                    outcome.seq,
                )
            outcomes.append(outcome)
        tx.end()
        return outcomes

    # -- one call ------------------------------------------------------------------------------------------------------

    def _perform(self, tx: Tx, item: Decoded, batch: str, now: datetime) -> Outcome:
        call, command = item.call, item.command
        tx.begin(item.operation, call.at or now, SYSTEM)
        tx.cause = call.cause
        if not self.authority:
            self.unit.seen = set()
        try:
            if item.error is not None:
                raise item.error
            tx.actor = self._actor(tx, call.actor or self.actor)
            if not tx.actor.may(command.needs):
                raise NotAllowed(
                    "{actor} may not {permission}",
                    hint="Ask somebody who may: bo operators list.",
                    actor=tx.actor.name,
                    permission=command.needs,
                )
            tx.require_proof(command.name)
            subject = self._subject(tx, item)
            if has_written_amounts(item.command, item.call.args):
                self._read_in_currency(item, subject)
            arguments = self._arguments(tx, item)
            if command.where == "central" and not self.authority:
                return self._request(tx, item, subject, batch)
            returned = self._run(tx, command, subject, arguments)
            changes = tx.settle()
            _refuse_doubles(self.unit, changes)
        except OUTAGES:  # the transaction may be gone already: no call of it can be said to have gone well
            tx.drop()
            raise
        except BoError as error:
            tx.drop()
            error.facts.setdefault("command", command.name)
            return Outcome(call, "refused", item.operation, call.subject, error=error)
        except BaseException:
            tx.drop()
            raise
        subject_id = subject.id if subject is not None else None
        returned_id = returned.id if isinstance(returned, Record) else subject_id
        if not changes and not tx.asked_effects:
            return Outcome(call, "unchanged", item.operation, subject_id, (), returned_id)
        tx.accept(changes)
        if any(change.noun in self.watched for change in changes):
            self.actors.clear()
        logged = self._logged(tx, item, subject_id, batch)
        seq = self.unit.log((*logged, call.device or self.unit.head.device), tx.now, changes, call.cause)
        if not self.authority:
            self.unit.wait(logged, tx.now)
        return Outcome(call, "applied", item.operation, subject_id, tuple(changes), returned_id, seq=seq)

    def _logged(self, tx: Tx, item: Decoded, subject: str | None, batch: str) -> tuple[object, ...]:
        command = item.command
        return (
            item.operation,
            batch,
            command.name,
            command.version,
            subject or "",
            _arguments(item).decode(),
            tx.actor.id,
        )

    def _request(self, tx: Tx, item: Decoded, subject: Record | None, batch: str) -> Outcome:
        """What central alone decides waits as a request, and changes nothing here."""
        tx.drop()
        subject_id = subject.id if subject is not None else None
        self.unit.wait(self._logged(tx, item, subject_id, batch), tx.now)
        return Outcome(item.call, "requested", item.operation, subject_id)

    def _actor(self, tx: Tx, actor: str) -> Actor:
        """Who acts; asked once in a batch, and again after anything that the answer was taken from has changed."""
        found = self.actors.get(actor)
        if found is None:
            tx.viewed.clear()
            found = self.actors[actor] = self.authorise(tx, actor)
            self.watched |= tx.viewed
        return found

    def _require_proof(self, tx: Tx, name: str) -> None:
        """Ask for a second factor where that command wants one; one that this version no longer has wants nothing."""
        try:
            wanting = self.registry.command(name).step_up
        except UsageError:
            return
        if wanting and self.gate is not None and self.authority:
            self.gate.pass_through(tx.actor.id, self.clock())

    def _run(self, tx: Tx, command: Command, subject: Record | None, arguments: dict[str, object]) -> object:
        moves = command.moves
        if moves is not None and subject is not None:
            state = getattr(subject, "state", "")
            if state not in moves.sources:
                raise WrongState(
                    "{name} {id}: not possible while it is {state}",
                    hint="It must be {wanted}.",
                    name=info_of(type(subject)).name,
                    id=short(subject.id),
                    state=state,
                    wanted=" / ".join(moves.sources),
                )
        returned = (
            command.function(tx, subject, **arguments) if subject is not None else command.function(tx, **arguments)
        )
        if isinstance(moves, Move) and subject is not None:
            subject.state = moves.target  # type: ignore[attr-defined]
        return returned

    def _subject(self, tx: Tx, item: Decoded) -> Record | None:
        wanted = item.command.subject
        if wanted is None or wanted.record is None:
            if item.call.subject is not None:
                raise UsageError("{command} takes no subject", command=item.command.name)
            return None
        if item.call.subject is None:
            raise UsageError("{command} needs the id of a record", command=item.command.name)
        return self._load(tx, wanted.record, item.call.subject, own=True)

    def _arguments(self, tx: Tx, item: Decoded) -> dict[str, object]:
        """Values as the function takes them: references become records, or ids where only an id is asked for."""
        arguments = dict(item.values)
        for param, noun in item.command.references:
            value = arguments.get(param.name)
            if value is None:
                continue
            try:
                record = self._load(tx, param.record or self.registry.record(noun), str(value))
            except (NotFound, Ambiguous) as error:
                error.facts.setdefault("field", param.name)
                raise
            item.values[param.name] = record.id
            arguments[param.name] = record if param.record is not None else record.id
        return arguments

    def _load(self, tx: Tx, cls: type[Record], text: str, *, own: bool = False) -> Record:
        # a subject must be in sight; what it is pointed to may be the whole office's (a referrer), but not another
        # shop's
        def sees(scope: str) -> bool:
            return tx.actor.sees(scope) or not (own or scope.startswith("store:"))

        record = tx.peek(cls, resolve(self.unit, cls, text, sees))
        if record is None or not sees(record.scope):
            raise absent(info_of(cls), text)
        if not own and (kept := record.stands_for()):
            return self._load(tx, cls, kept)
        return record

    def _needs_of(self, name: str) -> str:
        """The permission of a command; of one that this version no longer has, the undo of its noun."""
        try:
            return self.registry.command(name).needs
        except UsageError:
            return name.partition(".")[0] + ".undo"

    # -- a batch at once -----------------------------------------------------------------------------------------------

    def _decode(self, call: Call) -> Decoded:
        command = self.registry.command(call.name)
        item = Decoded(call, command, call.id or self.new_id(), {})
        try:
            args = _args(call, command)
            item.values = decode_arguments(command, args, money_in(self.context, str(args.get("currency") or "")))
        except BoError as error:
            item.error = error
        return item

    def _at_hand(self, item: Decoded) -> Record | None:
        """The subject, where it is loaded and there is no doubt which record it is."""
        subject = item.command.subject
        if subject is None or subject.record is None or item.call.subject is None:
            return None
        try:
            entry = self.unit.entry(subject.record, resolve(self.unit, subject.record, item.call.subject))
        except BoError:
            return None
        return entry.record if entry is not None else None

    def _read_in_currency(self, item: Decoded, subject: Record | None) -> None:
        """Amounts that somebody wrote are in the currency of the record that they are said of: 1200 of an order in yen
        are 1200 yen, whatever the office counts in. Minor units, which programs and the journal write, stay."""
        currency = str(getattr(subject, "currency", "") or "")
        if currency in ("", self.context.currency, item.currency):
            return
        item.currency, item.error = currency, None
        try:
            item.values = decode_arguments(
                item.command, _args(item.call, item.command), money_in(self.context, currency)
            )
        except BoError as error:
            item.error = error

    def _prefetch(self, decoded: Sequence[Decoded]) -> None:
        """Load what the batch names: subjects and references by id, and rows that share a lookup value with what is to
        be created."""
        ids: dict[type[Record], set[str]] = defaultdict(set)
        keys: dict[tuple[type[Record], str], set[object]] = defaultdict(set)
        for item in decoded:
            command = item.command
            if command.subject is not None and command.subject.record is not None and item.call.subject is not None:
                _want(ids, keys, command.subject.record, item.call.subject)
            for param, _noun in command.references:
                if param.record is not None and (value := item.values.get(param.name)) is not None:
                    _want(ids, keys, param.record, str(value))
            if command.returns is not None:
                for cls, name, value in command.returns.sought(item.values):
                    keys[cls, name].add(value)
        for cls, wanted in ids.items():
            self.unit.load_ids(cls, wanted)
        for (cls, name), values in keys.items():
            self.unit.load_keys(cls, name, values)

    def _recorded_before(self, decoded: Sequence[Decoded]) -> dict[str, tuple[str, str | None, str, int]]:
        """Operations of this batch that were carried out earlier, by id."""
        given = [item.operation for item in decoded if item.call.id is not None]
        if not given:
            return {}
        rows = self.session.rows("kernel:operations:by:id", _operations_by_id, {"ids": self.session.array(given)})
        if not self.authority:  # what waits as a request is in no journal yet
            waiting = self.session.rows("kernel:waiting:by:id", _waiting_by_id, {"ids": self.session.array(given)})
            rows += [row for row in waiting if row[0] not in self.unit.numbers]
        return {str(row[0]): (str(row[1]), str(row[2]) or None, str(row[3]), int(row[4])) for row in rows}

    def _repeat(self, item: Decoded, earlier: tuple[str, str | None, str, int]) -> Outcome:
        name, subject, arguments, seq = earlier
        if self._same(item, name, subject, arguments):
            return Outcome(item.call, "repeated", item.operation, subject, seq=seq)
        error = ReusedId(
            "this operation id was used before for something else",
            hint="Use another --idempotency-key.",
            id=item.operation,
        )
        return Outcome(item.call, "refused", item.operation, item.call.subject, error=error)

    def _same(self, item: Decoded, name: str, subject: str | None, arguments: str) -> bool:
        if item.command.name != name or item.error is not None:
            return False
        wanted = item.command.subject
        given: object = item.call.subject
        if wanted is not None and wanted.record is not None and item.call.subject is not None:
            given = self._meant_then(wanted.record, item.call.subject, subject)
        recorded = msgspec.json.decode(arguments, type=dict[str, object])
        for param, noun in item.command.references:
            if (value := item.values.get(param.name)) is not None:
                record = param.record or self.registry.record(noun)
                item.values[param.name] = self._meant_then(record, str(value), recorded.get(param.name))
        return given == subject and _arguments(item).decode() == arguments

    def _meant_then(self, cls: type[Record], text: str, recorded: object) -> object:
        """What a reference stands for; one that finds nothing any more (perhaps because of this very operation) is
        taken for what it was."""
        try:
            return resolve(self.unit, cls, text)
        except (NotFound, Ambiguous):
            return recorded


def _args(call: Call, command: Command) -> Mapping[str, object]:
    """The arguments as they are called today."""
    return call.args if call.version is None else as_of_today(command, call.version, call.args)


def _anybody(_scope: str) -> bool:
    return True


def resolve(unit: Unit, cls: type[Record], text: str, sees: Callable[[str], bool] = _anybody) -> str:
    """The full id that a text stands for: an id, a natural key, or an id's unique tail, among the rows in sight. Raises
    NotFound or Ambiguous."""
    info = info_of(cls)
    if is_id(info, text):
        return text
    if not text.isprintable():
        raise absent(info, text)
    for name in info.key:
        if name in info.lookups:
            found = [entry for entry in unit.with_key(cls, name, text) if sees(entry.record.scope)]
            if len(found) > 1:
                ids = ", ".join(short(entry.record.id) for entry in found[:5])
                raise Ambiguous("{id} means several: {ids}", hint="Say which by its id.", id=text, ids=ids)
            if found:
                return found[0].record.id
    return _by_tail(unit, info, text, sees)


def absent(info: RecordInfo, text: str) -> NotFound:
    """The same words for a row that is not there and for one that this operator may not see."""
    return NotFound(
        "there is no {name} {id}",
        hint="bo {noun} list shows what there is.",
        name=info.name.replace("_", " "),
        id=text,
        noun=info.noun,
    )


def is_id(info: RecordInfo, text: str) -> bool:
    return (
        len(text) == len(info.prefix) + 1 + TAIL_LENGTH
        and text.startswith(info.prefix + "_")
        and text.isascii()
        and text.isprintable()
    )


def _by_tail(unit: Unit, info: RecordInfo, text: str, sees: Callable[[str], bool]) -> str:
    tail = text.lower().rpartition("_")[2]
    if len(tail) < TAIL_LEAST or not (tail.isascii() and tail.isalnum()):
        raise absent(info, text)
    held = [
        record_id
        for record_id, entry in unit.entries[info.cls].items()
        if record_id.endswith(tail) and not entry.removed and sees(entry.record.scope)
    ]
    unit.flush()
    rows = unit.session.rows(f"{info.fingerprint}:tail", lambda: _ids_by_tail(info), {"tail": f"%{tail}"})
    found = sorted({*held, *(str(row[0]) for row in rows if sees(str(row[1])))})
    if not found:
        raise absent(info, text)
    if len(found) > 1:
        raise Ambiguous(
            "{id} is the end of several ids: {ids}", hint="Type more of it.", id=text, ids=", ".join(found[:5])
        )
    return found[0]


def _want(
    ids: dict[type[Record], set[str]], keys: dict[tuple[type[Record], str], set[object]], cls: type[Record], text: str
) -> None:
    info = info_of(cls)
    if is_id(info, text):
        ids[cls].add(text)
        return
    if not text.isprintable():
        return
    for name in info.key:
        if name in info.lookups:
            keys[cls, name].add(text)


def _refuse_doubles(unit: Unit, changes: Sequence[Change]) -> None:
    """Unique fields are checked here, so that a double is a refusal of one call and not an error of the whole
    transaction."""
    taken: set[tuple[type[Record], str, object]] = set()  # within this call: what it gives to two rows at once
    if len(changes) > 1:
        _fetch_uniques(unit, changes)
    for change in changes:
        if change.after is None:
            continue
        info = declared_records()[change.noun]
        if not info.uniques:
            continue
        cls = info.cls
        entry = unit.entries[cls][change.row]
        for name in info.uniques:
            value = getattr(entry.record, name)
            if value is None or (entry.held is not None and entry.held[info.place(name)] == value):
                continue
            double = (cls, name, value) in taken or any(
                other.record.id != change.row for other in unit.with_key(cls, name, value)
            )
            taken.add((cls, name, value))
            if double:
                raise Refused(
                    "there already is a {name} with {field} {value}",
                    name=info.name.replace("_", " "),
                    field=name,
                    value=value,
                )


def _fetch_uniques(unit: Unit, changes: Sequence[Change]) -> None:
    """Load with one statement for each unique field what has a value that a new row comes with."""
    wanted: dict[tuple[type[Record], str], set[object]] = defaultdict(set)
    for change in changes:
        if change.was is None:
            cls = unit_class(unit, change)
            record = unit.entries[cls][change.row].record
            for name in info_of(cls).uniques:
                if (value := getattr(record, name)) is not None:
                    wanted[cls, name].add(value)
    for (cls, name), values in wanted.items():
        unit.load_keys(cls, name, values)


def unit_class(unit: Unit, change: Change) -> type[Record]:
    return declared_records()[change.noun].cls


def _arguments(item: Decoded) -> bytes:
    """The arguments as the journal keeps them: canonical values, which `decode_arguments` has put in the order of the
    signature."""
    return encode_json(item.values)


def _operations_by_id() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    columns = (operation.c.id, operation.c.name, operation.c.subject, operation.c.args, operation.c.seq)
    return sa.select(*columns).where(in_list(operation.c.id, sa.bindparam("ids")))


def _waiting_by_id() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, pending

    columns = (pending.c.id, pending.c.name, pending.c.subject, pending.c.args, pending.c.device_seq)
    return sa.select(*columns).where(in_list(pending.c.id, sa.bindparam("ids")))


def _ids_by_tail(info: RecordInfo) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    # more than are told: some may be out of sight
    return sa.select(made.c.id, made.c.scope).where(made.c.id.like(sa.bindparam("tail"))).limit(100)
