"""The real workspace behind the screen's protocols: records of one noun as rows, and the registry's commands on them.

It decides how values are shown and which parameters a form asks for; what a command does, and who may, stays in core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from bo.core.kernel.errors import BadInput, BoError
from bo.core.kernel.text import _
from bo.tui import conflicts, exception_views
from bo.tui.cells import sentence
from bo.tui.details import TOLD, sections_of
from bo.tui.elsewhere import Elsewhere
from bo.tui.history import Told
from bo.tui.keys import GUESTS
from bo.tui.looks import Tone
from bo.tui.shown import DEADLINE, Shown, column_for, columns_of, name_field, title_field
from bo.tui.source import (
    PAGE_ROWS,
    Answer,
    Board,
    Choice,
    Column,
    CommandSpec,
    Detail,
    DetailField,
    Foresight,
    Interrupted,
    NamedView,
    Outcome,
    Place,
    Related,
    RowView,
    Source,
    Standing,
    StartRow,
)
from bo.tui.specs import spec
from bo.tui.words import MAKE_MANY, error_words

if TYPE_CHECKING:
    from bo.core.kernel.dispatch import Call
    from bo.core.kernel.dispatch import Outcome as Done
    from bo.core.kernel.record import FieldInfo
    from bo.core.kernel.snapshot import Snapshot as KernelSnapshot
    from bo.core.kernel.workspace import Workspace
    from bo.tui.leads import Comparison, StoreOffer

SQLITE_INTERRUPT = 9
CHOICES_HELD = 500
IN_TOUCH = timedelta(minutes=5)
CACHE_KIB = 16 * 1024  # of the file, for each of the two connections: a screen stays open all day
HELD = "hold_reason"
CURRENCY = "currency"
REACHED_BY = ("phone", "email")  # who has no name is called by these
_APART = ("id", "state", "revision", "scope")


class OfficeSnapshot:
    """A kernel snapshot whose rows come as cells. `has` says whether a record matches the filter."""

    def __init__(
        self, kept: KernelSnapshot, shown: Shown, columns: Sequence[str], has: Callable[[str], bool], apart: int = 0
    ) -> None:
        """`apart` columns at the end are not shown: what the others are drawn by."""
        self._kept = kept
        self._shown_count = len(columns) - apart
        self._has = has
        self._shown = shown
        self._columns = columns
        self._state_at = columns.index("state") if "state" in columns else None
        self._due_at = columns.index(DEADLINE) if DEADLINE in columns else None
        # Who has no name is called by what people know the record by.
        named = name_field(kept.info)
        keys = [columns.index(name) for name in kept.info.key if name in columns and name != named]
        self._named = (columns.index(named), keys[0]) if keys and named in columns else None
        self._held_at = columns.index(HELD) if HELD in columns else None
        self._currency_at = columns.index(CURRENCY) if CURRENCY in columns else None

    @property
    def count(self) -> int:
        return self._kept.count

    @property
    def whole(self) -> bool:
        return self._kept.whole

    def complete(self) -> None:
        with _meant():
            self._kept.complete()

    def stop(self) -> None:
        self._kept.stop()

    def window(self, start: int, stop: int) -> list[RowView]:
        rows = self._kept.window(start, stop)
        self._shown.learn_refs(self._columns, [row[2:] for row in rows])
        views = {row[0]: self._view(row) for row in rows}
        gone = RowView("", ("",) * self._shown_count, "", _("removed"))
        return [views.get(position, gone) for position in range(start, min(stop, self.count))]

    def ids(self, start: int, stop: int) -> list[str]:
        return self._kept.ids()[start:stop]

    def position(self, record_id: str) -> int | None:
        with _meant():
            at = self._kept.position(record_id)
            if at is None and self._kept.is_open and self._has(record_id):
                self._kept.complete()
                at = self._kept.position(record_id)
            return at

    def close(self) -> None:
        self._kept.close()

    def _view(self, row: tuple[object, ...]) -> RowView:
        if self._currency_at is None:
            cells = self._shown.cells(self._columns, row[2:])
        else:
            cells = self._shown.row(self._columns, row[2:], row[2 + self._currency_at])
        if self._named is not None and not cells[self._named[0]]:
            name, key = self._named
            cells = (*cells[:name], cells[key], *cells[name + 1 :])
        state = str(row[2 + self._state_at] or "") if self._state_at is not None else ""
        due = row[2 + self._due_at] if self._due_at is not None else None
        tones: dict[int, Tone] = {}
        if due and self._due_at is not None:
            tones[self._due_at] = self._shown.deadline(due)[1]
        if self._held_at is not None and self._state_at is not None and row[2 + self._held_at]:
            # Whatever else it is, nothing can be done with it before that.
            cells = (*cells[: self._state_at], _("on hold"), *cells[self._state_at + 1 :])
            tones[self._state_at] = "warn"
        return RowView(str(row[1]), cells[: self._shown_count], state, tones=tones)


class OfficeLibrary:
    """All the records of an office, on a connection of its own."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._session = workspace.database.session
        self._session.keep_pages(CACHE_KIB)
        self._sources: dict[str, Source] = {}

    def of(self, noun: str) -> Source:
        found = self._sources.get(noun)
        if found is None:
            found = self._sources[noun] = self._made(noun)
        return found

    def _made(self, noun: str) -> Source:
        if noun != conflicts.NOUN:
            return OfficeSource(self._workspace, noun)
        reader = self._workspace.reader()
        return conflicts.ConflictSource(
            self._workspace, lambda about: Shown(reader, reader.info(about), self._workspace.clock)
        )

    def board(self, unit: str) -> Board:
        from bo.tui.figures import board

        return board(self._workspace, unit)

    def comparison(self, record_id: str) -> Comparison:
        from bo.tui import leads

        reader = self._workspace.reader()
        shown = Shown(reader, reader.info(leads.NOUN), self._workspace.clock)
        return leads.comparison(self._workspace, shown, record_id)

    def offers(self, record_id: str) -> list[StoreOffer]:
        from bo.tui import leads

        return leads.offers(self._workspace, record_id)

    def start_rows(self, command: str, record_id: str) -> Mapping[str, Sequence[StartRow]]:
        from bo.tui.start_rows import rows_for

        return rows_for(self._workspace.reader(), command, record_id)

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        return work(self._workspace)

    def interrupt(self) -> None:
        self._session.connection.interrupt()

    def close(self) -> None:
        self._workspace.close()


class OfficeSource:
    """Reads of one noun."""

    def __init__(self, workspace: Workspace, noun: str) -> None:
        self._workspace = workspace
        self._noun = noun
        self._session = workspace.database.session
        self._reader = workspace.reader()
        self._info = self._reader.info(noun)
        self._hidden = {item.name for item in self._reader.actor.hidden(self._info)}
        self._columns = tuple(name for name in columns_of(self._info) if name not in self._hidden)
        self._shown = Shown(self._reader, self._info, self._workspace.clock)
        self._choices: dict[str, list[Choice]] = {}

    def columns(self) -> Sequence[Column]:
        return [column_for(self._info.by_name[name], self._info.noun) for name in self._columns]

    def every_column(self) -> Sequence[Column]:
        free = [
            item.name
            for item in self._info.fields
            if item.name not in ("id", "state", *self._hidden) and not item.meta.internal
        ]
        usual = [name for name in columns_of(self._info) if name in free]
        return [
            column_for(self._info.by_name[name], self._info.noun)
            for name in (*usual, *(name for name in free if name not in usual))
        ]

    def with_columns(self, names: Sequence[str]) -> OfficeSource:
        free = {column.key for column in self.every_column()}
        other = copy(self)
        # What a row is drawn by and what may be done to it hang on its state.
        other._columns = (*self._columns[: bool(self._info.states)], *(name for name in names if name in free))
        other._choices = {}
        return other

    def snapshot(self, filter_text: str, sort: str) -> OfficeSnapshot:
        from bo.core.kernel.snapshot import take_snapshot

        # A reader knows one moment; "this week" in a filter means the week in which it is asked.
        self._reader = self._workspace.reader(self._session)
        self._shown = Shown(self._reader, self._info, self._workspace.clock)
        self._choices.clear()
        reader, noun, columns = self._reader, self._noun, (*self._columns, *self._drawn_by)
        text = f"{filter_text} sort:{sort}" if sort else filter_text
        with _meant():
            kept = take_snapshot(reader, noun, text, fields=("id", *columns), first=PAGE_ROWS)
        return OfficeSnapshot(
            kept, self._shown, columns, lambda record_id: reader.count(noun, f"id:{record_id} {filter_text}") > 0,
            len(columns) - len(self._columns),
        )  # fmt: skip

    @property
    def _drawn_by(self) -> tuple[str, ...]:
        """What a row is drawn by beside its columns: whether it is on hold, and the currency of its amounts."""
        wanted = [name for name in (HELD, CURRENCY) if name in self._info.by_name and name not in self._hidden]
        return tuple(name for name in wanted if name not in self._columns)

    def detail(self, record_id: str) -> Detail:
        record = self._reader.get(self._info.cls, record_id)
        values = {item.name: getattr(record, item.name) for item in self._info.fields if not item.meta.internal}
        shown = self._shown.record(values)
        title = next((shown[name] for name in (title_field(self._info), *REACHED_BY) if shown.get(name)), record_id)
        usual = {item.name: item.default for item in self._info.fields}
        apart = {*_APART, *TOLD.get(self._noun, ())}
        told = [name for name, text in shown.items() if text and name not in apart and values[name] != usual.get(name)]
        # When it was made and changed says the history better, so that comes last.
        told.sort(key=lambda name: name in ("created_at", "updated_at"))
        fields = tuple(DetailField(_(self._info.by_name[name].label), shown[name]) for name in told)
        sections = sections_of(self._reader, self._shown, self._noun, record)
        return Detail(
            record_id,
            title,
            str(values.get("state", "")),
            fields,
            Told(self._reader, self._workspace.registry, self._info, self._shown).entries(record_id),
            sections,
            tuple(DetailField(str(name), str(value)) for name, value in record.extra.items() if value),
        )

    def values(self, record_id: str) -> Mapping[str, str]:
        record = self._reader.get(self._info.cls, record_id)
        currency = str(getattr(record, "currency", "") or self._shown.currency)
        texts: dict[str, str] = {}
        for item in self._info.fields:
            value = getattr(record, item.name)
            if value not in (None, "", ()):
                texts[item.name] = self._typed(item, value, currency)
        return texts

    def _typed(self, item: FieldInfo, value: object, currency: str) -> str:
        """A value as somebody would type it; a moment in the office's time, as everywhere else on the screen."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if item.kind.column == "moment":
            return self._shown.moment(value, seconds=True)
        return item.kind.show(value, currency)

    def related(self, record_id: str) -> list[Related]:
        from bo.core.kernel.record import declared_records

        record = self._reader.get(self._info.cls, record_id)
        forward = [
            Related(noun, sentence(_(item.label)), f"id:{value}")
            for item in self._info.fields
            if (noun := self._shown.refers(item))
            and (value := getattr(record, item.name))
            and self._may_see(noun, item)
        ]
        back = []
        self._workspace.registry.load_all()
        for info in declared_records().values():
            for item in info.fields:
                found = f"{item.name}:{record_id}"
                if self._shown.refers(item) == self._noun and self._may_see(info.noun, item):
                    count = self._reader.count(info.noun, found)
                    back += [Related(info.noun, f"{_(info.noun.replace('_', ' ')).capitalize()} {count}", found)][
                        :count
                    ]
        return [*forward, *back]

    def _may_see(self, noun: str, item: FieldInfo) -> bool:
        actor = self._reader.actor
        return actor.may(f"{noun}.read") and not item.meta.internal and item.name not in self._hidden

    def term(self, record_id: str, column_key: str) -> str:
        record = self._reader.get(self._info.cls, record_id)
        value = getattr(record, column_key)
        if value in (None, "", ()):
            return f"{column_key}:none"
        kind = self._info.by_name[column_key].kind
        if isinstance(value, tuple):
            value = value[0]
        elif noun := self._shown.refers(self._info.by_name[column_key]):
            value = self._known_as(noun, str(value))
        elif kind.column == "moment":
            return f"{column_key}:{self._shown.moment(value)[:10]}"
        elif kind.column == "flag":
            value = "yes" if value else "no"
        else:
            value = kind.show(value, self._shown.currency)
        text = str(value).replace('"', '\\"')
        return f'{column_key}:"{text}"' if " " in text or '"' in text else f"{column_key}:{text}"

    def _known_as(self, noun: str, record_id: str) -> str:
        """A record's natural key, which people can read in a filter; the id of one that has none, or that is not to be
        read."""
        try:
            info = self._reader.info(noun)
            rows = self._reader.page(noun, f"id:{record_id}", fields=info.key, limit=1).rows if info.key else ()
        except BoError:
            return record_id
        return str(rows[0][0]) if rows and len(info.key) == 1 and rows[0][0] else record_id

    def choices(self, ref: str, text: str, limit: int) -> list[Choice]:
        """Short lists are held and narrowed here; long ones are searched by the database."""
        held = self._choices.get(ref)
        if held is None:
            held = self._choices[ref] = self._named(ref, "", CHOICES_HELD)
        wanted = text.casefold().strip()
        found = [choice for choice in held if wanted in choice.words.casefold() or wanted in choice.value]
        if len(held) == CHOICES_HELD and len(found) < limit and wanted:
            found += [choice for choice in self._named(ref, f'"{wanted}"', limit) if choice not in found]
        return found[:limit]

    def _named(self, noun: str, filter_text: str, limit: int) -> list[Choice]:
        info = self._reader.info(noun)
        names = list(dict.fromkeys((name_field(info), *info.key)))
        others = [name for name in REACHED_BY if name in info.by_name and name not in names]
        try:
            page = self._reader.page(noun, filter_text, fields=("id", *names, *others), limit=limit)
        except BadInput:
            return []
        named = len(names) + 1
        return [
            Choice(str(row[0]), " ".join(str(value) for value in row[1:named] if value) or _first_of(row[named:]))
            for row in page.rows
        ]


class OfficeDesk:
    """Writes on a connection of its own, through dispatch like everybody else."""

    def __init__(self, workspace: Workspace, office: str) -> None:
        self._workspace = workspace
        self._office = office
        workspace.database.session.keep_pages(CACHE_KIB)
        self._who = workspace.who()
        self._done: dict[str, str] = {}  # operation -> record, to say whose undo was refused
        self._elsewhere = Elsewhere(workspace)

    def places(self) -> Sequence[Place]:
        from bo.core.office import WITHOUT_RECORDS

        kept = [noun for noun in self._workspace.registry.nouns if noun not in WITHOUT_RECORDS]
        nouns = [noun for noun in kept if self._who.may(f"{noun}.read")]
        inbox = [conflicts.NOUN] if self._workspace.link is not None else []
        return [Place(noun, _(noun.replace("_", " ")).capitalize()) for noun in (*inbox, *nouns)]

    def commands(self, noun: str) -> Sequence[CommandSpec]:
        if noun == conflicts.NOUN:
            return conflicts.COMMANDS
        known = self._workspace.registry.commands_of(noun)
        zone = self._workspace.context.zone
        own = [spec(command, zone) for command in known if self._who.may(command.needs)]
        guests = [self._guest(name, about) for name, about in GUESTS.get(noun, {}).items()]
        return [*own, *(guest for guest in guests if guest is not None)]

    def _guest(self, name: str, about: str) -> CommandSpec | None:
        """A command of other records that is offered for the one under the cursor."""
        command = self._workspace.registry.command(name)
        if not self._who.may(command.needs):
            return None
        made = spec(command, self._workspace.context.zone)
        params = tuple(param for param in made.params if param.name != about)
        return structs.replace(made, params=params, about=about)

    def views(self, noun: str) -> Sequence[NamedView]:
        kept = self._workspace.ask("views.mine", None, of=noun)
        own = [
            NamedView(
                noun,
                item.name,
                item.filter,
                item.sort,
                item.slot,
                item.id,
                tuple(filter(None, item.columns.split(","))),
            )
            for item in kept
        ]
        if noun == exception_views.NOUN:
            own += exception_views.views_by_cause(self._workspace, [view.slot for view in own])
        return own

    def save_view(self, view: NamedView) -> None:
        told = {"filter": view.filter_text, "sort": view.sort, "slot": view.slot, "columns": ",".join(view.columns)}
        self._workspace.do("views.save", None, of=view.noun, name=view.title, **told)

    def remove_view(self, view: NamedView) -> None:
        self._workspace.do("views.remove", view.id)

    def check(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Mapping[str, str]:
        if command.startswith(f"{conflicts.NOUN}."):
            return conflicts.check(self._workspace, command, ids, arguments)
        wrong: dict[str, str] = {}
        found = self._workspace.registry.command(command)
        for param in found.params:
            try:
                # Amounts are in the currency of the one record; trying it out reads them.
                if arguments.get(param.name) and not (len(ids) == 1 and param.kind.name in ("amount", "rows")):
                    param.kind.decode(arguments[param.name], self._workspace.context)
            except BoError as error:
                wrong[param.name] = error_words(error)
        if not wrong and len(ids) <= 1:
            # What a rule refuses is told while the form is still open, and nothing that was typed is lost.
            (outcome,) = self._workspace.run([self._call(command, ids[0] if ids else None, arguments)], dry_run=True)
            if outcome.error is not None:
                wrong[str(outcome.error.facts.get("field", ""))] = error_words(outcome.error)
        return wrong

    def run(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> list[Outcome]:
        if command.startswith(f"{conflicts.NOUN}."):
            return conflicts.run(self._workspace, command, ids, arguments)
        subjects: Sequence[str | None] = ids or [None]
        outcomes = self._workspace.run([self._call(command, subject, arguments) for subject in subjects])
        told = []
        for subject, outcome in zip(subjects, outcomes, strict=True):
            record = subject or outcome.returned or outcome.subject or ""
            if outcome.operation:
                self._done[outcome.operation] = record
            message = error_words(outcome.error) if outcome.error is not None else ""
            changed = outcome.operation if outcome.status == "applied" and not self._is_final(outcome) else ""
            told.append(Outcome(record, outcome.ok, message, changed, 1 if subject else _made(command, outcome)))
        return told

    def foresee(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Foresight:
        if command.startswith(f"{conflicts.NOUN}."):
            return Foresight()
        from bo.tui.foresee import foresee

        return foresee(self._workspace, command, ids, arguments)

    def reveal(self, noun: str, record_id: str) -> list[DetailField]:
        from bo.core.access.revealing import reveal

        info = self._workspace.reader().info(noun)
        found = reveal(self._workspace, noun, record_id)
        return [DetailField(_(info.by_name[name].label), value) for name, value in found.items()]

    def undo(self, operations: Sequence[str]) -> list[Outcome]:
        from bo.core.kernel.dispatch import Call

        newest_first = list(reversed(operations))
        outcomes = self._workspace.run([Call("op.undo", None, {"operation": operation}) for operation in newest_first])
        return [
            Outcome(
                self._done.get(operation, ""),
                outcome.ok,
                error_words(outcome.error) if outcome.error else "",
                operation,
            )
            for operation, outcome in zip(newest_first, outcomes, strict=True)
        ]

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        return work(self._workspace)

    def _is_final(self, outcome: Done) -> bool:
        """Whether no undo takes it back, as of what the ledger has posted: something else answers it."""
        from bo.core.kernel.record import info_of

        registry = self._workspace.registry
        return any(info_of(registry.record(noun)).append_only for noun in {change.noun for change in outcome.changes})

    def _call(self, command: str, subject: str | None, arguments: Mapping[str, str]) -> Call:
        from bo.core.kernel.dispatch import Call

        return Call(command, subject, dict(arguments))

    def elsewhere(self, noun: str, view: int) -> int:
        return self._elsewhere.count(noun, view)

    def standing(self) -> Standing:
        """On a device: whether it was in touch lately, and what waits or was refused."""
        if self._workspace.link is None:
            return Standing(self._office, self._who.name)
        from bo.sync.device import standing

        found = standing(self._workspace)
        lately = self._workspace.clock() - found.contact_at < IN_TOUCH
        return Standing(self._office, self._who.name, lately, found.waiting, found.refused + found.given)

    def close(self) -> None:
        self._workspace.close()


def _first_of(values: Sequence[object]) -> str:
    return next((str(value) for value in values if value), "")


def _made(command: str, outcome: Done) -> int:
    """How many records a command has made, where it says so."""
    if command not in MAKE_MANY:
        return 1
    noun = command.partition(".")[0]
    return sum(1 for change in outcome.changes if change.noun == noun and change.was is None)


@contextmanager
def _meant() -> Iterator[None]:
    """An interrupted statement is no failure but a wish."""
    try:
        yield
    except Exception as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == SQLITE_INTERRUPT or str(error) == "interrupted":
            raise Interrupted from error
        raise
