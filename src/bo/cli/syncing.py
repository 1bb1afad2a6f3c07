"""`bo sync`: once, for a person or cron; again and again with `--watch`; and how this device stands.

Everything that network and central may do to it leaves what was done here as it was: it is sent the next time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import seconds
from bo.cli.manifest import stepping_up
from bo.cli.output import Column
from bo.core.kernel.errors import BoError, UsageError
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.text import _
from bo.core.kernel.workspace import utc_now

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace
    from bo.sync.client import Client, Progress, Report
    from bo.sync.http import HttpTransport

TOKEN_FILE: Final = "token_file"  # its name in bo.toml
COUNTED: Final = (
    Column("sent", "whole"),
    Column("confirmed", "whole"),
    Column("refused", "whole"),
    Column("received", "whole"),
    Column("rows", "whole", "rows copied"),
    Column("waiting", "whole"),
)
COLUMNS: Final = (*COUNTED, Column("events", "tags"))
# What a person is told of an event; programs get its name.
EVENTS: Final = {
    "view": "all that this operator may see was copied anew",
    "gone": "the central store's journal does not reach back so far: everything was copied anew",
    "diverged": "the central store was set back to an earlier state: what it lacked was sent again, the rest copied",
    "forked": "a copy of this device was at work elsewhere: what waited here has new numbers. Keep one of the two.",
    "late": "the central store takes some of it later",
}
STEPS: Final = {"push": "sending", "pull": "receiving", "snapshot": "copying"}


def run(asked: Asked) -> int:
    """Sync once, watch, check, or say how it stands, as the words ask."""
    what = asked.text("what")
    if what not in ("", "status"):
        raise UsageError(
            "there is no command {path} {word}", hint="bo sync, or bo sync status", path="bo sync", word=what
        )
    if what:
        return _status(asked)
    if asked.text("every") and not asked.flag("watch"):
        raise UsageError("--every goes with --watch", hint="bo sync --watch --every 30s")
    with connected(asked, asked.workspace) as client:
        if asked.flag("watch"):
            return _watch(asked, client)
        if wants_code(client):
            client.code = diagnostics.code_of(asked)
        return _check(asked, client) if asked.flag("check") else once(asked, client)


def wants_code(client: Client) -> bool:
    """Whether something waits that central wants a code of the second factor for, where the operator has one."""
    names = {item.name for item in client.pending()}
    return any(f"{noun}.{verb}" in names for noun, verb in stepping_up())


def once(asked: Asked, client: Client) -> int:
    """Sync, and write what came of it. The exit code says whether central refused anything."""
    with _progress(asked, client):
        report = client.sync()
    _write(asked, report)
    return _told(asked, report)


def _check(asked: Asked, client: Client) -> int:
    """Sync, compare every row with central's, and write where they differed; that is put right at once."""
    with _progress(asked, client):
        report = client.sync()
        odd = client.check(report)
    values = [*_values(report), odd]
    output.record(asked, [*COLUMNS, Column("differed", "tags")], values)
    if odd:
        diagnostics.note(
            asked, "rows of {nouns} differed from the central store's and were fetched anew", nouns=", ".join(odd)
        )
        return exit_codes.BUG
    return _told(asked, report)


def _told(asked: Asked, report: Report) -> int:
    for event in dict.fromkeys(report.events) if output.form_of(asked) == "table" else ():
        if event in EVENTS:
            diagnostics.note(asked, EVENTS[event])
    if report.refused:
        diagnostics.note(asked, "{count} refused by the central store: bo conflicts list", count=report.refused)
    if report.waiting:
        diagnostics.note(asked, "{count} still wait for the central store", count=report.waiting)
    return exit_codes.PARTIAL if report.refused else exit_codes.OK


def _write(asked: Asked, report: Report) -> None:
    if asked.form or not asked.quiet:
        columns = COUNTED if output.form_of(asked) == "table" else COLUMNS  # a person reads events as sentences
        output.record(asked, columns, _values(report)[: len(columns)])


def _values(report: Report) -> list[object]:
    return [*(getattr(report, column.name) for column in COUNTED), list(dict.fromkeys(report.events))]


# -- again and again ---------------------------------------------------------------------------------------------------


def _watch(asked: Asked, client: Client) -> int:
    """Sync until somebody stops it, which is no failure. A line is written for each time that something came of it."""
    from bo.cli.main import Terminated
    from bo.sync.watch import EVERY_S, watch

    every = seconds(asked.text("every"), "every") if asked.text("every") else EVERY_S
    if every < 1:
        raise UsageError("--every takes 1s at least, not {value}", value=asked.text("every"))
    log = _Log(asked)
    link = client.ws.link
    diagnostics.note(asked, "in touch with {url}; Ctrl-C ends it", url=link.url if link is not None else "")
    try:
        with _progress(asked, client) as log.shown:
            watch(client, every=every, told=log.told, trouble=log.trouble)
    except (KeyboardInterrupt, Terminated):
        diagnostics.note(asked, "stopped; what was not sent goes out with the next sync")
    log.end()
    return exit_codes.OK


class _Log:
    """What a watch says: news as rows on stdout, an outage once when it begins and once when it ends."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        columns = (Column("at", "moment", "when"), *COLUMNS)
        self.names = [column.name for column in columns]
        self.as_json = output.form_of(asked) in ("json", "jsonl")
        self.rows = None if self.as_json else output.open_rows(asked, columns)
        self.outage = ""
        self.shown = diagnostics.Progress(asked)

    def told(self, report: Report) -> None:
        from bo.sync.watch import is_news

        self.shown.end()
        if self.outage:
            self.outage = ""
            diagnostics.note(self.asked, "the central store answers again")
        if not is_news(report) or (self.asked.quiet and not self.asked.form):
            return
        row = [moment_text(utc_now()), *_values(report)]
        if self.rows is not None:
            self.rows.batch([row])
        else:
            output.json_line(dict(zip(self.names, row, strict=True)))
        output.flush()

    def trouble(self, error: BoError, pause: float) -> None:
        self.shown.end()
        if self.outage != error.message:
            self.outage = error.message
            diagnostics.tell(error, command=self.asked.command, as_json=self.asked.is_for_programs)
        diagnostics.note(self.asked, "again in {seconds} s", seconds=round(pause))

    def end(self) -> None:
        if self.rows is not None:
            self.rows.end()


# -- how it stands -----------------------------------------------------------------------------------------------------


def _status(asked: Asked) -> int:
    """Write how this device stands to its central store, without asking it."""
    from bo.sync.device import open_device, standing

    with open_device(asked.workspace) as workspace:
        found = standing(workspace)
        columns = [
            Column("central"),
            Column("operator"),
            Column("device", "id"),
            Column("waiting", "whole"),
            Column("requests", "whole"),
            Column("refused", "whole"),
            Column("given", "whole", "handed over by others"),
            Column("cursor", "whole"),
            Column("contact_at", "moment", "last contact"),
            Column("lease_days_left", "whole"),
        ]
        values = [
            found.url,
            name_of_operator(workspace),
            found.device,
            found.waiting,
            found.requests,
            found.refused,
            found.given,
            found.seq,
            moment_text(found.contact_at),
            found.lease_left_days,
        ]
        output.record(asked, columns, values, zone=workspace.context.zone)
    if not found.lease_left_days:
        diagnostics.note(asked, "too long out of touch: this device shows nothing before the next bo sync")
    return exit_codes.OK


def name_of_operator(workspace: Workspace) -> str:
    """The name of who works here; the id while no row has come yet."""
    try:
        return workspace.who().name
    except BoError:
        return workspace.actor


# -- a client ----------------------------------------------------------------------------------------------------------


@contextmanager
def connected(asked: Asked, folder: Path) -> Iterator[Client]:
    """A client for this device's office, and the right to sync it. Raises Busy where somebody else syncs it, NoToken
    where it is not logged in."""
    from bo.cli.office import be_patient
    from bo.sync.client import Client
    from bo.sync.device import one_at_a_time, open_device
    from bo.sync.secrets import token_of

    be_patient(asked)
    with open_device(folder) as workspace, one_at_a_time(folder):
        link = workspace.link
        assert link is not None
        transport = transport_to(link.url, token_of(workspace.device, token_file(folder)))
        try:
            yield Client(workspace, transport, spool=folder)
        finally:
            transport.close()


def transport_to(url: str, token: str = "", *, insecure: bool = True) -> HttpTransport:
    """The way to a central store. Whether an address may be used that is not https is decided when logging in."""
    from bo.sync.http import HttpTransport

    return HttpTransport(url, token, insecure=insecure)


def token_file(folder: Path) -> str:
    """The file that holds the token, where one was named when logging in."""
    from bo.cli.settings import FILE_NAME, read_file

    return read_file(folder / FILE_NAME).get(TOKEN_FILE, "")


@contextmanager
def _progress(asked: Asked, client: Client) -> Iterator[diagnostics.Progress]:
    """Show how far the client is, and leave a clean line for what is written after."""
    shown = diagnostics.Progress(asked)

    def step_done(step: Progress) -> None:
        shown.at(step.done, step.total or None, _(STEPS[step.step]))

    client.progress = step_done
    try:
        yield shown
    finally:
        shown.end()
