"""What a command receives: who acts, when, and the records it may read and change.

A command depends on this, on its arguments, and on nothing else; that is why it can be replayed. There is no clock, no
randomness, no network here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec.structs import astuple

from bo.core.kernel.errors import NotFound, Refused, UsageError
from bo.core.kernel.kinds import Context
from bo.core.kernel.record import (
    EPOCH,
    FieldInfo,
    Record,
    RecordInfo,
    declared_records,
    encode_json,
    info_of,
    places_that_differ,
)
from bo.core.kernel.unit import Change, Condition, Entry, Unit, derived_id

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

    from bo.core.kernel.command import Command
    from bo.core.kernel.query import Filter

R = TypeVar("R", bound=Record)
SELECT_MOST: Final = 100_000
SEE_PERSONAL: Final = "personal.see"
EVERYONE: Final = "everyone"  # needed by every device, whoever works there
OPEN_SCOPES: Final = frozenset(("shared", EVERYONE))


class Actor(msgspec.Struct, frozen=True):
    """Who acts. `permissions` hold names like `leads.assign`, `leads.*` or `*`; `scopes` None means every row."""

    id: str
    name: str
    permissions: frozenset[str]
    scopes: frozenset[str] | None = None

    def may(self, permission: str) -> bool:
        if permission == "anyone" or "*" in self.permissions or permission in self.permissions:
            return True
        return permission.partition(".")[0] + ".*" in self.permissions

    def sees(self, scope: str) -> bool:
        """Whether rows of that scope are theirs to see, if they may read such rows at all."""
        return self.scopes is None or scope in OPEN_SCOPES or scope in self.scopes

    def scopes_of(self, noun: str) -> frozenset[str] | None:
        """The scopes whose rows of a noun they see; None: all. What is everyone's, and who they are themselves, needs
        no permission."""
        if self.may(f"{noun}.read"):
            return None if self.scopes is None else self.scopes | OPEN_SCOPES
        return frozenset((EVERYONE, f"operator:{self.id}"))

    def hidden(self, info: RecordInfo) -> tuple[FieldInfo, ...]:
        """The fields of a record whose values they do not see."""
        guarded = tuple(item for item in info.guarded if not self.may(item.meta.needs))
        # What an import kept without knowing it may say anything of a person, so there is nothing to mask it by.
        return (*guarded, info.by_name["extra"]) if info.personal and not self.may(SEE_PERSONAL) else guarded

    def masks(self, info: RecordInfo) -> tuple[FieldInfo, ...]:
        """The fields of a record whose values they see in part: how a person is reached."""
        if not info.personal or self.may(SEE_PERSONAL):
            return ()
        return tuple(item for item in info.personal if not item.meta.needs or self.may(item.meta.needs))

    def withheld(self, info: RecordInfo) -> tuple[FieldInfo, ...]:
        """The fields whose plain values do not leave this office towards them: hidden or masked."""
        return (*self.hidden(info), *self.masks(info))


SYSTEM: Final = Actor("system", "system", frozenset(("*",)))


class Tx:
    """The running call's view of its unit of work."""

    def __init__(self, unit: Unit, context: Context) -> None:
        self._unit = unit
        self.context = context
        self.needs_of: Callable[[str], str] = _nobody_knows
        self.record_of: Callable[[str], type[Record]] = _declared
        self.command_of: Callable[[str], Command] = _no_command
        self.load_all: Callable[[], object] = declared_records  # what modules declare is all known after it
        self.operation = ""
        self.require_proof: Callable[[str], None] = _nothing_to_prove  # before a command of that name is done again
        self.cause = ""  # what it runs after by itself; nobody has looked at what it is done to
        self.now: datetime = EPOCH
        self.actor = SYSTEM
        self.authority = True  # false on a device, whose word is provisional
        self._touched: dict[str, Entry] = {}
        self._ids = 0
        self._effects: list[tuple[str, bytes]] = []
        self.viewed: set[str] = set()  # the nouns that were looked at

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, cls: type[R], record_id: str) -> R:
        """The record of that id. Raises NotFound."""
        found = self.peek(cls, record_id)
        if found is None:
            raise NotFound("there is no {name} {id}", name=info_of(cls).name.replace("_", " "), id=record_id)
        return found

    def peek(self, cls: type[R], record_id: str) -> R | None:
        entry = self._unit.entry(cls, record_id)
        return self._hand_out(cls, entry) if entry is not None and not entry.removed else None

    def view(self, cls: type[R], record_id: str) -> R | None:
        """The record to look at only: what is done to it is not noticed."""
        self.viewed.add(info_of(cls).noun)
        entry = self._unit.entry(cls, record_id)
        record = entry.record if entry is not None and not entry.removed else None
        return record if isinstance(record, cls) else None

    def view_by(self, cls: type[R], field: str, value: object) -> R | None:
        """The first record with that value in a lookup field, to look at only."""
        found = self.view_all(cls, field, value)
        return found[0] if found else None

    def view_all(self, cls: type[R], field: str, value: object) -> list[R]:
        """The records with that value in a lookup field, to look at only."""
        self.viewed.add(info_of(cls).noun)
        return [record for entry in self._unit.with_key(cls, field, value) if isinstance(record := entry.record, cls)]

    def find(self, cls: type[R], **key: object) -> R | None:
        """The first record with these values; one of the fields must be a lookup field."""
        found = self.find_all(cls, **key)
        return found[0] if found else None

    def find_all(self, cls: type[R], **key: object) -> list[R]:
        """All records with these values, also those this batch has added."""
        info = info_of(cls)
        name = next((name for name in key if name in info.lookups), None)
        if name is None:
            raise TypeError(f"{info.noun}: none of {sorted(key)} is a lookup field; use select")
        entries = self._unit.with_key(cls, name, key[name])
        added = [
            entry for entry in self._touched.values() if entry.held is None and entry.info is info and not entry.removed
        ]
        if not entries and not added:
            return []
        found = [
            entry
            for entry in (*entries, *added)
            if all(getattr(entry.record, field) == value for field, value in key.items())
        ]
        return [self._hand_out(cls, entry) for entry in found]

    def fetch(self, cls: type[Record], field: str, values: Iterable[object]) -> None:
        """Load what has one of these values in a lookup field with one statement, before it is looked for one by
        one."""
        self._unit.load_keys(cls, field, values)

    def select(
        self, cls: type[R], *conditions: Condition, order: str = "", limit: int = SELECT_MOST, **equals: object
    ) -> list[R]:
        """Records by any fields: `select(Lead, ("due_at", "<", tx.now), state=("valid", "assigned"),
        order="created_at")`.

        A tuple means one of its values. What this very call has changed is not yet seen by the conditions.
        """
        wanted = [*conditions, *((name, "=", value) for name, value in equals.items())]
        entries = self._unit.select(cls, wanted, order, limit)
        return [self._hand_out(cls, entry) for entry in entries if not entry.removed]

    def count(self, cls: type[Record], *conditions: Condition, **equals: object) -> int:
        """How many records; the same conditions as `select`."""
        return self._unit.count(cls, [*conditions, *((name, "=", value) for name, value in equals.items())])

    def sum(self, cls: type[Record], field: str, *conditions: Condition, **equals: object) -> int:
        """The sum of a whole-number field, or with "" how many there are; the same conditions as `select`.

        A batch that asks for the same one again asks the database once, which `count` does not spare it.
        """
        wanted = (*conditions, *((name, "=", value) for name, value in equals.items()))
        return self._unit.sum(cls, field, wanted)

    def filter(self, cls: type[Record], text: str) -> Filter:
        """A filter as people write it, read for records of one sort. Raises UsageError, BadValue."""
        from bo.core.kernel.query import Reading, parse_filter

        return parse_filter(text, info_of(cls), Reading(self.context, self.now, self._find_ref))

    def rows(
        self,
        key: str,
        build: Callable[[], ClauseElement],
        *of: type[Record],
        narrowed: Filter | None = None,
        **values: object,
    ) -> list[tuple[Any, ...]]:
        """Rows of a module's own statement over records of these sorts, to look at only.

        `key` names everything that the text of the statement depends on. The values of a filter go with it; a tuple is
        the list of an `in_list`. What this very call has changed is not seen.
        """
        from bo.core.kernel.query import parameters

        unit = self._unit
        unit.flush()
        if unit.seen is not None:
            unit.seen.update(info_of(cls).noun for cls in of)
        bound = {
            name: unit.moment(value) if isinstance(value, datetime) else unit.bound(value)
            for name, value in values.items()
        }
        if narrowed is not None:
            bound |= parameters(narrowed, sqlite=self.on_sqlite, array=unit.session.array)
        shapes = ",".join(info_of(cls).fingerprint for cls in of)
        return unit.session.rows(f"{shapes}:{key}:{narrowed.shape if narrowed else ''}", build, bound)

    @property
    def on_sqlite(self) -> bool:
        """Which of both databases a statement is written for."""
        return self._unit.session.is_sqlite

    def _find_ref(self, noun: str, text: str) -> str | None:
        from bo.core.kernel.dispatch import resolve
        from bo.core.kernel.errors import Ambiguous

        try:
            return resolve(self._unit, self.record_of(noun), text)
        except (NotFound, Ambiguous):
            return None

    # -- changing ------------------------------------------------------------------------------------------------------

    def new_id(self, cls: type[Record]) -> str:
        """The next id of this operation: the same at every replay."""
        made = derived_id(info_of(cls), self.operation, self._ids)
        self._ids += 1
        return made

    def add(self, item: R) -> R:
        """A new record; its id is given here."""
        info = info_of(type(item))
        given = bool(item.id)
        item.id = item.id or self.new_id(type(item))
        previous = self._unit.entry(info.cls, item.id) if given else self._unit.entries[info.cls].get(item.id)
        if previous is not None and not previous.removed:
            raise Refused("there already is a {name} {id}", name=info.name.replace("_", " "), id=item.id)
        entry = Entry(info, item, None, 0)
        if previous is not None and previous.held is not None:  # removed by this very call: one change of one row
            entry.held, entry.first, entry.n, entry.dirty = previous.held, previous.first, previous.n, previous.dirty
            item.revision, item.created_at = previous.record.revision, previous.record.created_at
        elif previous is not None:  # removed by an earlier call: that row goes first, and this one is new
            self._unit.flush()
            entry.replaced = previous
        self._unit.entries[info.cls][item.id] = entry
        self._touched[item.id] = entry
        return item

    def remove(self, item: Record) -> None:
        """Take a record out of its table; the journal keeps it."""
        entry = self._unit.entries[type(item)][item.id]
        if entry.info.append_only:
            raise Refused(
                "{name} {id} is final and cannot be removed",
                hint="Make a reversing entry.",
                name=entry.info.name,
                id=item.id,
            )
        entry.removed = True
        self._touched[item.id] = entry

    def later(self, name: str, payload: object) -> None:
        """Ask for an effect on the outside, carried out after the commit."""
        self._effects.append((name, encode_json(payload)))

    # -- used by dispatch ----------------------------------------------------------------------------------------------

    def begin(self, operation: str, now: datetime, actor: Actor) -> None:
        now = now.astimezone(UTC)
        self.operation, self.now, self.actor = operation, now.replace(microsecond=now.microsecond // 1000 * 1000), actor
        self._touched, self._ids, self._effects = {}, 0, []
        self._unit.running = self._touched

    def _hand_out(self, cls: type[R], entry: Entry) -> R:
        self._touched[entry.record.id] = entry
        record = entry.record
        assert isinstance(record, cls)
        return record

    def drop(self) -> None:
        """Forget what the running call did."""
        for record_id, entry in self._touched.items():
            if entry.held is None and entry.replaced is not None:
                self._unit.entries[entry.info.cls][record_id] = entry.replaced
            elif entry.held is None:
                if not entry.dirty:
                    self._unit.entries[entry.info.cls].pop(record_id, None)
            elif entry.removed or astuple(entry.record) != entry.held:
                entry.record, entry.removed = entry.info.made(entry.held), False
        self._touched.clear()

    def settle(self) -> list[Change]:
        """Compare every touched record with its image; what differs becomes a change, stamped and checked."""
        return [made for entry in self._touched.values() if (made := self._settle(entry)) is not None]

    def _settle(self, entry: Entry) -> Change | None:
        info, record, held = entry.info, entry.record, entry.held
        if entry.removed:
            return Change(info.noun, record.id, entry.image, None, entry.scope, None) if held is not None else None
        record.scope = record.held_by()
        places: list[int] = []
        if held is not None:
            values = astuple(record)
            if values == held:
                return None
            places = places_that_differ(held, values)
            if info.loose.issuperset(places) and info.some(places, held) == info.some(places, values):
                return None
            if info.append_only:
                raise Refused(
                    "{name} {id} is final and cannot be changed",
                    hint="Make a reversing entry.",
                    name=info.name,
                    id=record.id,
                )
        else:
            record.created_at = self.now if record.created_at == EPOCH else record.created_at
        record.revision += 1
        record.updated_at = self.now
        record.check()
        after = info.image(record)
        was = info.some(places, held) if held is not None else None
        return Change(info.noun, record.id, was, after, entry.scope, record.scope)

    def end(self) -> None:
        """No call is running any more."""
        self._unit.running = {}

    def accept(self, changes: list[Change]) -> None:
        """Make the call's changes the unit's own."""
        for item in changes:
            entry = self._touched[item.row]
            before, entry.held = entry.held, astuple(entry.record) if item.after is not None else None
            entry.dirty, entry.replaced = True, None
            self._unit.unwritten.setdefault(entry.info.cls, {})[item.row] = None
            self._unit.note_change(entry, before)
            if item.after is not None and entry.n == 0:
                entry.n = self._unit.next_row()
        # a device carries out no effect: the operation does it where it is final
        for place, (name, payload) in enumerate(self._effects if self.authority else ()):
            self._unit.effects.append((f"{self.operation}.{place}", self.operation, name, payload.decode(), "wanted"))

    @property
    def asked_effects(self) -> bool:
        return bool(self._effects)


def _nobody_knows(command: str) -> str:
    """The permission that a command of this name asks for, outside dispatch, where none is known."""
    return command.partition(".")[0] + ".undo"


def _nothing_to_prove(command: str) -> None:
    """Outside dispatch nobody asks for a second factor."""


def _no_command(name: str) -> Command:
    """The command of a name, outside dispatch, where no registry is known."""
    raise UsageError("there is no command {name}", name=name)


def _declared(noun: str) -> type[Record]:
    """The record class of a noun, outside dispatch, where no registry is known."""
    return declared_records()[noun].cls
