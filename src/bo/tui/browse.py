"""Which view the table shows: filter, sort, live typing, pages, and staying on the record across views.

It reads through the reading lane alone. A view's first rows are shown before all of its rows are known; what needs all
of them, such as the last row or marking everything, waits for them. It refuses to move a record under the cursor by
itself: a new view is built only when the user asks for one by filter, sort or refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from bo.tui.lane import LATER, NOW, Lane, Parts
from bo.tui.source import (
    PAGE_ROWS,
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

STANDS_KEPT = 8
ROWS_AROUND = 64


class View(Struct, eq=False):
    """A snapshot with what it was asked for by. `count` is of the rows that are known; `whole` says that all are."""

    number: int
    noun: str
    snapshot: Snapshot
    filter_text: str
    sort: str
    count: int
    columns: Sequence[Column]
    chosen: tuple[str, ...] = ()
    whole: bool = True
    by: str = ""  # the title of what the rows are sorted by


class _Opening(Struct, frozen=True):
    view: View
    cursor: int
    top: int | None
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

    def view_grown(self) -> None:
        """All rows of the view are known now."""

    def hold_keys(self) -> None: ...

    def release_keys(self, *, drop: bool = False) -> None: ...

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
        self._under_way = False  # whether a view is being built, or the rest of one
        self._waiting: list[Callable[[], None]] = []
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
        noun = noun or self.noun
        chosen = columns if columns is not None else self.chosen if noun == self.noun else self._chosen.get(noun, ())
        self.wanted_filter = filter_text
        self._build(filter_text, sort, noun, chosen, keep=keep, cursor=cursor,
                    failed=lambda error: self._not_opened(error, filter_text))  # fmt: skip

    def _build(
        self, filter_text: str, sort: str, noun: str, chosen: tuple[str, ...], *, keep: str, cursor: int,
        failed: Callable[[Exception], None], top: int | None = None,
    ) -> None:  # fmt: skip
        self._number += 1
        number, stood = self._number, self._current_id()

        def work(library: Library) -> Parts:
            self._sweep()
            source, shown = self._source(library, noun, chosen)
            snapshot = source.snapshot(filter_text, sort)
            by = _title(source, shown, sort)
            view = View(number, noun, snapshot, filter_text, sort, snapshot.count, shown, chosen, by=by)
            self._living.append(view)
            try:
                at = snapshot.position(keep) if keep else None
                at = cursor if at is None else at
                if at + ROWS_AROUND >= snapshot.count:
                    # What is to be around the cursor is not among the first rows.
                    snapshot.complete()
                opening = _opening(view, at, top)
                yield lambda: self._opened(opening, stood)
                if not view.whole:
                    snapshot.complete()
                    yield lambda: self._grown(view)
            finally:
                snapshot.stop()

        self._under_way = True
        self._lane.ask_in_parts(work, failed, topic="view", urgency=NOW)

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

    def retitle(self) -> None:
        """The same view in another language: the heads of columns are words too."""
        self._sources.clear()
        self.refresh()

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
        view = stand.view
        self.wanted_filter = view.filter_text
        if view is self.view and self._number == view.number:
            return
        self._lane.forget("view")
        self._give_up()
        changed = self.view is not view
        self.view = view
        self._keep()
        if changed and self.table is not None:
            self._put(_Opening(view, stand.cursor, stand.top, stand.pages))
        self._make_whole()

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

    def every_id(self, done: Callable[[list[str]], None]) -> None:
        """The ids of all that the filter lets through; keys wait for them, as they may be meant for these records."""
        self.when_whole(lambda: self._every_id(done))

    def _every_id(self, done: Callable[[list[str]], None]) -> None:
        view, stage = self.view, self.stage
        if view is None or stage is None:
            return

        def arrived(ids: list[str]) -> None:
            done(ids)
            stage.release_keys()

        def failed(error: Exception) -> None:
            stage.release_keys(drop=True)
            self._trouble(error)

        stage.hold_keys()
        self._lane.ask(lambda _library: view.snapshot.ids(0, view.count), arrived, failed, urgency=NOW)

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

    def _opened(self, opening: _Opening, stood: str) -> None:
        """The first rows are here. Who has moved on from where they stood when they asked stays there."""
        here = self._current_id()
        self.view = opening.view
        self._keep()
        self._put(opening)
        if here != stood and self.table is not None:
            for position in self.table.loaded([here]).values():
                self.table.move_to(position)
        if opening.view.whole:
            self._settled()

    def _put(self, opening: _Opening) -> None:
        if self.table is not None:
            view = opening.view
            self.table.columns = view.columns
            self.table.sort = view.sort
            self.table.show(view.count, opening.pages, cursor=opening.cursor, top=opening.top, whole=view.whole)
        if self.stage is not None:
            self.stage.view_changed()

    def _grown(self, view: View) -> None:
        """The rest of a view is there: what is shown stays as it is."""
        view.count, view.whole = view.snapshot.count, True
        if self.table is not None:
            self.table.grow(view.count)
        if self.stage is not None:
            self.stage.view_grown()
        self._settled()

    # What needs all rows

    def when_whole(self, then: Callable[[], None]) -> None:
        """Do it once all rows of the view that was asked for last are known; keys wait until then."""
        if not self._under_way and (self.view is None or self.view.whole):
            then()
            return
        self._waiting.append(then)
        if self.stage is not None:
            self.stage.hold_keys()
        self._make_whole()

    def _make_whole(self) -> None:
        """The rest of a view was given up for another that did not come to be, or for what was shown for a while: it is
        built again."""
        view = self.view
        if view is not None and not view.whole and not self._under_way:
            top = self.table.top if self.table is not None else None
            self._build(
                view.filter_text, view.sort, view.noun, view.chosen, keep=self._current_id(), cursor=self._cursor(),
                failed=self._failed, top=top,
            )  # fmt: skip

    def _settled(self) -> None:
        """The view that was asked for is here as a whole."""
        self._under_way = False
        waiting, self._waiting = self._waiting, []
        if waiting and self.stage is not None:
            self.stage.release_keys()
        for then in waiting:
            then()

    def _not_opened(self, error: Exception, filter_text: str) -> None:
        if self.view is not None and self.wanted_filter == filter_text:
            self.wanted_filter = self.view.filter_text  # the rows that are shown are still those
        self._failed(error)
        self._make_whole()

    def _failed(self, error: Exception) -> None:
        self._give_up()
        self._trouble(error)

    def _give_up(self) -> None:
        """The view that was asked for is not coming; what waits for it, and the keys behind, were meant for it."""
        self._under_way = False
        waiting, self._waiting = self._waiting, []
        if waiting and self.stage is not None:
            self.stage.release_keys(drop=True)

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


def _opening(view: View, at: int, top: int | None) -> _Opening:
    """In the reading thread: the view as far as it is known, and the rows around the cursor."""
    view.count, view.whole = view.snapshot.count, view.snapshot.whole
    at = max(0, min(at, view.count - 1))
    first, last = max(0, at - ROWS_AROUND) // PAGE_ROWS, min(view.count - 1, at + ROWS_AROUND) // PAGE_ROWS
    return _Opening(view, at, top, {page: _window(view, page) for page in range(first, last + 1)})


def _title(source: Source, shown: Sequence[Column], sort: str) -> str:
    """What a field to sort by is called, also where it is no column here."""
    key = sort.lstrip("-")
    titles = {column.key: column.title for column in shown}
    if key and key not in titles and isinstance(source, Tailored):
        titles = {column.key: column.title for column in source.every_column()}
    return titles.get(key, key)


def _found(view: View, start: int, step: int, wanted: Callable[[RowView], bool]) -> int:
    at, count = start, view.snapshot.count
    while 0 <= at < count:
        page = at // PAGE_ROWS
        rows = _window(view, page)
        while 0 <= at < count and at // PAGE_ROWS == page:
            if wanted(rows[at % PAGE_ROWS]):
                return at
            at += step
    return -1


def _window(view: View, page: int) -> list[RowView]:
    return view.snapshot.window(page * PAGE_ROWS, min(view.snapshot.count, (page + 1) * PAGE_ROWS))
