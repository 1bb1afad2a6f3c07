"""Import and export of any record: the options of the command line handed to `bo.core.exchange`, and its report
written.

The report is data: in JSON one object whose counts always add up to the rows that were read. Why rows were refused is
also told on stderr.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.office import opened
from bo.cli.output import Column
from bo.core.exchange.report import ImportOptions
from bo.core.exchange.source import FORMATS, Format
from bo.core.kernel.errors import BadInput, UsageError

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.exchange.report import ImportReport, RowOutcome
    from bo.core.kernel.workspace import Workspace

LONG_BYTES: Final = 1_000_000
ROW_COLUMNS: Final = (
    Column("record", "whole"),
    Column("line", "whole"),
    Column("outcome"),
    Column("id", "id"),
    Column("changes"),
    Column("reason"),
)


def import_file(asked: Asked) -> int:
    """Import a file, or say what that would do. The exit code: 0; 3 where some rows went to the reject file; 65 where
    none was kept.
    """
    with opened(asked) as workspace:
        if asked.flag("suggest_map"):
            return _suggest(asked, workspace)
        from bo.core.exchange.pipeline import import_file as carry_out
        from bo.core.kernel.aside import aside

        progress = diagnostics.Progress(asked)
        try:
            with aside(workspace, wanted=asked.flag("dry_run") and _is_long(_file(asked))) as place:
                report = carry_out(place, asked.noun, _file(asked), _import_options(asked), progress=progress.share)
        finally:
            progress.end()
        _write(asked, report, workspace.context.zone)
    return _code(asked, report)


def _is_long(file: str) -> bool:
    """Whether importing a file takes so long that others would wait for it."""
    return file == "-" or (os.path.isfile(file) and os.path.getsize(file) > LONG_BYTES)


def _import_options(asked: Asked) -> ImportOptions:
    sheet = asked.text("sheet")
    streams_rows = asked.flag("dry_run") and asked.form == "jsonl"
    header_row = asked.text("header_row")
    if header_row and not header_row.isdigit():
        raise UsageError(
            "--{option} takes a line number, 0 for a file without one, not {value}",
            option="header-row",
            value=header_row,
        )
    return ImportOptions(
        encoding=asked.text("encoding") or None,
        format=format_called(asked.text("format")),
        delimiter=asked.text("delimiter").replace("\\t", "\t") or None,
        sheet=int(sheet) if sheet.isdigit() else sheet or None,
        header_row=int(header_row) if header_row else None,
        mapping=asked.text("map") or None,
        rejects=asked.text("rejects") or None,
        dry_run=asked.flag("dry_run"),
        on_row=_write_row if streams_rows else None,
    )


def _write_row(row: RowOutcome) -> None:
    output.json_line(row)


def format_called(name: str) -> Format | None:
    """The file format of that name. Raises UsageError with the list."""
    if name and name not in FORMATS:
        raise UsageError(
            "there is no file format {value}", hint="One of: {known}.", value=name, known=", ".join(FORMATS)
        )
    return next((known for known in FORMATS if known == name), None)


def _file(asked: Asked) -> str:
    return asked.text("file")


def _write(asked: Asked, report: ImportReport, zone: str) -> None:
    counts = report.counts()
    form = output.form_of(asked)
    if form in ("json", "jsonl"):
        made: dict[str, object] = {
            **counts,
            "written": report.written,
            "dry_run": report.dry_run,
            "noun": report.noun,
            "file": report.file,
            "operation": report.batch or None,
            "mapping": report.mapping or None,
            "rejects": str(report.rejects) if report.rejects else None,
            "notes": report.notes,
            "extra_columns": report.extra_columns,
            "ignored_columns": report.ignored_columns,
            "problems": report.problems,
        }
        if report.dry_run and form == "json":
            made["rows"] = report.rows
        output.json_object(made) if form == "json" else output.json_line(made)
        return
    if report.dry_run and report.rows and form != "ids":
        rows = [[item.record, item.line, item.outcome, item.id, _changes(item), item.reason] for item in report.rows]
        output.rows(asked, ROW_COLUMNS, [rows], zone=zone)
    if not report.dry_run and not (asked.quiet and not asked.form):
        columns = [*(Column(name, "whole") for name in counts), Column("operation", "id")]
        output.record(asked, columns, [*counts.values(), report.batch])
    _talk(asked, report)


def _changes(row: RowOutcome) -> str:
    return "; ".join(
        f"{item.field}: {item.before} → {item.after}" if item.before else f"{item.field}: {item.after}"
        for item in row.changes
    )


def _talk(asked: Asked, report: ImportReport) -> None:
    for line in report.notes:
        diagnostics.note(asked, "{line}", line=line)
    for problem in report.problems:
        value = "" if problem.reason.startswith(problem.value) else problem.value  # most reasons begin with it
        place = ": ".join(part for part in (problem.column, value) if part)
        diagnostics.note(
            asked,
            "line {line}: {place}: {reason}. {hint}" if place else "line {line}: {reason}. {hint}",
            line=problem.line,
            place=place,
            reason=problem.reason.rstrip("."),
            hint=problem.hint,
        )
    told = len({problem.record for problem in report.problems}) + sum(item.rows - 1 for item in report.problems)
    if report.rejects:
        diagnostics.note(
            asked, "{count} rows were rejected; {file} has them all, with the reason", count=report.rejected,
            file=str(report.rejects),
        )  # fmt: skip
    elif report.rejected > told:
        diagnostics.note(
            asked,
            "and {count} more rows were rejected; --rejects FILE writes them all",
            count=report.rejected - told,
        )
    if report.dry_run:
        diagnostics.note(
            asked,
            "{read} read: {created} would be created, {updated} updated, {unchanged} unchanged, "
            "{duplicate} duplicates, {rejected} rejected",
            **report.counts(),
        )
    elif report.batch:
        diagnostics.note(asked, "bo undo {operation} takes it back", operation=report.batch)


def _code(asked: Asked, report: ImportReport) -> int:
    """Also says, where nothing was kept, why. A dry run answers as the import would."""
    if not report.rejected:
        return exit_codes.OK
    kept = report.written or (report.dry_run and asked.text("rejects"))
    if kept:
        return exit_codes.PARTIAL if report.read > report.rejected else exit_codes.BAD_DATA
    if report.dry_run:
        return exit_codes.BAD_DATA
    error = Rejected(
        "{rejected} of {read} rows are rejected, so nothing was kept",
        hint="Mend them, or keep the good ones: --rejects FILE.",
        rejected=report.rejected,
        read=report.read,
    )
    diagnostics.tell(error, command=asked.command, as_json=asked.is_for_programs)
    return exit_codes.code_for(error)


class Rejected(BadInput):
    """Rows of a file that cannot be taken."""

    code = "rows_rejected"


def _suggest(asked: Asked, workspace: Workspace) -> int:
    from bo.core.exchange.suggesting import suggest_mapping

    output.write(suggest_mapping(workspace, asked.noun, _file(asked), _import_options(asked)))
    return exit_codes.OK


def export_file(asked: Asked) -> int:
    """Export to a file, or to stdout."""
    from bo.core.exchange.export import ExportOptions
    from bo.core.exchange.export import export_file as carry_out

    encoding = asked.text("encoding").lower() or "utf-8"
    if encoding not in ("utf-8", "utf8", "utf-8-sig"):
        raise UsageError("files are written in utf-8, or utf-8-sig for Excel, not in {encoding}", encoding=encoding)
    options = ExportOptions(
        format=format_called(asked.text("format")),
        filter=asked.text("where"),
        fields=asked.fields,
        limit=asked.whole("limit"),
        bom=encoding == "utf-8-sig",
        preset=asked.text("preset"),
    )
    name = _file(asked)
    with opened(asked) as workspace:
        if name == "-":
            with output.stream() as target:
                carry_out(workspace, asked.noun, target, options)
            return exit_codes.OK
        count = carry_out(workspace, asked.noun, name, options)
    if asked.form or not asked.quiet:
        output.record(asked, [Column("file"), Column("rows", "whole")], [os.path.abspath(name), count])
    return exit_codes.OK
