"""Backups from the command line: create, verify, restore."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bo.cli import diagnostics, exit_codes, output
from bo.cli.office import be_patient
from bo.cli.output import Column
from bo.core.kernel import backup
from bo.core.kernel.errors import NotAllowed, UsageError
from bo.core.kernel.text import _
from bo.core.kernel.workspace import database_at, utc_now

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.backup import Report
    from bo.core.kernel.database import SqliteDatabase

PERMISSION = "office.backup"


def create(asked: Asked) -> int:
    """Write a verified copy. Raises NotAllowed for an operator who may not see everything that would be in it."""
    from bo.cli.office import opened

    folder = asked.workspace
    with opened(asked) as workspace:
        actor = workspace.who()
        if actor.scopes is not None or not actor.may(PERMISSION):
            raise NotAllowed(
                "{actor} may not {permission}", hint="Ask an administrator.", actor=actor.name, permission=PERMISSION
            )
        target = _target(asked.text("file"), folder)
        write_report(asked, backup.create(_sqlite(asked), target))
        diagnostics.note(asked, "verified; bo backup restore {path} brings it back", path=str(target))
    return exit_codes.OK


def _target(named: str, folder: Path) -> Path:
    return Path(named) if named else backup.free_name(folder / backup.FOLDER / backup.default_name(utc_now()))


def verify(asked: Asked) -> int:
    """Check a backup and write what is in it."""
    write_report(asked, backup.verify(Path(asked.text("file"))))
    return exit_codes.OK


def restore(asked: Asked) -> int:
    """Put a backup in the place of the office."""
    file, folder = Path(asked.text("file")), asked.workspace
    report = backup.verify(file)
    diagnostics.note(asked, "{path}: {operations} operations, sound", path=str(file), operations=report.operations)
    if asked.flag("dry_run"):
        write_report(asked, report)
        return exit_codes.OK
    diagnostics.confirm(
        asked, _("put {path} in the place of the office in {folder}?", path=str(file), folder=str(folder))
    )
    if not (folder / "office.db").is_file():
        write_report(asked, _into_nothing(file, folder))
        return exit_codes.OK
    kept = backup.free_name(folder / backup.FOLDER / f"before-restore-{backup.default_name(utc_now())}")
    write_report(asked, backup.restore(_sqlite(asked), file, kept=kept))
    diagnostics.note(asked, "what was there before is in {path}", path=str(kept))
    return exit_codes.OK


def _into_nothing(file: Path, folder: Path) -> Report:
    """Restore where there is no office, or none any more. Raises UsageError where another office's files lie about."""
    import shutil

    if folder.exists() and any((folder / name).exists() for name in ("office.db-wal", "office.db-shm")):
        raise UsageError(
            "{folder} holds parts of another office", hint="Restore into another folder.", folder=str(folder)
        )
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".office.db.{os.getpid()}.part"
    try:
        shutil.copyfile(file, part)
        report = backup.verify(part)
        part.replace(folder / "office.db")
    finally:
        part.unlink(missing_ok=True)
    return report


def _sqlite(asked: Asked) -> SqliteDatabase:
    be_patient(asked)
    return database_at(asked.workspace)


def write_report(asked: Asked, report: Report) -> None:
    columns = [
        Column("path"),
        Column("size", "whole"),
        Column("schema"),
        Column("operations", "whole"),
        Column("head"),
        Column("rows", "facts"),
    ]
    values: list[object] = [report.path, report.size, report.schema, report.operations, report.head, report.rows]
    if output.form_of(asked) == "table":
        columns = [*columns[:5], *(Column(name, "whole") for name in report.rows)]
        values = [*values[:5], *report.rows.values()]
    output.record(asked, columns, values)
