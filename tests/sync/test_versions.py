"""Older and newer programs on either side: what can be understood is done, the rest waits, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from bo.core.kernel import command as declared
from bo.core.kernel.command import upcasts
from bo.core.kernel.errors import UsageError
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.sync.central import OldSchema, SnapshotWanted
from bo.sync.client import Report
from bo.sync.protocol import PROTOCOL, Commit, Cursor, Digest, Hello, Page, Pull, Row, SnapshotPage, encode
from bo.sync.transport import Transport
from tests.sync import judging
from tests.sync.lossy import Lossy
from tests.sync.stage import Device, Stage


def in_step(stage: Stage, device: Device) -> None:
    shown = judging.rows_shown_to(stage.office, device.ws.actor)
    assert judging.difference(judging.rows_held(device.ws), shown) == ""
    assert not device.client.pending()


def as_version(device: Device, operation: str, version: int, **changed: object) -> None:
    """What waits was written by another version of bo."""
    script = [f"UPDATE pending SET version = {version} WHERE id = '{operation}'"]
    script += [f"UPDATE pending SET {name} = '{value}' WHERE id = '{operation}'" for name, value in changed.items()]
    device.ws.database.session.script(script)


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def newer_edit(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    """`leads.edit` is at version 3 everywhere: `remark` became `comment`, and then `note`."""
    monkeypatch.setattr(declared, "_UPCASTERS", dict(declared._UPCASTERS))

    @upcasts("leads.edit", 1)
    def _first(args: Mapping[str, object]) -> Mapping[str, object]:
        return {"comment" if name == "remark" else name: value for name, value in args.items()}

    @upcasts("leads.edit", 2)
    def _second(args: Mapping[str, object]) -> Mapping[str, object]:
        return {"note" if name == "comment" else name: value for name, value in args.items()}

    registry = stage.office.registry.load_all()
    assert registry.command("leads.edit").version == 1
    _everywhere(stage, monkeypatch, version=3)


def _everywhere(stage: Stage, monkeypatch: pytest.MonkeyPatch, *, version: int) -> None:
    """Every registry that is made from now on knows that version of the command."""
    from bo.core import office

    make = office.registry

    def newer() -> declared.Registry:
        made = make().load_all()
        made.commands["leads.edit"] = msgspec.structs.replace(made.commands["leads.edit"], version=version)
        return made

    monkeypatch.setattr(office, "registry", newer)
    stage.restart()


@pytest.mark.usefixtures("newer_edit")
@pytest.mark.parametrize(("version", "word"), [(1, "remark"), (2, "comment"), (3, "note")])
def test_what_an_older_program_did_is_done_as_it_was_meant(stage: Stage, version: int, word: str) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo")
    made = hugo.do("leads.edit", lead, note="as it was")
    as_version(hugo, made.operation, version, args=f'{{"{word}":"as it was"}}')

    report = hugo.sync()

    assert (report.sent, report.confirmed, report.refused) == (1, 1, 0)
    assert judging.selected(stage.office, f"SELECT note FROM lead WHERE id = '{lead}'") == [("as it was",)]
    assert judging.selected(stage.office, "SELECT version FROM operation WHERE name = 'leads.edit'") == [(3,)]
    in_step(stage, hugo)


@pytest.mark.usefixtures("newer_edit")
def test_an_older_operation_that_is_run_again_here_is_read_as_it_was_meant(stage: Stage) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo")
    made = hugo.do("leads.edit", lead, note="as it was")
    as_version(hugo, made.operation, 1, args='{"remark":"as it was"}')
    stage.office.do("leads.edit", lead, name="韩梅梅")

    hugo.client.pull(report := Report())

    assert report.again == 1
    assert (hugo.lead(lead).name, hugo.lead(lead).note) == ("韩梅梅", "as it was")
    hugo.sync()
    in_step(stage, hugo)


def test_what_a_newer_program_did_waits_with_all_after_it_and_is_done_when_central_knows_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = stage.lead()
    hugo = stage.device("hugo")
    first = hugo.do("leads.edit", lead, note="before")
    newer = hugo.do("leads.edit", lead, note="newer")
    last = hugo.do("leads.edit", lead, note="after")
    as_version(hugo, newer.operation, 2)

    for _time in range(2):
        report = hugo.sync()
        assert (report.confirmed + report.waiting, report.waiting, report.events) == (report.confirmed + 2, 2, ["late"])
        assert [item.id for item in hugo.client.pending()] == [newer.operation, last.operation]
    assert judging.selected(stage.office, f"SELECT note FROM lead WHERE id = '{lead}'") == [("before",)]
    assert judging.selected(stage.office, "SELECT COUNT(*) FROM quarantine") == [(0,)]
    assert judging.selected(stage.office, "SELECT COUNT(*) FROM answer") == [(0,)]

    _everywhere(stage, monkeypatch, version=2)
    hugo.reopen()
    report = hugo.sync()

    assert (report.confirmed, report.waiting, report.events) == (2, 0, [])
    journal = judging.selected(stage.office, "SELECT id FROM operation WHERE name = 'leads.edit' ORDER BY seq")
    assert [row[0] for row in journal] == [first.operation, newer.operation, last.operation]
    assert judging.selected(stage.office, f"SELECT note FROM lead WHERE id = '{lead}'") == [("after",)]
    in_step(stage, hugo)


def test_a_command_that_central_has_never_heard_of_waits_and_stops_nobody_else(stage: Stage) -> None:
    lead = stage.lead()
    hugo, mia = stage.device("hugo"), stage.device("anna")
    made = hugo.do("leads.edit", lead, note="new")
    as_version(hugo, made.operation, 1, name="leads.enchant")

    report = hugo.sync()
    mia.sync()

    assert (report.waiting, report.events) == (1, ["late"])
    assert judging.selected(stage.office, "SELECT COUNT(*) FROM answer") == [(0,)]


# -- rows --------------------------------------------------------------------------------------------------------------


class Newer:
    """A central store of a later version: it has a noun more, and a field more in every lead."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.on = True

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        answer = self.inner.call(kind, body)
        if not self.on:
            return answer
        if kind == "pull":
            page = msgspec.json.decode(answer, type=Page)
            page = msgspec.structs.replace(page, commits=tuple(self._commit(commit) for commit in page.commits))
            return self._with_more(encode(page))
        if kind == "digest":
            found = msgspec.json.decode(answer, type=Digest)
            return encode({**msgspec.to_builtins(found), "sums": {**found.sums, "wands": {"rows": 1, "sum": 7}}})
        return self._with_more(answer) if kind in ("push", "hello") else answer

    def _commit(self, commit: Commit) -> Commit:
        rows = [self._row(row) for row in commit.rows]
        wand = Row("wands", "wand_" + "0" * 26, msgspec.Raw(b'{"id":"x","wood":"oak"}'))
        return msgspec.structs.replace(commit, rows=(wand, *rows))

    def _row(self, row: Row) -> Row:
        if row.image is None or row.noun != "leads":
            return row
        values = msgspec.json.decode(row.image)
        return msgspec.structs.replace(row, json=msgspec.Raw(encode({**values, "mood": "fine"})))

    def _with_more(self, answer: bytes) -> bytes:
        return encode({**msgspec.json.decode(answer), "moon": "full"})

    def close(self) -> None:
        return


@pytest.mark.parametrize("pending", [False, True])
def test_rows_and_fields_of_a_newer_central_store_are_left_out_and_the_rest_is_taken(
    stage: Stage, pending: bool
) -> None:
    lead, other = stage.lead(), stage.lead(phone="13900139000")
    hugo = stage.device("hugo", wrap=Newer)
    if pending:
        hugo.do("leads.edit", lead, note="mine")
    stage.office.do("leads.edit", other, note="theirs")
    stage.office.do("leads.accept", lead)

    hugo.sync()

    assert hugo.lead(other).note == "theirs"
    assert hugo.lead(lead).note == ("mine" if pending else "")
    in_step(stage, hugo)
    assert hugo.client.check(Report()) == []


# -- schemas and protocols ---------------------------------------------------------------------------------------------


def test_a_device_of_an_older_schema_can_still_send_and_is_told_why_it_gets_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hugo = stage.device("hugo", wrap=Lossy)
    hugo.do("leads.report", name="王小明", phone="13900139000")
    monkeypatch.setattr("bo.sync.client.SCHEMA_VERSION", "0001")
    rows = judging.rows_held(hugo.ws)

    for _time in range(2):
        with pytest.raises(OldSchema, match="moved on to schema"):
            hugo.sync()

    assert judging.selected(stage.office, "SELECT name FROM lead") == [("王小明",)]
    assert judging.rows_held(hugo.ws) == rows
    monkeypatch.setattr("bo.sync.client.SCHEMA_VERSION", SCHEMA_VERSION)
    hugo.sync()
    in_step(stage, hugo)


def test_a_device_that_was_upgraded_takes_everything_anew_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.lead()
    hugo = stage.device("hugo")
    hugo.do("leads.report", name="王小明", phone="13900139000")
    monkeypatch.setattr("bo.sync.client.SCHEMA_VERSION", "9999")

    first, second = hugo.sync(), hugo.sync()

    assert (first.events, second.events) == (["view"], [])
    in_step(stage, hugo)


@pytest.mark.parametrize("schema", ["", "0001"])
def test_too_old_a_schema_gets_no_page_and_no_snapshot(stage: Stage, schema: str) -> None:
    hugo = stage.device("hugo")
    for kind, body in (
        ("pull", encode(Pull(Cursor(), schema, ""))),
        ("snapshot", encode(SnapshotWanted("", schema))),
    ):
        with pytest.raises(OldSchema):
            stage.central.answer(hugo.caller(), kind, body)


def test_a_protocol_that_central_does_not_speak_is_refused(stage: Stage) -> None:
    hugo = stage.device("hugo")
    hello = Hello((PROTOCOL + 1,), "9.9", SCHEMA_VERSION, 1, Cursor(), stage.clock())

    with pytest.raises(OldSchema, match="speaks protocol 1"):
        stage.central.answer(hugo.caller(), "hello", encode(hello))

    both = msgspec.structs.replace(hello, protocols=(PROTOCOL, PROTOCOL + 1))
    assert msgspec.json.decode(stage.central.answer(hugo.caller(), "hello", encode(both)))["protocol"] == PROTOCOL


@pytest.mark.parametrize("kind", ["hello", "push", "pull", "snapshot", "digest"])
def test_a_field_that_central_does_not_know_is_told_and_nothing_is_done(stage: Stage, kind: str) -> None:
    hugo = stage.device("hugo")
    head = judging.head(stage.office)

    with pytest.raises(UsageError, match="cannot be read"):
        stage.central.answer(hugo.caller(), kind, b'{"moon":"full"}')

    assert judging.head(stage.office) == head


@pytest.mark.parametrize("seq", [-1, -(2**70), 2**63, 2**70])
def test_a_cursor_that_cannot_be_is_no_place_in_history(stage: Stage, seq: int) -> None:
    hugo = stage.device("hugo")
    link = hugo.ws.read_link()
    assert link is not None
    body = encode({"cursor": {"seq": seq, "hash": "x"}, "schema": SCHEMA_VERSION, "view": link.view})

    page = msgspec.json.decode(stage.central.answer(hugo.caller(), "pull", body), type=Page)

    assert (page.status, page.commits) == ("diverged", ())


@pytest.mark.parametrize(
    "after", ["leads", "leads:", "leads:-1", "leads:x", "nothing:1", ":", "leads:" + "9" * 40, "é:1"]
)
def test_a_place_that_no_snapshot_has_is_told(stage: Stage, after: str) -> None:
    hugo = stage.device("hugo")

    with pytest.raises(UsageError, match="no place in a snapshot"):
        stage.central.answer(hugo.caller(), "snapshot", encode(SnapshotWanted(after, SCHEMA_VERSION)))


def test_a_snapshot_part_says_what_it_holds(stage: Stage) -> None:
    stage.lead()
    hugo = stage.device("hugo")

    answer = stage.central.answer(hugo.caller(), "snapshot", encode(SnapshotWanted("", SCHEMA_VERSION)))

    page = msgspec.json.decode(answer, type=SnapshotPage)
    assert page.total == len(page.rows) > 0
    assert page.next == ""
