"""Which view the table shows: filter, sort, live typing, pages, and staying on the record across views.

It reads through the reading lane alone. It refuses to move a record under the cursor by itself: a new view is built
only when the user asks for one by filter, sort or refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bo.tui.lane import LATER, NOW, Lane
from bo.tui.source import (
    Answer,
    Board,
    Choice,
    Column,
    Detail,
    Library,
    Related,
    RowView,
    Snapshot,
    Source,
    StartRow,
    Tailored,
)

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.leads import Comparison, StoreOffer
    from bo.tui.table import VirtualTable

PAGE_ROWS = 128
STANDS_KEPT = 8
ROWS_AROUND = 64


class View(Struct, frozen=True):
    """A snapshot with what it was asked for by."""

    number: int
    noun: str
    snapshot: Snapshot
    filter_text: str
    sort: str
    count: int
    columns: Sequence[Column]
    chosen: tuple[str, ...] = ()


class _Opening(Struct, frozen=True):
    view: View
    cursor: int
    pages: Mapping[int, list[RowView]]


class Stand(Struct, frozen=True):
    """A view with where the user stood in it, so that Esc or `q` brings exactly that back."""

    view: View
    cursor: int
    top: int
    pages: Mapping[int, list[RowView]]


class Stage(Protocol):
    """The screen, as far as browsing needs it."""

    def view_changed(self) -> None: ...

    def detail_arrived(self, detail: Detail) -> None: ...

    def trouble(self, error: Exception) -> None: ...


class Browser:
    """Keeps one view current, and during live typing the one to go back to."""

    def __init__(self, lane: Lane[Library], noun: str) -> None:
        self._lane = lane
        self._wanted_noun = noun
        self._number = 0
        # Numbers of the views whose snapshots must live. The screen replaces the set as a whole, the reading thread
        # only looks at it.
        self._kept: frozenset[int] = frozenset()
        self._living: list[View] = []
        self._chosen: dict[str, tuple[str, ...]] = {}
        self._sources: dict[tuple[str, tuple[str, ...]], tuple[Source, Sequence[Column]]] = {}
        self._base: Stand | None = None
        self._behind: list[Stand] = []
        self.view: View | None = None
        self.wanted_filter = ""
        self.table: VirtualTable | None = None
        self.stage: Stage | None = None

    @property
    def noun(self) -> str:
        """What the rows are."""
        return self.view.noun if self.view else self._wanted_noun

    @property
    def filter_text(self) -> str:
        return self.view.filter_text if self.view else self.wanted_filter

    @property
    def sort(self) -> str:
        return self.view.sort if self.view else ""

    @property
    def opening(self) -> bool:
        """Whether a first view has been asked for."""
        return self._number > 0

    @property
    def typing(self) -> bool:
        return self._base is not None

    # Views

    def open(
        self, filter_text: str, sort: str, *, keep: str = "", cursor: int = 0, noun: str = "",
        columns: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        """Build a view; its rows replace the old ones when they are here. Stays on the record `keep` if it is in it.
        Without `columns` those that are shown, or that were chosen for these records before.
        """
        self._number += 1
        number, noun = self._number, noun or self.noun
        chosen = columns if columns is not None else self.chosen if noun == self.noun else self._chosen.get(noun, ())
        self.wanted_filter = filter_text

        def work(library: Library) -> _Opening:
            self._sweep()
            source, shown = self._source(library, noun, chosen)
            snapshot = source.snapshot(filter_text, sort)
            view = View(number, noun, snapshot, filter_text, sort, snapshot.count, shown, chosen)
            self._living.append(view)
            at = snapshot.position(keep) if keep else None
            at = min(cursor, max(0, view.count - 1)) if at is None else at
            first, last = max(0, at - ROWS_AROUND) // PAGE_ROWS, min(view.count - 1, at + ROWS_AROUND) // PAGE_ROWS
            return _Opening(view, at, {page: _window(view, page) for page in range(first, last + 1)})

        self._lane.ask(work, self._opened, self._trouble, topic="view", urgency=NOW)

    def _source(self, library: Library, noun: str, chosen: tuple[str, ...]) -> tuple[Source, Sequence[Column]]:
        """In the reading thread: the records with these columns; a source is made once for each choice."""
        found = self._sources.get((noun, chosen))
        if found is None:
            source = library.of(noun)
            if chosen and isinstance(source, Tailored):
                source = source.with_columns(chosen)
            found = self._sources[noun, chosen] = source, tuple(source.columns())
        return found

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns that were chosen for what is shown; none where they are the usual ones."""
        return self.view.chosen if self.view else ()

    def chosen_for(self, noun: str) -> tuple[str, ...]:
        """The columns that were chosen for records, whatever a saved view of them shows."""
        return self._chosen.get(noun, ())

    def choose_columns(self, names: tuple[str, ...]) -> None:
        """Show these columns of the records from now on; none for the usual ones."""
        self._chosen[self.noun] = names
        self.open(self.filter_text, self.sort, keep=self._current_id(), cursor=self._cursor(), columns=names)

    def every_column(self, done: Callable[[Sequence[Column]], None]) -> None:
        """Tells all columns that the records have, none where they cannot be chosen."""
        noun = self.noun

        def work(library: Library) -> Sequence[Column]:
            source = library.of(noun)
            return source.every_column() if isinstance(source, Tailored) else ()

        self._lane.ask(work, done, self._trouble, urgency=NOW)

    def refresh(self) -> None:
        """The same filter and sort on the records as they are now."""
        self.open(self.filter_text, self.sort, keep=self._current_id(), cursor=self._cursor())

    def refresh_at(self, record_id: str) -> None:
        """A new view with the cursor on this record, where the filter lets it through."""
        self.open(self.filter_text, self.sort, keep=record_id, cursor=self._cursor())

    def sort_by(self, sort: str) -> None:
        self.open(self.filter_text, sort, keep=self._current_id())

    def filter_by(self, filter_text: str) -> None:
        self.open(filter_text, self.sort, keep=self._current_id())

    # Going elsewhere and back

    def go(self, noun: str, filter_text: str, sort: str, keep: str = "") -> None:
        """Show other records; what is shown now stays as it is, to come back to."""
        stand = self._stand()
        if stand is not None:
            self._behind = [*self._behind[-STANDS_KEPT + 1 :], stand]
            self._keep()
        self.open(filter_text, sort, noun=noun, keep=keep)

    def come_back(self) -> bool:
        """Back to where the user was before; returns whether there was such a place."""
        if not self._behind:
            return False
        self._show(self._behind.pop())
        return True

    def _stand(self) -> Stand | None:
        table, view = self.table, self.view
        if table is None or view is None:
            return None
        pages = {page: rows for page in table.visible_pages() if (rows := table.page_rows(page)) is not None}
        return Stand(view, table.cursor, table.top, pages)

    def _show(self, stand: Stand) -> None:
        """The rows, the cursor and the offset from before."""
        self._lane.forget("view")
        self.wanted_filter = stand.view.filter_text
        changed = self.view is not stand.view
        self.view = stand.view
        self._keep()
        if changed and self.table is not None:
            self.table.columns, self.table.sort = stand.view.columns, stand.view.sort
            self.table.show(stand.view.count, stand.pages, cursor=stand.cursor, top=stand.top)
            if self.stage is not None:
                self.stage.view_changed()

    # Live typing

    def begin_typing(self) -> None:
        """Remember where the user stands."""
        if self._base is None:
            self._base = self._stand()

    def typed(self, filter_text: str) -> None:
        """The filter as typed so far; rows of the last one that was understood stay until its own arrive."""
        if filter_text != self.wanted_filter and self._base is not None:
            row = self._base.pages.get(self._base.cursor // PAGE_ROWS, [])[self._base.cursor % PAGE_ROWS :][:1]
            self.open(filter_text, self.sort, keep=row[0].id if row else "")

    def accept_typing(self, filter_text: str) -> None:
        self.typed(filter_text)
        self._base = None
        self._keep()

    def give_up_typing(self) -> None:
        """Back to where the user stood when the typing began."""
        base, self._base = self._base, None
        if base is not None:
            self._show(base)

    # Rows and records

    def want(self, page: int, *, urgent: bool) -> None:
        """Fetch a page for the table; the answer counts only while its view is the current one."""
        view = self.view
        if view is None:
            return

        def arrived(rows: list[RowView]) -> None:
            if self.view is view and self.table is not None:
                self.table.supply(page, rows)

        def failed(error: Exception) -> None:
            if self.view is view and self.table is not None:
                self.table.not_coming(page)
            self._trouble(error)

        self._lane.ask(lambda _library: _window(view, page), arrived, failed, urgency=NOW if urgent else LATER)

    def reload(self, record_ids: set[str]) -> None:
        """Read again the pages which hold these records: they have changed."""
        if self.table is not None:
            for page in {position // PAGE_ROWS for position in self.table.loaded(record_ids).values()}:
                self.want(page, urgent=True)

    def read_detail(self, record_id: str) -> None:
        noun = self.noun
        self._lane.ask(
            lambda library: library.of(noun).detail(record_id), self._detail_arrived, self._trouble, topic="detail"
        )

    def ids(self, start: int, stop: int, done: Callable[[list[str]], None]) -> None:
        view = self.view
        if view is not None:
            self._lane.ask(lambda _library: view.snapshot.ids(start, stop), done, self._trouble)

    def position(self, record_id: str, done: Callable[[int | None], None]) -> None:
        view = self.view
        if view is not None:
            self._lane.ask(lambda _library: view.snapshot.position(record_id), done, self._trouble)

    def values(self, record_id: str, done: Callable[[Mapping[str, str]], None]) -> None:
        noun = self.noun
        self._lane.ask(lambda library: library.of(noun).values(record_id), done, self._trouble, urgency=NOW)

    def board(self, unit: str, done: Callable[[Board], None]) -> None:
        self._lane.ask(lambda library: library.board(unit), done, self._trouble, topic="board", urgency=NOW)

    def compare(self, record_id: str, done: Callable[[Comparison], None], failed: Callable[[Exception], None]) -> None:
        self._lane.ask(lambda library: library.comparison(record_id), done, failed, urgency=NOW)

    def offers(
        self, record_id: str, done: Callable[[list[StoreOffer]], None], failed: Callable[[Exception], None]
    ) -> None:
        self._lane.ask(lambda library: library.offers(record_id), done, failed, urgency=NOW)

    def read(
        self, work: Callable[[Workspace], Answer], done: Callable[[Answer], None], failed: Callable[[Exception], None],
        *, topic: str = "",
    ) -> None:  # fmt: skip
        """A read of a screen of its own."""
        self._lane.ask(lambda library: library.lend(work), done, failed, topic=topic, urgency=NOW)

    def find_row(self, start: int, step: int, wanted: Callable[[RowView], bool], done: Callable[[int], None]) -> None:
        """The place of the next row that way that is wanted, or -1. Goes through the view page by page."""
        view = self.view
        if view is not None:
            self._lane.ask(lambda _library: _found(view, start, step, wanted), done, self._trouble, topic="find")

    def start_rows(
        self, command: str, record_id: str, done: Callable[[Mapping[str, Sequence[StartRow]]], None]
    ) -> None:
        """The rows that a form begins with; without them where they cannot be read."""
        self._lane.ask(
            lambda library: library.start_rows(command, record_id), done, lambda _error: done({}), urgency=NOW
        )

    def related(self, record_id: str, done: Callable[[list[Related]], None]) -> None:
        noun = self.noun
        self._lane.ask(lambda library: library.of(noun).related(record_id), done, self._trouble, urgency=NOW)

    def term(self, record_id: str, column_key: str, done: Callable[[str], None]) -> None:
        noun = self.noun
        self._lane.ask(lambda library: library.of(noun).term(record_id, column_key), done, self._trouble)

    def choices(self, ref: str, text: str, done: Callable[[list[Choice]], None]) -> None:
        noun = self.noun
        self._lane.ask(lambda library: library.of(noun).choices(ref, text, 20), done, self._trouble, urgency=NOW)

    # Inside

    def _opened(self, opening: _Opening) -> None:
        self.view = opening.view
        self._keep()
        if self.table is not None:
            self.table.columns = opening.view.columns
            self.table.sort = opening.view.sort
            self.table.show(opening.view.count, opening.pages, cursor=opening.cursor)
        if self.stage is not None:
            self.stage.view_changed()

    def _keep(self) -> None:
        stands = [*self._behind, *([self._base] if self._base else [])]
        self._kept = frozenset({stand.view.number for stand in stands} | ({self.view.number} if self.view else set()))

    def _sweep(self) -> None:
        """In the reading thread: close snapshots that nobody can come back to, such as answers that were stale."""
        kept = self._kept
        for view in [view for view in self._living if view.number not in kept]:
            view.snapshot.close()
            self._living.remove(view)

    def _detail_arrived(self, detail: Detail) -> None:
        if self.stage is not None:
            self.stage.detail_arrived(detail)

    def _trouble(self, error: Exception) -> None:
        if self.stage is not None:
            self.stage.trouble(error)

    def _current_id(self) -> str:
        row = self.table.current() if self.table is not None else None
        return row.id if row is not None else ""

    def _cursor(self) -> int:
        return self.table.cursor if self.table is not None else 0


def _found(view: View, start: int, step: int, wanted: Callable[[RowView], bool]) -> int:
    at = start
    while 0 <= at < view.count:
        page = at // PAGE_ROWS
        rows = _window(view, page)
        while 0 <= at < view.count and at // PAGE_ROWS == page:
            if wanted(rows[at % PAGE_ROWS]):
                return at
            at += step
    return -1


def _window(view: View, page: int) -> list[RowView]:
    return view.snapshot.window(page * PAGE_ROWS, min(view.count, (page + 1) * PAGE_ROWS))
