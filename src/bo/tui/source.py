"""What the screen needs from the office, as protocols and plain frozen values.

A `Source` reads and a `Desk` writes. Each is opened, used and closed inside one thread of its own (`lane.py`), so each
may hold one connection that belongs to that thread. Texts arrive as they are stored; the screen makes them harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeVar, runtime_checkable

from msgspec import Struct

from bo.tui.looks import Tone

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.leads import Comparison, StoreOffer

Answer = TypeVar("Answer")
PAGE_ROWS = 128
Align = Literal["left", "right"]
ParamKind = Literal["text", "choice", "amount", "day", "moment", "flag", "phone", "ref", "number", "rows", "pieces"]


class Interrupted(Exception):
    """A read was stopped by `interrupt()`: its answer is no longer wanted."""


class Column(Struct, frozen=True):
    """One column of the table. `width` is in cells; a column that grows shares the room that is left."""

    key: str
    title: str
    width: int
    align: Align = "left"
    sortable: bool = True
    grow: bool = False


class RowView(Struct, frozen=True):
    """One record as one line: cells in the order of the columns, the state's name, and a short note. `tones` are of
    cells whose words stand out, by their place."""

    id: str
    cells: tuple[str, ...]
    state: str = ""
    note: str = ""
    tones: Mapping[int, Tone] = {}


class DetailField(Struct, frozen=True):
    title: str
    value: str


class HistoryEntry(Struct, frozen=True):
    """One operation on the record, newest first in a `Detail`."""

    when: str
    who: str
    what: str


class Section(Struct, frozen=True):
    """Rows under a title in a detail, such as the lines of an order. The columns at `right` end at the right edge of
    theirs; the one at `grow` gets the room that is left."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    grow: int = 0
    tone: Tone = "text"


class Detail(Struct, frozen=True):
    """One record. `kept` is what came with it in columns that no field was found for."""

    id: str
    title: str
    state: str
    fields: tuple[DetailField, ...]
    history: tuple[HistoryEntry, ...]
    sections: tuple[Section, ...] = ()
    kept: tuple[DetailField, ...] = ()


class Related(Struct, frozen=True):
    """Records that belong to one: which they are, in words, and the filter that finds them."""

    noun: str
    title: str
    filter_text: str


class Choice(Struct, frozen=True):
    """One value that a parameter may take: what is sent, and what is shown."""

    value: str
    label: str = ""

    @property
    def words(self) -> str:
        return self.label or self.value


class RowColumn(Struct, frozen=True):
    """One value of each row of a parameter that is rows. `fixed` is shown and not changed."""

    name: str
    title: str
    width: int
    kind: ParamKind = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    fixed: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in ("number", "amount")


class StartRow(Struct, frozen=True):
    """A row that a form begins with. `key` is what pieces are sent under; of those no more than `most` are left."""

    key: str
    cells: Mapping[str, str]
    most: int = 0


class ParamSpec(Struct, frozen=True):
    """One parameter of a command; a form field is derived from it. `ref` names the noun that a `ref` points at.
    `ahead` is set for a time to come that is worth a key press, such as the next contact: the office's time zone.
    `columns` are of one that is rows, or pieces of an order's lines."""

    name: str
    title: str
    kind: ParamKind = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    default: str = ""
    help: str = ""
    ref: str = ""
    ahead: str = ""
    columns: tuple[RowColumn, ...] = ()


class CommandSpec(Struct, frozen=True):
    """One command of the registry as the screen sees it.

    `allowed_states` empty means any state. `done` is the past tense for messages ("accepted"). `subject` is false for a
    command that makes a new record and so acts on no row. `edits` is true for the one that changes fields: its form
    starts from what the record has, and only what was changed is sent. `about` names the parameter that is the record
    under the cursor, where a command of other records is offered for it: a return is requested of an order.
    """

    name: str
    verb: str
    title: str
    params: tuple[ParamSpec, ...] = ()
    key: str = ""
    confirm: bool = False
    allowed_states: frozenset[str] = frozenset()
    done: str = ""
    subject: bool = True
    summary: str = ""
    edits: bool = False
    about: str = ""

    @property
    def noun(self) -> str:
        return self.name.partition(".")[0]


class Outcome(Struct, frozen=True):
    """What became of one call on one record. `operation` names what an undo would take back, if one can. `count` is
    how many records a call without one has made."""

    record_id: str
    ok: bool
    message: str = ""
    operation: str = ""
    count: int = 1


class Foresight(Struct, frozen=True):
    """What a command would do, in words; `refused` says how many records it would not be done to, by the error's
    code."""

    lines: tuple[str, ...] = ()
    refused: Mapping[str, int] = {}


class Place(Struct, frozen=True):
    """Where one can go: the records of a noun. `title` is in the user's language."""

    noun: str
    title: str


class NamedView(Struct, frozen=True):
    """A filter, an order of rows and columns (none: the usual ones) under a name; `slot` is the digit that opens it, 0
    for none. Shipped views have no id."""

    noun: str
    title: str
    filter_text: str
    sort: str = ""
    slot: int = 0
    id: str = ""
    columns: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """What the head line always shows. `online` and `pending` are None where there is no central to be in step with."""

    workspace: str
    who: str
    online: bool | None = None
    pending: int | None = None
    conflicts: int = 0
    jobs: int = 0


class ScreenOptions(Struct, frozen=True):
    """How the screen looks. `keys_file` is a TOML file that remaps keys; a file that is not there changes nothing.
    `screen_file` is where it remembers what its user chose; empty: nowhere.
    `environment` says which office jobs work on, in the words of the command line."""

    theme: str = ""
    ascii: bool = False
    keys_file: str = ""
    screen_file: str = ""
    filter_text: str = ""
    sort: str = ""
    noun: str = "leads"
    environment: Mapping[str, str] = {}


class Snapshot(Protocol):
    """A frozen view, position -> id. Records may change under it; positions do not. It may begin with its first
    `PAGE_ROWS`: then nothing else is read until it is completed or stopped."""

    @property
    def count(self) -> int:
        """How many rows, as far as they are known."""

    @property
    def whole(self) -> bool:
        """Whether all rows are known."""

    def complete(self) -> None:
        """Come to know the rest, as of the moment of the first rows.

        Raises:
            Interrupted: `interrupt()` was called meanwhile; the first rows stay.
        """

    def stop(self) -> None:
        """Be content with the rows that are known."""

    def window(self, start: int, stop: int) -> list[RowView]:
        """The rows as they are now, at frozen positions; at most 1 ms for 128 rows."""

    def ids(self, start: int, stop: int) -> list[str]:
        """Ids alone, for marks over long stretches."""

    def position(self, record_id: str) -> int | None:
        """Where the record stands in this view, or None. Completes it where it must."""

    def close(self) -> None:
        """Give back what the view holds."""


class Figure(Struct, frozen=True):
    """One number under a name; `before` is of the time before, empty where there is none."""

    title: str
    value: str
    before: str = ""


class Waiting(Struct, frozen=True):
    """How many records wait for something, and the filter that lists them."""

    noun: str
    title: str
    count: int
    filter_text: str
    sort: str


class Trend(Struct, frozen=True):
    """A value by period, and what it was in the equally long time before."""

    title: str
    labels: tuple[str, ...] = ()
    now: tuple[float, ...] = ()
    before: tuple[float, ...] = ()


class Bars(Struct, frozen=True):
    """Counts by name, in the order in which they are shown."""

    title: str
    rows: tuple[tuple[str, int], ...]


class Board(Struct, frozen=True):
    """What the dashboard shows, as of one moment."""

    as_of: str
    figures: tuple[Figure, ...]
    trend: Trend
    waiting: tuple[Waiting, ...]
    bars: tuple[Bars, ...]


class Library(Protocol):
    """All there is to read. Every method but `interrupt` is called in the reading thread only."""

    def of(self, noun: str) -> Source:
        """The records of a noun. Raises NotAllowed."""

    def board(self, unit: str) -> Board:
        """The dashboard, with its trend by day, week or month."""

    def comparison(self, record_id: str) -> Comparison:
        """A lead beside those that it may be a later report of."""

    def offers(self, record_id: str) -> list[StoreOffer]:
        """The stores that a lead could go to."""

    def start_rows(self, command: str, record_id: str) -> Mapping[str, Sequence[StartRow]]:
        """The rows that the form of a command begins with, by parameter."""

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        """The workspace for one read of a screen of its own. Raises what the work raises."""

    def interrupt(self) -> None:
        """Stop the read that is under way. May be called from any thread."""

    def close(self) -> None: ...


class Source(Protocol):
    """Reads of one noun."""

    def columns(self) -> Sequence[Column]:
        """The columns in their order; asked once, before the first view."""

    def snapshot(self, filter_text: str, sort: str) -> Snapshot:
        """Begin a view. `sort` is a field key, with `-` before it for descending, or empty.

        Raises:
            BadInput: the filter cannot be understood.
            Interrupted: `interrupt()` was called meanwhile.
        """

    def detail(self, record_id: str) -> Detail:
        """Fields and history of one record.

        Raises:
            NotFound: it is not there any more.
        """

    def values(self, record_id: str) -> Mapping[str, str]:
        """What the record has, as it could be typed; an editing form starts from it."""

    def related(self, record_id: str) -> list[Related]:
        """What the record refers to, and what refers to it and is there."""

    def term(self, record_id: str, column_key: str) -> str:
        """The filter term that keeps records alike in this column, or nothing where there is none."""

    def choices(self, ref: str, text: str, limit: int) -> list[Choice]:
        """Records of a noun whose name or id matches what was typed so far."""


@runtime_checkable
class Tailored(Protocol):
    """A source whose columns can be chosen."""

    def every_column(self) -> Sequence[Column]:
        """All that there are, the usual ones first. What each row needs, such as its state, is not among them."""

    def with_columns(self, names: Sequence[str]) -> Self:
        """The same records with these columns; names that are not there are passed over."""


class Desk(Protocol):
    """Writes, all through the registry of commands. Called in the writing thread only."""

    def places(self) -> Sequence[Place]:
        """Where the user may go."""

    def commands(self, noun: str) -> Sequence[CommandSpec]: ...

    def views(self, noun: str) -> Sequence[NamedView]:
        """The user's own views of a noun."""

    def save_view(self, view: NamedView) -> None:
        """Keep a view under its name; one of the same name is replaced."""

    def remove_view(self, view: NamedView) -> None: ...

    def check(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Mapping[str, str]:
        """What is wrong, by field, without doing anything; under an empty name what a rule says of a single record."""

    def run(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> list[Outcome]:
        """One call for each record, each with its own outcome. Without ids, one call that makes a record."""

    def foresee(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Foresight:
        """What it would do, without doing it: changes in words for one record, the sum of amounts for several."""

    def reveal(self, noun: str, record_id: str) -> Sequence[DetailField]:
        """What is behind the masks of a record, once it is in the journal that it was looked at."""

    def undo(self, operations: Sequence[str]) -> list[Outcome]:
        """Take operations back, the newest first."""

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        """The workspace for one step of a screen of its own, such as a dry run. Raises what the work raises."""

    def standing(self) -> Standing: ...

    def elsewhere(self, noun: str, view: int) -> int:
        """How many records of that sort others have changed since this was first asked of the view."""
        ...

    def close(self) -> None: ...
