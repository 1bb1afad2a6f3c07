"""The workspace itself: make one, show how it stands, settings, the demonstration, and the door to the screen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bo.cli import diagnostics, exit_codes, output
from bo.cli.builtin import THEMES
from bo.cli.output import Column
from bo.core.kernel.errors import BoError, Configuration, UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from pathlib import Path

    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace


def init(asked: Asked) -> int:
    """Make an office in a folder; what to do next goes to stderr."""
    folder = _new_folder(asked)
    from bo.core.office import context_for, create

    context = context_for(asked.text("region") or "CN", asked.text("currency"), asked.text("zone"))
    login = asked.text("operator") or asked.operator or own_login()
    try:
        workspace = create(folder, context, operator=login, name=asked.text("name"))
    except OSError as error:
        raise Configuration(
            "{path} cannot be made: {reason}",
            hint="Choose another folder.",
            path=str(folder),
            reason=error.strerror or str(error),
        ) from None
    workspace.close()
    values = [str(folder), context.region, context.currency, context.zone, login]
    names = ("workspace", "region", "currency", "zone", "operator")
    if asked.form or not asked.quiet:
        output.record(asked, [Column(name) for name in names], values)
    for line in _next_steps(folder):
        diagnostics.note(asked, "{line}", line=line)
    return exit_codes.OK


def _new_folder(asked: Asked) -> Path:
    from pathlib import Path

    named = asked.text("folder") or asked.text("workspace") or os.environ.get("BO_WORKSPACE", "")
    if not named:
        raise UsageError("which folder?", hint="bo init DIR")
    return Path(named).expanduser().absolute()


def own_login() -> str:
    """The login of whoever runs this; `admin` where the system does not say."""
    import getpass

    try:
        return getpass.getuser().strip() or "admin"
    except (OSError, KeyError, ImportError):
        return "admin"


def _next_steps(folder: Path) -> list[str]:
    shown = f'"{folder}"' if " " in str(folder) else str(folder)
    variable = f"set BO_WORKSPACE={folder}" if os.name == "nt" else f"export BO_WORKSPACE={shown}"
    return [
        _("The office is ready. Next:"),
        f"  {variable}",
        "  bo leads import FILE --dry-run      " + _("what a file would bring"),
        "  bo operators add --login NAME --roles reviewer",
        "  bo                                  " + _("the screen; ? shows its keys"),
        "  bo help                             " + _("everything else"),
    ]


def status(asked: Asked) -> int:
    """Write the workspace, who uses it, and how many records of each noun there are."""
    from bo.cli.office import opened

    with opened(asked) as workspace:
        who = workspace.who()
        columns = [
            Column("workspace"),
            Column("operator"),
            Column("region"),
            Column("currency"),
            Column("zone"),
            Column("operations", "whole"),
        ]
        context = workspace.context
        values: list[object] = [
            str(asked.workspace),
            who.name,
            context.region,
            context.currency,
            context.zone,
            workspace.link.seq if workspace.link is not None else workspace.data_version(),
        ]
        last = workspace.operations(limit=1)
        columns += [Column("last_operation"), Column("last_at", "moment")]
        values += [last[0].name, _moment(last[0].at)] if last else [None, None]
        counts, states = _counts(workspace)
        if output.form_of(asked) == "table":
            columns += [Column(noun, "whole") for noun in counts]
            values += list(counts.values())
            columns += [
                Column(f"leads {state}", "whole", _("leads {state}", state=_(state.replace("_", " "))))
                for state in states
            ]
            values += list(states.values())
        else:
            columns += [Column("records", "facts"), Column("leads_by_state", "facts")]
            values += [counts, states]
        if workspace.link is not None:
            _add_sync(workspace, columns, values)
        output.record(asked, columns, values, zone=context.zone)
    return exit_codes.OK


def _add_sync(workspace: Workspace, columns: list[Column], values: list[object]) -> None:
    """On a device: what has not reached its central store, and when the two were last in touch."""
    from bo.sync.device import standing

    found = standing(workspace)
    columns += [
        Column("central"),
        Column("waiting", "whole", "not confirmed yet"),
        Column("refused", "whole", "refused by central"),
        Column("contact_at", "moment", "last contact"),
    ]
    values += [found.url, found.waiting, found.refused, _moment(found.contact_at)]


def _counts(workspace: Workspace) -> tuple[dict[str, int], dict[str, int]]:
    """Records of each noun that the operator may read, and leads by state."""
    from bo.cli.manifest import manifest

    reader = workspace.reader()
    counts = {
        noun: reader.count(noun)
        for noun, entry in manifest().items()
        if "fields" in entry and reader.actor.may(f"{noun}.read")
    }
    states = {}
    if counts.get("leads"):
        for state in manifest()["leads"].get("states", []):
            number = reader.count("leads", f"state:{state}")
            if number:
                states[state] = number
    return {noun: number for noun, number in counts.items() if number}, states


def _moment(at: object) -> str:
    from datetime import datetime

    from bo.core.kernel.kinds import moment_text

    return moment_text(at) if isinstance(at, datetime) else str(at)


def demo(asked: Asked) -> int:
    """Play the story, in a folder of its own unless one is named."""
    from importlib import import_module
    from pathlib import Path

    named = asked.text("workspace")
    try:
        play = import_module("bo.demo").run
    except ModuleNotFoundError:
        raise Configuration("this installation has no demonstration", hint="Install bo from its source.") from None
    code = play(Path(named).expanduser() if named else None)
    return code if isinstance(code, int) else exit_codes.OK


def screen(asked: Asked) -> int:
    """Open the screen, here or in browsers. Raises UsageError where there is no terminal to draw on."""
    import sys

    theme = asked.text("theme")
    if theme and theme not in THEMES:
        raise UsageError("there is no theme {value}", hint="One of: {known}.", value=theme, known=", ".join(THEMES))
    if asked.flag("serve"):
        return _serve(asked)
    in_browser = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")
    if not in_browser and not (sys.stdin.isatty() and output.is_terminal()):
        raise UsageError("the screen needs a terminal", hint="In a script use the commands: bo --help lists them.")
    from importlib import import_module

    from bo.cli.office import operator_of

    folder = asked.workspace
    code = import_module("bo.tui.app").run(
        folder,
        operator=operator_of(asked, folder),
        filter_text=" ".join(asked.many("filter")),
        noun=asked.text("of").replace("-", "_"),
        theme=theme,
        ascii_only=asked.flag("ascii"),
        lang=asked.text("lang"),
    )
    return code if isinstance(code, int) else exit_codes.OK


def _serve(asked: Asked) -> int:
    """Show the screen in browsers until TERM or INT. Raises UsageError for an address that others could listen in on,
    Configuration where what it needs is not installed.
    """
    from importlib import import_module

    try:
        serving = import_module("bo.tui.serving")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("bo"):
            raise
        raise Configuration(
            "what the screen needs in a browser is not installed", hint="pip install 'bo-office[browser]'"
        ) from None
    from bo.cli.office import operator_of
    from bo.cli.serve import is_loopback, port_of

    host, url = asked.text("host") or "127.0.0.1", asked.text("url")
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise UsageError("--url takes an address that begins with https://, not {value}", value=url)
    if not (url or is_loopback(host)):
        raise UsageError(
            "without TLS everybody on the way to {host} could read along",
            hint="Stay on 127.0.0.1 behind a proxy with TLS, and say --url https://ITS-NAME.",
            host=host,
        )
    folder = asked.workspace
    words = [*asked.many("filter"), *(["--ascii"] if asked.flag("ascii") else [])]
    for name in ("of", "theme"):
        words += [f"--{name}", asked.text(name)] if asked.text(name) else []
    address = serving.Address(host, port_of(asked.text("port"), 8000), url)
    serving.serve(folder, address, lambda: operator_of(asked, folder), words, _say)
    return exit_codes.OK


def _say(line: str) -> None:
    output.write(line + "\n")
    output.flush()


def explain(asked: Asked) -> int:
    """Write every place that says something about a setting; the first one counts."""
    from bo.cli import settings

    item = settings.setting(asked.text("key"))
    found = settings.explain(
        item.name, asked.text({"operator": "as"}.get(item.name, item.name)), _workspace_or_none(asked)
    )
    columns = [Column("setting"), Column("value"), Column("from"), Column("counts", "flag")]
    output.rows(asked, columns, [[[item.name, place.value, place.place, at == 0] for at, place in enumerate(found)]])
    return exit_codes.OK


def settings_list(asked: Asked) -> int:
    """Write each setting with the value that counts."""
    from bo.cli import settings

    folder = _workspace_or_none(asked)
    listed = []
    for item in settings.SETTINGS:
        found = settings.explain(item.name, asked.text({"operator": "as"}.get(item.name, item.name)), folder)[0]
        listed.append([item.name, found.value, found.place, item.variable, item.help])
    output.rows(
        asked, [Column("setting"), Column("value"), Column("from"), Column("variable"), Column("meaning")], [listed]
    )
    return exit_codes.OK


def _workspace_or_none(asked: Asked) -> Path | None:
    try:
        return asked.workspace
    except BoError:
        return None
