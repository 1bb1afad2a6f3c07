"""`bo doctor`: is this installation and this workspace in order? A line for each check; exit 1 when one of them found
a problem.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bo.cli import exit_codes, output
from bo.cli.output import Column
from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _, language

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace

CLOCK_BEHIND_S: Final = 5
CHECK_MEANS_PROBLEM: Final = "problem"


class Problem(Exception):
    """What is wrong, and what to do about it."""


class Note(Exception):
    """What somebody may want to do something about; nothing is wrong."""


def run(asked: Asked) -> int:
    """Carry out every check."""
    lines: list[list[object]] = []
    for name, check in (("python", _python), ("sqlite", _sqlite), ("terminal", _terminal), ("locale", _locale)):
        lines.append(_line(name, check))
    lines += _of_workspace(asked)
    output.rows(asked, [Column("check"), Column("result"), Column("what")], [lines])
    return exit_codes.BUG if any(line[1] == CHECK_MEANS_PROBLEM for line in lines) else exit_codes.OK


def _line(name: str, check: Callable[[], str]) -> list[object]:
    try:
        return [name, "ok", check()]
    except Note as note:
        return [name, "note", str(note)]
    except Problem as problem:
        return [name, CHECK_MEANS_PROBLEM, str(problem)]
    except BoError as error:
        words = " ".join(part for part in (_(error.message, **error.facts), _(error.hint, **error.facts)) if part)
        return [name, CHECK_MEANS_PROBLEM, words]


def _of_workspace(asked: Asked) -> list[list[object]]:
    from bo.cli.office import opened

    try:
        folder = asked.workspace
        with opened(asked) as workspace:
            checks: tuple[tuple[str, Callable[[], str]], ...] = (
                ("workspace", lambda: str(folder)),
                ("schema", lambda: _schema(workspace)),
                ("integrity", lambda: _integrity(workspace)),
                ("journal", lambda: _("{count} operations, the chain is whole", count=f"{workspace.verify():,}")),
                ("clock", lambda: _clock(workspace)),
                ("statements", lambda: _statements(workspace)),
                ("settings", lambda: _settings(workspace)),
                ("roles", lambda: _roles(workspace)),
                ("room", lambda: _room(str(folder))),
            )
            return [_line(name, check) for name, check in checks]
    except BoError as error:
        failure = error

        def fail() -> str:
            raise failure

        return [_line("workspace", fail)]


def _python() -> str:
    from bo import __version__

    return f"bo {__version__}, Python {'.'.join(map(str, sys.version_info[:3]))}, {sys.platform}"


def _sqlite() -> str:
    from pathlib import Path

    from bo.core.kernel.database import SqliteDatabase

    database = SqliteDatabase(Path(":memory:"))  # refuses a version that can lose data
    try:
        cursor = database.session.cursor
        cursor.execute("SELECT sqlite_version()")
        return str(cursor.fetchall()[0][0])
    finally:
        database.close()


def _terminal() -> str:
    if not output.is_terminal():
        return _("output goes to a file or a pipe")
    from shutil import get_terminal_size

    columns, lines = get_terminal_size()
    if columns < 60 or lines < 10:
        raise Problem(
            _("{columns} by {lines} is too small for the screen; make the window larger", columns=columns, lines=lines)
        )
    return f"{columns}x{lines}, TERM={os.environ.get('TERM', '')}"


def _locale() -> str:
    encoding = output.encoding()
    if encoding.lower().replace("-", "") not in ("utf8", "utf8sig", "gb18030"):
        raise Problem(
            _(
                "{encoding} cannot show every letter; set LANG to a UTF-8 locale, such as C.UTF-8",
                encoding=encoding or "?",
            )
        )
    return f"{encoding}, {language()}"


def _schema(workspace: Workspace) -> str:
    from bo.core.kernel.workspace import SCHEMA_VERSION

    return f"{SCHEMA_VERSION}, {workspace.context.region} {workspace.context.currency} {workspace.context.zone}"


def _integrity(workspace: Workspace) -> str:
    cursor = workspace.database.session.cursor
    cursor.execute("PRAGMA integrity_check")
    found = [str(row[0]) for row in cursor.fetchall()]
    if found != ["ok"]:
        raise Problem(f"{found[0]}; " + _("restore a verified backup: bo backup restore"))
    return "ok"


def _clock(workspace: Workspace) -> str:
    last = workspace.operations(limit=1)
    now = workspace.clock()
    if last and (last[0].at - now).total_seconds() > CLOCK_BEHIND_S:
        raise Problem(
            _("the last operation is from {at}, which has not come yet: set the clock", at=last[0].at.isoformat())
        )
    return now.isoformat(timespec="seconds")


def _statements(workspace: Workspace) -> str:
    return _("{count} kept", count=len(workspace.database.statements.kept))


def _settings(workspace: Workspace) -> str:
    return _("operator {name}", name=workspace.who().name)


def _roles(workspace: Workspace) -> str:
    """What roles that somebody has edited lack of what they are shipped with today."""
    missing = {item.role for item in workspace.ask("roles.missing")} if workspace.who().may("roles.read") else set()
    if missing:
        raise Note(
            _(
                "{roles} lack permissions that came later: bo roles missing lists them, bo roles grant gives them",
                roles=", ".join(sorted(missing)),
            )
        )
    return _("nothing is missing")


def _room(folder: str) -> str:
    from shutil import disk_usage

    free = disk_usage(folder).free
    if free < 100 << 20:
        raise Problem(_("{mb} MB free; make some room before importing", mb=free >> 20))
    return _("{mb} MB free", mb=f"{free >> 20:,}")
