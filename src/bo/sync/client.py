"""A device's side: send what is pending, then take in what central has done. One `sync` is as good as many.

Every step can be cut off anywhere and done again: what was sent is known by its id, what was taken in by the cursor,
which moves in the transaction that takes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from bo import __version__
from bo.core.kernel.dispatch import OUTAGES
from bo.core.kernel.errors import BadFile, BoError, Configuration, StorageFull
from bo.core.kernel.workspace import SCHEMA_VERSION, Link, Workspace, collector_resting
from bo.sync import anew, rebase
from bo.sync.central import Nothing, Revoked, SnapshotWanted
from bo.sync.feed import Sums, office_records
from bo.sync.pending import (
    Pending,
    confirmed_images,
    count_waiting,
    effects_to_take_back,
    pending_of,
    settle,
)
from bo.sync.protocol import (
    BYTES_MOST,
    OPERATIONS_MOST,
    PROTOCOL,
    Answer,
    Commit,
    Cursor,
    Digest,
    Hello,
    Page,
    Pull,
    Push,
    Pushed,
    Row,
    Sent,
    SnapshotPage,
    Welcome,
    encode,
)
from bo.sync.transport import Transport

ABSORB_BYTES: Final = 8_000_000  # of pulled commits that one local transaction takes in
ROUNDS_MOST: Final = 10_000
SPOOL_NAME: Final = "snapshot.part"
SETTLED: Final = ("unchanged", "refused", "quarantined")
_RESERVE: Final = 2_000  # bytes of a push around its operations


class Progress(msgspec.Struct, frozen=True):
    """How far something long has come: `step` is push, pull or snapshot; `total` 0 where it is not known."""

    step: str
    done: int
    total: int


class Report(msgspec.Struct):
    """What one sync came to."""

    sent: int = 0
    confirmed: int = 0
    refused: int = 0
    received: int = 0
    rows: int = 0  # of a snapshot
    waiting: int = 0
    again: int = 0
    events: list[str] = []  # forked, diverged, gone, view, late


class Client:
    """Keeps one device's office in step with its central store.

    `spool` is the folder for parts of a snapshot, so that one that was cut off goes on where it stopped; None keeps
    them in memory.
    """

    def __init__(
        self,
        ws: Workspace,
        transport: Transport,
        *,
        spool: Path | None = None,
        progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        if ws.link is None:
            raise Configuration("this office has no central store", hint="Make a device of one: bo login URL")
        self.ws = ws
        self.transport = transport
        self.spool = spool
        self.progress = progress
        self.code = ""  # of the second factor, for what is sent that wants one
        self.welcomed = False
        self.operations_most, self.bytes_most = OPERATIONS_MOST, BYTES_MOST

    # -- the whole of it -----------------------------------------------------------------------------------------------

    def sync(self, *, wait: float = 0.0) -> Report:
        """Send all that waits, then take in all there is. With `wait`, stay that many seconds for news. Raises
        Unreachable, LoggedOut, Revoked, OldSchema, TooNew: then nothing is lost, and what was done stays done."""
        report = Report()
        try:
            if not self.welcomed:
                self._greet(report)
            self.push(report)
            self.pull(report, wait=wait)
        except Revoked:
            self.welcomed = False
            self._leave_last_words()
            raise
        report.waiting = count_waiting(self.ws.database.session)
        return report

    def push(self, report: Report) -> dict[str, int]:
        """Send what waits, in the order it was done, until central bids to wait or all is sent that was there at the
        beginning: somebody who works on meanwhile would keep it at that for ever. The numbers that central gave to what
        it applied, by id."""
        ahead, last = 0, self._link().device_seq
        applied: dict[str, int] = {}
        for _round in range(ROUNDS_MOST):
            session = self.ws.database.session
            waiting = pending_of(session, after=ahead, most=self.operations_most)
            if not waiting:
                return applied
            part = self._part(waiting)
            body = Push(SCHEMA_VERSION, len(part), self.ws.clock(), tuple(part), self.code)
            pushed = self._ask("push", body, Pushed)
            if pushed.device == "forked":
                report.events.append("forked")
                anew.renumber(self.ws, pushed.device_seq)
                ahead, last = 0, self._link().device_seq
                continue
            stopped = self._take_answers(part, pushed.results, report)
            applied.update((made.id, made.seq) for made in pushed.results if made.status == "applied")
            self.progress(Progress("push", report.sent, report.sent + count_waiting(session)))
            ahead = part[-1].device_seq
            if stopped:
                report.events.append("late")
            if stopped or ahead >= last:
                return applied
        return applied

    def pull(self, report: Report, *, wait: float = 0.0) -> None:
        """Take in what happened after the cursor."""
        for _round in range(ROUNDS_MOST):
            link = self._link()
            page, to = self._pages(link, wait)
            if page.status != "ok":
                report.events.append(page.status)
                self.snapshot(report)
                continue
            since = Cursor(link.seq, link.hash)
            if page.commits or to != since or page.stable != link.stable or self._unsettled():
                done = rebase.absorb(self.ws, since, page.commits, to, page.stable)
                report.confirmed += done.confirmed
                report.received += done.others
                report.again += done.again
                self.progress(Progress("pull", report.received + report.confirmed, 0))
            else:
                self._touch()
            if not page.more:
                return

    # -- sending -------------------------------------------------------------------------------------------------------

    def pending(self) -> list[Pending]:
        """What waits to be sent or confirmed."""
        return pending_of(self.ws.database.session)

    def conflicts(self) -> list[Pending]:
        """What central refused, for a person to deal with."""
        return pending_of(self.ws.database.session, ("refused",))

    def _part(self, waiting: Sequence[Pending]) -> list[Sent]:
        part: list[Sent] = []
        size = _RESERVE
        for item in waiting:
            size += len(item.args.encode()) + 400
            if part and size > self.bytes_most:
                break
            part.append(
                Sent(
                    item.id,
                    item.device_seq,
                    item.name,
                    item.version,
                    item.subject,
                    msgspec.Raw(item.args.encode()),
                    item.batch,
                    item.at,
                )
            )
        return part

    def _take_answers(self, part: Sequence[Sent], results: Sequence[Answer], report: Report) -> bool:
        """Keep what was not applied, with the reason; whether central bids to wait. What was applied stays pending
        until it comes back in the feed."""
        if [item.id for item in part] != [item.id for item in results]:
            raise BadFile("the central store answered to something else", hint="Try again.")
        settled = []
        for made in results:
            if made.status in SETTLED:
                state = "unchanged" if made.status == "unchanged" else "refused"
                settled.append((made.id, state, encode(made).decode()))
        settle(self.ws, settled)
        report.sent += sum(made.status not in ("retry", "not_run") for made in results)
        report.refused += sum(state == "refused" for _id, state, _answer in settled)
        return any(made.status in ("retry", "not_run") for made in results)

    def _unsettled(self) -> bool:
        """Whether answers are kept whose operations still show in the rows here."""
        return bool(effects_to_take_back(self.ws.database.session))

    # -- receiving -----------------------------------------------------------------------------------------------------

    def _pages(self, link: Link, wait: float) -> tuple[Page, Cursor]:
        """As many pages as one local transaction takes in, as one."""
        commits: list[Commit] = []
        since, size = Cursor(link.seq, link.hash), 0
        while True:
            body = encode(Pull(since, SCHEMA_VERSION, link.view, wait=wait))
            answer = self.transport.call("pull", body, timeout=60.0 + wait)
            page = self._read(answer, Page)
            if page.status != "ok":
                return (page, since) if not commits else (self._joined(commits, since, page), since)
            commits += page.commits
            since, size, wait = page.to, size + len(answer), 0.0
            if not page.more or size > ABSORB_BYTES:
                return msgspec.structs.replace(page, commits=tuple(commits)), since

    def _joined(self, commits: Sequence[Commit], to: Cursor, page: Page) -> Page:
        """What was read before something came between; the next round meets it again."""
        return Page(tuple(commits), to, True, page.stable)

    def snapshot(self, report: Report) -> None:
        """Take everything anew. A part that was fetched before is not fetched again. Where central has lost history,
        what it had acknowledged goes first."""
        link = self._link()
        since = Cursor(link.seq, link.hash)
        if self._ask("pull", Pull(since, SCHEMA_VERSION, link.view, 0), Page).status == "diverged":
            anew.keep_again(self.ws, since)
            self.push(report)
        store = _Parts(self.spool)
        for _round in range(ROUNDS_MOST):
            first = self._fetched(store)
            done = self._loaded(store, first, report)
            store.forget()
            if done is not None:
                report.confirmed += done.confirmed
                report.rows += done.others
                report.again += done.again
                return

    def _loaded(self, store: _Parts, first: SnapshotPage, report: Report) -> rebase.Absorbed | None:
        """Load parts that were read one after another, with what has happened since the first; None where they are of
        no use any more.

        What waits is sent before: so it is known what of it central has done, whoever had sent it, and whether its
        answer had come.
        """
        applied = self.push(report)
        commits: list[Commit] = []
        to, more = first.at, True
        while more:
            page = self._ask("pull", Pull(to, SCHEMA_VERSION, first.view), Page)
            if page.status != "ok":
                return None
            commits += page.commits
            to, more = page.to, page.more
        given = anew.Snapshot(store.parts(), first.at, commits, to, first.view, first.stable, applied)
        try:
            done = anew.load_snapshot(self.ws, given)
        except OUTAGES:
            raise
        except Exception:  # parts that do not go together would fail again and again
            store.forget()
            raise
        return done if done.moved else None

    def _fetched(self, store: _Parts) -> SnapshotPage:
        """Fetch the parts that are not there yet; the first of all."""
        first, following = store.begun()
        while first is None or following:
            wanted = SnapshotWanted(following, SCHEMA_VERSION)
            page = self._ask("snapshot", wanted, SnapshotPage)
            if first is not None and page.view != first.view:
                store.forget()
                first, following = None, ""
                continue
            _require_whole(page)
            store.keep(page)
            first, following = first or page, page.next
            self.progress(Progress("snapshot", store.rows, first.total))
        return first

    # -- checking ------------------------------------------------------------------------------------------------------

    def check(self, report: Report) -> list[str]:
        """Compare every row with central's, by sums; the nouns that differed. Those are put right by a snapshot."""
        for _time in range(3):
            self.push(report)
            self.pull(report)
            theirs = self._ask("digest", Nothing(), Digest)
            link = self._link()
            if theirs.at == Cursor(link.seq, link.hash):
                break
        else:
            raise BadFile("the central store is too busy to compare with", hint="Try again later.")
        ours = sums_of(self.ws)
        odd = [noun for noun, found in theirs.sums.items() if noun in ours and (found.rows, found.sum) != ours[noun]]
        if odd:
            report.events.append("digest")
            self.snapshot(report)
            self.pull(report)
        return odd

    # -- inside --------------------------------------------------------------------------------------------------------

    def _greet(self, report: Report) -> None:
        link = self._link()
        first = min((item.device_seq for item in self.pending()), default=link.device_seq + 1)
        hello = Hello(
            (PROTOCOL,), __version__, SCHEMA_VERSION, link.device_seq + 1, Cursor(link.seq, link.hash), self.ws.clock()
        )
        welcome = self._ask("hello", hello, Welcome)
        self.operations_most, self.bytes_most = welcome.operations_most, welcome.bytes_most
        if welcome.device == "forked" and first < welcome.device_seq:
            report.events.append("forked")
            anew.renumber(self.ws, welcome.device_seq)
        self.welcomed = True

    def _leave_last_words(self) -> None:
        """A device that is shut out may leave once what it has not sent, for an administrator to read."""
        part = self._part(pending_of(self.ws.database.session, most=self.operations_most))
        if part:
            with suppress(BoError):  # that it is shut out is told already
                self._ask("push", Push(SCHEMA_VERSION, len(part), self.ws.clock(), tuple(part)), Pushed)

    def _link(self) -> Link:
        link = self.ws.read_link()
        if link is None:
            raise Configuration("this office has no central store any more", hint="Make a device of one: bo login URL")
        return link

    def _touch(self) -> None:
        """Nothing new; that central was there is worth keeping."""
        with self.ws.transaction() as perform:
            perform.session.run("sync:touch", _touch_link, {"new_contact_at": self.ws.clock()})

    def _ask(self, kind: str, body: object, answer: type[Any]) -> Any:
        return self._read(self.transport.call(kind, encode(body)), answer)

    def _read(self, body: bytes, wanted: type[Any]) -> Any:
        """An answer. A body that was cut is an error, and nothing has moved."""
        try:
            body.decode()  # rows are read much later, and what is no UTF-8 would be found out only there
            with collector_resting():
                return msgspec.json.decode(body, type=wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadFile(
                "the central store's answer cannot be read: {reason}", hint="Try again.", reason=str(error)[:200]
            ) from None


class _Parts:
    """The parts of a snapshot that have come so far, in a file or in memory."""

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / SPOOL_NAME if folder is not None else None
        self.kept: list[bytes] = []
        self.marks: list[str] = []  # of the parts in their order: another program may write to the same file
        self.rows = 0

    def begun(self) -> tuple[SnapshotPage | None, str]:
        """The first page and where to go on, of a snapshot that was cut off; a half-written line is thrown away."""
        self.marks, self.rows = [], 0
        if self.path is None or not self.path.exists():
            self.kept = []
            return None, ""
        first, following = None, ""
        with self.path.open("rb+") as file:
            while line := file.readline():
                try:
                    page = msgspec.json.decode(line, type=SnapshotPage)
                    _require_whole(page)
                except (msgspec.MsgspecError, UnicodeDecodeError, BoError):
                    page = None
                if page is None or not line.endswith(b"\n"):
                    file.seek(-len(line), 1)
                    file.truncate()
                    break
                first, following = first or page, page.next
                self.marks.append(page.sha256)
                self.rows += len(page.rows)
        return first, following

    def keep(self, page: SnapshotPage) -> None:
        self.rows += len(page.rows)
        self.marks.append(page.sha256)
        line = encode(page) + b"\n"
        if self.path is None:
            self.kept.append(line)
            return
        try:
            with self.path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise StorageFull(
                "the disk cannot be written or read: nothing was changed",
                hint="Check its space and its health, then run the command again.",
            ) from error

    def parts(self) -> Iterator[tuple[Row, ...]]:
        """The rows of each part. Raises BadFile where these are not the parts that were kept."""
        if self.path is None:
            for line in self.kept:
                yield msgspec.json.decode(line, type=SnapshotPage).rows
            return
        count = 0
        with self.path.open("ab+") as file:
            file.seek(0)
            for line in file:
                page = msgspec.json.decode(line, type=SnapshotPage)
                if self.marks[count : count + 1] != [page.sha256]:
                    break
                count += 1
                yield page.rows
        if count != len(self.marks):
            raise BadFile("a part of the snapshot is missing", hint="Try again.")

    def forget(self) -> None:
        self.kept, self.marks, self.rows = [], [], 0
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _require_whole(page: SnapshotPage) -> None:
    digest = sha256()
    for row in page.rows:
        digest.update(row.id.encode() + b"\n" + bytes(row.json) + b"\n")
    if digest.hexdigest() != page.sha256:
        raise BadFile("a part of the snapshot is damaged", hint="Try again.")


def sums_of(ws: Workspace) -> dict[str, tuple[int, int]]:
    """Rows and sum of hashes of each noun, as they are without what is pending."""
    from bo.core.kernel.tables import table

    sums: dict[str, tuple[int, int]] = {}
    with ws.database.reading() as session:
        before = confirmed_images(session)
        for info in office_records(ws):
            found = Sums()
            for part in session.stream(f"{info.fingerprint}:sync:all", lambda info=info: table(info).select()):  # type: ignore[misc]
                for row in part:
                    record = info.load(row[1:])
                    if (info.noun, record.id) not in before:
                        found.add(info.noun, record.id, info.image(record))
            for (noun, name), image in before.items():
                if noun == info.noun and image:
                    found.add(noun, name, image.encode())
            sums[info.noun] = (found.rows, found.sum)
    return sums


def join_central(ws_folder: Path, ticket: Any, url: str, *, key: bytes | None = None, lease_days: int = 30) -> None:
    """Make an empty office that belongs to a central store; the first sync fills it."""
    from bo.core.kernel.database import DATABASE_NAME, SqliteDatabase

    database = SqliteDatabase(ws_folder / DATABASE_NAME, key)
    try:
        found_device(database, ticket, url, lease_days=lease_days)
    finally:
        database.close()


def found_device(database: Any, ticket: Any, url: str, *, lease_days: int = 30) -> None:
    """The schema, the head and the link of a device, in an empty database."""
    from bo.core.kernel.kinds import Context
    from bo.core.kernel.unit import PENDING
    from bo.core.kernel.workspace import make_office, utc_now

    make_office(database, Context(ticket.region, ticket.currency, ticket.zone), ticket.device)
    with database.writing() as session:
        session.run("sync:head:device", _device_head, {"new_seq": PENDING})
        values = {
            "only": 1, "url": url, "operator": ticket.operator, "seq": 0, "hash": Cursor().hash, "stable": 0,
            "device_seq": ticket.device_seq, "view": "", "contact_at": utc_now(), "lease_days": lease_days,
        }  # fmt: skip
        session.run("sync:link:new", _new_link, values)


def _new_link() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return sa.insert(link)


def _device_head() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import head

    return head.update().values(seq=sa.bindparam("new_seq"))


def _touch_link() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import link

    return link.update().values(contact_at=sa.bindparam("new_contact_at"))
