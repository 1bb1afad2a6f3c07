"""Importing: rows of a file become calls of commands, all of them or none, or the good ones with a file of the others.

    open the file, bind its columns -> plan rows in batches, outside the write lock -> write
    without a reject file   everything is planned and put by first, then written in one transaction; one bad row, and
                            nothing is kept (the rest is tried all the same, so that all reasons are told at once)
    with a reject file      each batch is planned and written in a transaction of its own, so that a long import can be
                            cut off and run again: what is there already is unchanged then

Every row is counted once. Memory is that of one batch, however long the file is.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from bo.core.exchange.gathering import GatheredRow, gathered
from bo.core.exchange.mapping import (
    FACTS,
    Binding,
    SavedMapping,
    bind,
    find_mapping,
    find_preset,
    read_mapping,
    tables_for,
)
from bo.core.exchange.planning import BAD, Item, Planner
from bo.core.exchange.readers import open_source
from bo.core.exchange.rejects import REJECT_COLUMNS, RejectFile, is_reject_file
from bo.core.exchange.report import (
    REJECTED,
    UNCHANGED,
    Fault,
    ImportOptions,
    ImportReport,
    Problem,
    Progress,
    RowOutcome,
)
from bo.core.exchange.source import Row, Source, shorten, without_entities, without_rows
from bo.core.exchange.spool import Spool
from bo.core.exchange.writing import Done, Writing
from bo.core.kernel.command import Command
from bo.core.kernel.database import CACHE_KIB as USUAL_CACHE_KIB
from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.errors import BadFile, BadValue, UsageError
from bo.core.kernel.record import RecordInfo, info_of
from bo.core.kernel.text import _
from bo.core.kernel.workspace import Transaction, Workspace, collector_resting

BATCH_ROWS: Final = 1000
PLANNING_SHARE: Final = 0.3
MEASURED_ROWS: Final = 20
CACHE_KIB: Final = 48 * 1024  # with the database's own 64 MiB, batches and SQLAlchemy would go beyond 128 MB
MAPPINGS: Final = "mappings"
STANDARD_OPTIONS: Final = ImportOptions()


class _TakeBack(Exception):
    pass


def import_file(
    workspace: Workspace,
    noun: str,
    path: str | os.PathLike[str],
    options: ImportOptions = STANDARD_OPTIONS,
    *,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file, or `-` for standard input, as records of a noun.

    Rows that cannot be taken are not raised but told in the report: see `written` and `rejected` there.

    Raises:
        BadFile: the file cannot be read as a table, or a mapping as a mapping.
        UsageError: a noun that is not imported, or options that do not fit the file.
        NotAllowed: the operator may not make such records.
    """
    info, create, edit = commands_of(workspace, noun)
    with collector_resting(), _smaller_cache(workspace), open_table(path, options, noun) as table:
        source, binding = bind_columns(workspace, info, create, table, options)
        _require_key_columns(info, create, binding)
        run = _Import(workspace, info, create, edit, source, binding, options, progress, table.columns)
        return run.carry_out()


def commands_of(workspace: Workspace, noun: str) -> tuple[RecordInfo, Command, Command | None]:
    """What makes and changes records of a noun.

    Raises UsageError where imports cannot, NotAllowed where the operator may not.
    """
    info = info_of(workspace.registry.record(noun))
    if not info.create:
        raise UsageError(
            "{noun} cannot be imported: they come from what is done to other records",
            hint="They can be exported: bo {noun} export.",
            noun=noun,
        )
    create = workspace.registry.command(info.create)
    edit = workspace.registry.command(info.edit) if info.edit else None
    reader = workspace.reader()
    reader.require(f"{noun}.read")
    reader.require(create.needs)
    return info, create, edit


def bind_columns(
    workspace: Workspace, info: RecordInfo, create: Command, source: Source, options: ImportOptions
) -> tuple[Source, Binding]:
    """The records of a file, and the roles of its columns, under the mapping that was given, a saved one or a shipped
    one.

    Raises BadFile where there is no header.
    """
    saved = _mapping(workspace, info, source, options)
    if saved.refuse:
        raise BadFile(
            "{name} is known and not imported: {reason}",
            hint="A mapping of your own comes before ours: --map FILE.",
            name=source.name, reason=saved.refuse,
        )  # fmt: skip
    if saved.skip:
        source = without_rows(source, saved.skip)
    if saved.entities:
        source = without_entities(source)
    if saved.gather is not None:
        source = gathered(source, saved.gather)
    binding = bind(info, create, source.columns, saved)
    if not binding.of("field") and not binding.of("id") and not saved.columns and options.header_row is None:
        _refuse_headless(source)
    return source, binding


def _mapping(workspace: Workspace, info: RecordInfo, source: Source, options: ImportOptions) -> SavedMapping:
    if options.mapping is not None:
        return read_mapping(options.mapping)
    folder = options.mappings or _mappings_folder(workspace)
    found = find_mapping(folder, info.noun, source.columns) if folder else None
    return found or find_preset(info.noun, source.columns) or SavedMapping()


def _mappings_folder(workspace: Workspace) -> Path | None:
    database = workspace.database
    return database.path.parent / MAPPINGS if isinstance(database, SqliteDatabase) else None


def open_table(path: str | os.PathLike[str], options: ImportOptions, noun: str) -> Source:
    """The file as the options say to read it. Raises BadFile or UsageError."""
    return open_source(
        path,
        encoding=options.encoding,
        format=options.format,
        delimiter=options.delimiter,
        sheet=options.sheet,
        header_row=options.header_row,
        choose=lambda tables: tables_for(noun, tables),
    )


def _refuse_headless(source: Source) -> None:
    """A file whose first line is a row of data, by the looks of it."""
    looks = [
        name for name in source.columns if any(letter.isdigit() for letter in name) and not name.startswith("column ")
    ]
    mails = [name for name in source.columns if "@" in name]  # nobody calls a column like that
    if source.format not in ("json", "jsonl") and (mails or len(looks) * 2 >= len(source.columns)):
        raise BadFile(
            "{name} has no header: its first line looks like data ({cells})",
            hint='Say --header-row 0, and which column is what in a mapping ("column 1" = "name").',
            name=source.name,
            cells=shorten(source.columns, 3),
        )


def _require_key_columns(info: RecordInfo, create: Command, binding: Binding) -> None:
    """Refuse a file in which no row could become a record: a column that every record needs is not there."""
    given = {*binding.fields, *binding.mapping.constants}
    missing = [param.name for param in create.params if param.required and param.name not in given]
    if missing and not binding.of("id"):
        raise BadFile(
            "no column is {wanted}, which every one of the {name} needs",
            hint="Say which column it is in a mapping: --map FILE; --suggest-map writes one to begin with.",
            wanted=" / ".join(missing),
            name=info.noun.replace("_", " "),
        )


@contextmanager
def _smaller_cache(workspace: Workspace) -> Iterator[None]:
    """Keep fewer pages of an SQLite file in memory for as long as an import lasts."""
    session = workspace.database.session
    session.keep_pages(CACHE_KIB)
    try:
        yield
    finally:
        if workspace.database.is_alive(session):
            session.keep_pages(USUAL_CACHE_KIB)


class _Import:
    """One import while it runs."""

    def __init__(
        self,
        workspace: Workspace,
        info: RecordInfo,
        create: Command,
        edit: Command | None,
        source: Source,
        binding: Binding,
        options: ImportOptions,
        progress: Progress | None,
        columns: Sequence[str],
    ) -> None:
        self.workspace, self.info, self.create, self.edit = workspace, info, create, edit
        self.source, self.binding, self.options = source, binding, options
        self.progress = progress
        self.columns = columns  # as the file has them, before rows were gathered
        self.report = ImportReport(
            noun=info.noun, file=source.name, dry_run=options.dry_run, mapping=binding.mapping.name
        )
        escaped = source.format in ("csv", "tsv") and (binding.own or is_reject_file(source.columns))
        self.planner = Planner(workspace.reader(), info, create, edit, binding, escaped=escaped)
        self.writing = Writing(self.planner, create.name, edit.name if edit else "", workspace.new_id())
        self.rejects: RejectFile | None = None
        self._refused: dict[str, list[int]] = {}  # a refusal: its place among the problems, and of how many rows
        self._bytes_read, self._size = 0.0, _size_of(source)

    def carry_out(self) -> ImportReport:
        """Read, plan and write everything; the report."""
        if self.options.rejects is not None and not self.options.dry_run:
            self._in_parts(self.options.rejects)
        else:
            self._at_once()
        self._count_refusals()
        report = self.report
        if report.written and self.writing.begun:
            report.batch = self.writing.batch
        _note(report, self.source, self.binding, self.planner, keeps_extra=self.create.param(FACTS) is not None)
        return report

    def _at_once(self) -> None:
        with Spool() as spool:
            bad = 0
            for rows in self._batches():
                items = self.planner.plan(rows)
                bad += sum(item.what == BAD for item in items)
                spool.add(items)
                self._told(self.report.read, self._share_read(rows, PLANNING_SHARE))
            total, done = self.report.read, 0
            try:
                with self.workspace.transaction(dry_run=self.options.dry_run or bad > 0) as perform:
                    for items in spool:
                        self._write(items, perform)
                        done += len(items)
                        self._told(done, PLANNING_SHARE + (1 - PLANNING_SHARE) * done / total)
                    if self.report.rejected:
                        raise _TakeBack
            except _TakeBack:
                return
            self.report.written = not self.options.dry_run

    def _in_parts(self, path: str | os.PathLike[str]) -> None:
        self.rejects = RejectFile(path, self.columns, self.source.name)
        try:
            for rows in self._batches():
                items = self.planner.plan(rows)
                with self.workspace.transaction() as perform:
                    done = self._write(items, perform)
                for row, item in zip(rows, done, strict=True):
                    if item.outcome == REJECTED:
                        for part in row.parts if isinstance(row, GatheredRow) else (row,):
                            self.rejects.add(part.number, part.line, part.cells, item.faults)
                self._told(self.report.read, self._share_read(rows, 1.0))
            self.rejects.close()
        except BaseException:
            self.rejects.abandon()
            raise
        self.report.written = True
        self.report.rejects = self.rejects.path

    def _batches(self) -> Iterator[list[Row]]:
        rows = iter(self.source)
        while batch := list(islice(rows, BATCH_ROWS)):
            self.report.read += len(batch)
            yield batch

    def _write(self, items: Sequence[Item], perform: Transaction) -> list[Done]:
        done = self.writing.write(items, perform)
        report, options = self.report, self.options
        report.count(Counter(row.outcome for row in done))
        for row in done:
            if row.outcome == REJECTED or options.on_row is not None or len(report.rows) < options.rows_most:
                self._tell(row)
        gc.collect(1)  # errors and their tracebacks are cycles
        return done

    def _tell(self, row: Done) -> None:
        report, options, item = self.report, self.options, row.item
        if row.outcome == REJECTED:
            self._add_problems(item, row.faults)
        reason = "; ".join(fault.reason for fault in row.faults)
        told = RowOutcome(item.record, item.line, row.outcome, row.id, item.changes, reason)
        if row.outcome != UNCHANGED and len(report.rows) < options.rows_most:
            report.rows.append(told)
        if options.on_row is not None:
            options.on_row(told)

    def _add_problems(self, item: Item, faults: Sequence[Fault]) -> None:
        """Note why a row was refused: what cannot be read for each cell, what a command refuses once."""
        problems = self.report.problems
        for fault in faults:
            refusal = "" if fault.column or fault.code == BadValue.code else f"{fault.code} {fault.message}"
            if refusal in self._refused:
                self._refused[refusal][1] += 1
            elif len(problems) < self.options.problems_most:
                if refusal:
                    self._refused[refusal] = [len(problems), 1]
                problems.append(
                    Problem(item.record, item.line, fault.column, fault.value, fault.reason, fault.advice, fault.code)
                )

    def _count_refusals(self) -> None:
        problems = self.report.problems
        for place, rows in self._refused.values():
            if rows > 1:
                reason = _("{reason} (rows refused for this: {count})", reason=problems[place].reason, count=rows)
                problems[place] = msgspec.structs.replace(problems[place], reason=reason, rows=rows)

    # -- progress ------------------------------------------------------------------------------------------------------

    def _told(self, rows: int, share: float | None) -> None:
        if self.progress is not None:
            self.progress(rows, share)

    def _share_read(self, rows: Sequence[Row], whole: float) -> float | None:
        """How much of the file has been read, as a part of `whole`; bytes are reckoned from a few rows of a batch."""
        if self.progress is None or not self._size:
            return None
        measured = rows[:MEASURED_ROWS]
        encoding = self.source.encoding or "utf-8"
        texts = ["".join(cell or "" for cell in row.cells) for row in measured]
        size = sum(len(text.encode(encoding, "replace")) for text in texts) + len(measured) * len(self.source.columns)
        self._bytes_read += size / len(measured) * len(rows)
        return whole * min(0.99, self._bytes_read / self._size)


def _size_of(source: Source) -> int:
    """Bytes of a text file that is read as it lies there; 0 where a share of it cannot be told."""
    if source.format not in ("csv", "tsv") or not os.path.isfile(source.name):
        return 0
    return 0 if source.name.lower().endswith((".gz", ".bz2", ".zip")) else os.path.getsize(source.name)


def _note(report: ImportReport, source: Source, binding: Binding, planner: Planner, *, keeps_extra: bool) -> None:
    """What people should know about columns and cells, beside the counts."""
    notes = [*source.notes, *binding.notes]
    extra = [column.header for column in binding.of("extra")]
    if planner.kept_ids:  # ids of somebody else's are columns like any other
        extra = [column.header for column in binding.of("id")] + extra
    read_only = [column.header for column in binding.of("read_only")]
    dropped = [column.header for column in binding.of("dropped")]
    noun = report.noun
    if report.mapping:
        notes.append(_("mapping used: {name}", name=report.mapping))
    if not binding.of("field") and not binding.of("id"):
        notes.append(_("no column is called like a field of {noun}; --suggest-map helps", noun=noun))
    if extra and not keeps_extra:
        notes.append(_("{noun} keep no unknown columns, these were left out: {names}", noun=noun, names=shorten(extra)))
        dropped, extra = dropped + extra, []
    elif extra:
        notes.append(_("unknown columns are kept as they are: {names}", names=shorten(extra)))
    if read_only:
        notes.append(_("set by commands and not imported: {names}", names=shorten(read_only)))
    for field, count in planner.differing.items():
        notes.append(_("{field} differs in {count} rows, and an import does not change it", field=field, count=count))
    if planner.unknown_ids:
        notes.append(_("ids that are not known here, kept as extra: {count}", count=planner.unknown_ids))
    if tidied := planner.rows.tidied:
        names = [f"{planner.rows.header_of(name)} ({count})" for name, count in tidied.items()]
        notes.append(_("spaces, line ends or invisible characters were tidied in: {names}", names=shorten(names)))
    if not report.read:
        notes.append(_("there are no rows"))
    report.notes = notes
    report.extra_columns = extra
    report.ignored_columns = [name for name in (*read_only, *dropped) if name not in REJECT_COLUMNS]
