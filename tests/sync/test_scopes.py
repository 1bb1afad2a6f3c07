"""What a shop's laptop gets to see: its own rows, and not a word of anybody else's."""

from __future__ import annotations

import msgspec
import pytest

from bo.core.kernel.errors import BoError, NotFound
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.sync.central import Caller, SnapshotWanted
from bo.sync.client import Report
from bo.sync.protocol import Commit, Cursor, Page, Pull, encode
from bo.sync.transport import Transport
from tests.sync import judging
from tests.sync.stage import Call, Device, Stage

# -- nothing but its own rows ------------------------------------------------------------------------------------------


def check(stage: Stage, *devices: Device) -> None:
    """Each holds what central's tables say it may, and nothing else."""
    for device in devices:
        shown = judging.rows_shown_to(stage.office, device.ws.actor)
        assert judging.difference(judging.rows_held(device.ws), shown) == ""
        assert judging.words_of_search(device.ws) == ""
        assert device.client.check(Report()) == []


def given(stage: Stage, store: str, **fields: object) -> str:
    lead = stage.lead(**fields)
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store=store)
    return lead


def test_a_lead_that_is_given_taken_away_and_given_to_another_shop_goes_along(stage: Stage) -> None:
    lead = stage.lead()
    anna, bert = stage.device("anna"), stage.device("bert")
    stage.office.do("leads.accept", lead)
    for store, has, has_not in (("S1", anna, bert), ("S2", bert, anna), ("S1", anna, bert)):
        stage.office.do("leads.assign", lead, store=store)
        anna.sync()
        bert.sync()
        assert lead in has.leads()
        assert lead not in has_not.leads()
        check(stage, anna, bert)
        stage.office.do("leads.recall", lead, note="another shop is nearer")
    anna.sync()
    check(stage, anna, bert)
    assert anna.leads() == set()


def test_a_lead_that_came_and_went_between_two_syncs_never_shows(stage: Stage) -> None:
    lead = stage.lead()
    anna = stage.device("anna")
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store="S1")
    stage.office.do("leads.recall", lead, note="another shop is nearer")

    anna.sync()

    assert anna.leads() == set()
    check(stage, anna)


def test_what_a_shop_wrote_about_a_lead_stays_with_that_shop(stage: Stage) -> None:
    lead = given(stage, "S2")
    bert, anna = stage.device("bert"), stage.device("anna")
    bert.do("leads.take", lead)
    bert.do("leads.follow_up", lead, outcome="reached", note="what bert wrote")
    bert.sync()
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    stage.office.do("leads.assign", lead, store="S1")

    anna.sync()
    bert.sync()

    assert anna.leads() == {lead}
    assert judging.rows_held(anna.ws)["follow_ups"] == {}
    check(stage, anna, bert)


def test_pending_work_on_a_lead_that_went_away_is_refused_and_the_lead_is_gone(stage: Stage) -> None:
    lead = given(stage, "S1")
    anna = stage.device("anna")
    anna.do("leads.take", lead)
    anna.do("leads.follow_up", lead, outcome="reached", note="typed offline")
    stage.office.do("leads.recall", lead, note="another shop is nearer")
    stage.office.do("leads.assign", lead, store="S2")

    report = anna.sync()

    assert (report.refused, report.waiting) == (2, 0)
    assert [item.name for item in anna.client.conflicts()] == ["leads.take", "leads.follow_up"]
    assert anna.leads() == set()
    check(stage, anna)


def test_somebody_who_goes_to_another_shop_has_that_shops_rows_and_no_others(stage: Stage) -> None:
    old, new = given(stage, "S1"), given(stage, "S2", phone="13900139000")
    anna = stage.device("anna")
    assert anna.leads() == {old}
    anna.do("leads.take", old)
    stage.office.do("operators.edit", anna.ws.actor, store="S2")

    report = anna.sync()

    assert anna.leads() == {new}
    assert (report.refused, report.waiting) == (1, 0)  # it was not hers any more
    assert judging.selected(anna.ws, "SELECT COUNT(*) FROM change") == [(0,)]
    check(stage, anna)


def test_what_was_sent_before_a_move_stays_done_after_it(stage: Stage) -> None:
    old = given(stage, "S1")
    anna = stage.device("anna")
    anna.do("leads.take", old)
    anna.client.push(Report())
    stage.office.do("operators.edit", anna.ws.actor, store="S2")

    report = anna.sync()

    assert (report.refused, report.confirmed, report.waiting) == (0, 1, 0)
    assert judging.selected(stage.office, f"SELECT state FROM lead WHERE id = '{old}'") == [("accepted",)]
    check(stage, anna)


@pytest.mark.parametrize("extra", ["referrers.read", "rewards.read", "territories.read", "operators.read"])
def test_rights_that_are_given_and_taken_change_what_is_held(stage: Stage, extra: str) -> None:
    stage.office.do("referrers.register", code="R-1", name="邓设计")
    given(stage, "S1", referrer="R-1")
    anna = stage.device("anna")
    (role,) = judging.selected(stage.office, "SELECT id, permissions FROM role WHERE code = 'store'")
    had = msgspec.json.decode(role[1], type=list[str])

    for permissions in ([*had, extra], had, [item for item in had if item != "follow_ups.read"], had):
        stage.office.do("roles.edit", role[0], permissions=permissions)
        anna.sync()
        check(stage, anna)


def test_somebody_at_headquarters_who_goes_to_a_shop_keeps_that_shop_alone(stage: Stage) -> None:
    own = given(stage, "S1")
    given(stage, "S2", phone="13900139000")
    stage.lead(phone="13700137000")
    hugo = stage.device("hugo")
    assert len(hugo.leads()) == 3
    stage.office.do("operators.edit", hugo.ws.actor, store="S1", roles="store")

    hugo.sync()

    assert hugo.leads() == {own}
    check(stage, hugo)


def test_who_may_only_read_gets_everything_and_changes_nothing(stage: Stage) -> None:
    stage.office.do("operators.add", login="otto", roles="auditor")
    lead = given(stage, "S1")
    otto = stage.device("otto")
    assert otto.leads() == {lead}
    with pytest.raises(BoError, match="may not"):
        otto.do("leads.edit", lead, note="x")
    check(stage, otto)


# -- not a word --------------------------------------------------------------------------------------------------------

CANARY = "kanarie"
TEXTS = (
    "name",
    "company",
    "province",
    "city",
    "district",
    "community",
    "room",
    "address",
    "category",
    "source",
    "note",
)


class Recorder:
    """Keeps every byte that comes from central, errors included."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.heard: list[bytes] = []

    def call(self, kind: str, body: bytes, *, timeout: float = 60.0) -> bytes:
        try:
            answer = self.inner.call(kind, body)
        except BoError as error:
            self.heard.append(repr((str(error), error.hint, error.facts)).encode())
            raise
        self.heard.append(answer)
        return answer

    def close(self) -> None:
        return


class Secrets:
    """Words that are planted where a shop has no business, each with the place it stands in."""

    def __init__(self) -> None:
        self.places: dict[bytes, str] = {}

    def word(self, place: str) -> str:
        made = f"{CANARY}{len(self.places):04}x"
        self.places[made.encode()] = place
        return made

    def found_in(self, heard: list[bytes]) -> dict[str, bytes]:
        return {
            place: answer[max(0, answer.find(word) - 200) : answer.find(word) + 100]
            for word, place in self.places.items()
            for answer in heard
            if word in answer
        }


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


def planted(stage: Stage, secrets: Secrets) -> dict[str, str]:
    """Leads, customers and notes of the other shop and of headquarters, with a word in every field."""
    office, word = stage.office, secrets.word
    rows: dict[str, str] = {}
    referrer = office.do("referrers.register", code=word("referrer"), name=word("referrer"), company=word("referrer"))
    rows["referrer"] = str(referrer.returned)
    secrets.places[rows["referrer"].encode()] = "id of a referrer"
    for place, owner in enumerate(("S2", "S2", "hq", "hq")):
        fields: dict[str, object] = {name: word(f"{owner}'s lead.{name}") for name in TEXTS}
        fields |= {"number": word(f"{owner}'s number"), "email": f"{word('email')}@example.com"}
        lead = stage.lead(**fields, phone=f"1391234567{place}", referrer=rows["referrer"], tags=word("tag"))
        rows[f"{owner} {place}"] = lead
        office.do("leads.accept", lead)
        if owner == "S2":
            office.do("leads.assign", lead, store="S2", note=word("assigned_reason"))
            office.do("leads.take", lead)
            office.do("leads.follow_up", lead, outcome="reached", note=word("S2's follow-up"))
        else:
            office.do("leads.follow_up", lead, outcome="reached", note=word("hq's follow-up"))
    for shop in ("S2", None):
        made = office.do(
            "customers.add", name=word("customer"), number=word("customer"), email=f"{word('customer')}@example.com",
            company=word("customer"), note=word("customer"), store=shop, address=word("customer"),
        )  # fmt: skip
        rows[f"customer {shop}"] = str(made.returned)
    office.do("operators.add", login=word("operator"), name=word("operator"), roles="manager")
    office.do("operators.edit", stage.operator("bert"), name=word("operator"), email=f"{word('operator')}@example.com")
    office.do("roles.add", code="spare", permissions="leads.read", note="everyone may see this")
    office.do("webhooks.add", name=word("webhook"), url=f"https://{word('webhook')}.example", operator="boss")
    rejected = stage.lead(name=word("rejected"), phone="13912345690")
    office.do("leads.reject", rejected, reason="wrong_number", note="no")
    office.do("leads.appeal", rejected, reason=word("appeal"))
    return rows


def tries(stage: Stage, anna: Device, rows: dict[str, str], own: str) -> None:
    """What somebody could try who knows the ids."""
    strangers = [row for name, row in rows.items() if name != "referrer"]
    operations = [row[0] for row in judging.selected(stage.office, "SELECT id FROM operation ORDER BY seq")]
    calls = [Call("leads.take", row) for row in strangers]
    calls += [Call("customers.edit", row, {"note": "mine"}) for row in strangers]
    calls += [Call("leads.edit", row, {"note": "mine"}) for row in strangers]
    calls += [Call("leads.edit", own, {"referrer": rows["referrer"]}), Call("leads.edit", own, {"wanted_store": "S2"})]
    calls += [Call("op.undo", None, {"operation": name}) for name in operations[-60:]]
    calls += [
        Call("leads.report", None, {"name": "x", "phone": f"1391234567{place}", "room": f"{place}"})
        for place in range(4)
    ]
    push_anyway(stage, anna, calls)


def push_anyway(stage: Stage, device: Device, calls: list[Call]) -> None:
    """Send operations that no proper program would have kept."""
    from bo.sync.protocol import Push, Sent

    number = 10_000
    ops = []
    for call in calls:
        number += 1
        name = stage.new_id()
        args = msgspec.Raw(encode(call.args))
        ops.append(Sent(name, number, call.name, 1, call.subject or "", args, name, stage.clock()))
    for start in range(0, len(ops), 20):
        part = tuple(ops[start : start + 20])
        device.client.transport.call("push", encode(Push(SCHEMA_VERSION, len(part), stage.clock(), part)))


@pytest.mark.parametrize("paid", [True, False])
def test_no_byte_that_comes_to_a_shop_has_a_word_of_anybody_elses(stage: Stage, secrets: Secrets, paid: bool) -> None:
    if paid:
        rule = {"code": "V", "event": "valid_lead", "kind": "fixed", "amount": 500}
        rules = [Call("reward_rules.add", None, rule), Call("reward_rules.activate", "V/1")]
        stage.office.run(rules, atomic=True)
    rows = planted(stage, secrets)
    own = given(stage, "S1", phone="13900139001", referrer=rows["referrer"])
    heard: list[bytes] = []

    def wrap(inner: Transport) -> Recorder:
        recorder = Recorder(inner)
        recorder.heard = heard
        return recorder

    anna = stage.device("anna", wrap=wrap)
    assert anna.leads() == {own}
    anna.do("leads.take", own)
    anna.sync()

    # rows that come, go, and are changed where they went; fields that are kept from a shop; mistakes; digests
    later = given(stage, "S1", phone="13900139002", referrer=rows["referrer"])
    for code in (secrets.word("the right referrer"), rows["referrer"]):
        if code != rows["referrer"]:
            stage.office.do("referrers.register", code=code)
        stage.office.do("leads.correct", later, referrer=code, reason="a mistake")
    anna.sync()
    stage.office.do("leads.recall", later, note=secrets.word("why it was taken away"))
    stage.office.do("leads.edit", later, note=secrets.word("note after it went"))
    stage.office.do("leads.assign", later, store="S2", note=secrets.word("why S2"))
    anna.sync()
    undone = stage.office.do("leads.edit", rows["S2 0"], company=secrets.word("an edit"))
    stage.office.undo(undone.operation)
    tries(stage, anna, rows, own)
    anna.sync()
    anna.client.check(Report())
    anna.client.snapshot(Report())
    for kind, body in (
        ("pull", encode(Pull(Cursor(), SCHEMA_VERSION, "")) ), ("snapshot", encode(SnapshotWanted("leads:0"))),
        ("snapshot", encode(SnapshotWanted("customers:0"))), ("push", b"{"), ("nonsense", b"{}"),
    ):  # fmt: skip
        try:
            anna.client.transport.call(kind, body)
        except BoError:
            continue

    assert len(heard) > 20
    assert secrets.found_in(heard) == {}
    check(stage, anna)


def test_a_cursor_at_the_beginning_tells_nothing_of_before(stage: Stage, secrets: Secrets) -> None:
    rows = planted(stage, secrets)
    heard: list[bytes] = []

    def wrap(inner: Transport) -> Recorder:
        recorder = Recorder(inner)
        recorder.heard = heard
        return recorder

    anna = stage.device("anna", wrap=wrap)
    link = anna.ws.read_link()
    assert link is not None
    answer = anna.client.transport.call("pull", encode(Pull(Cursor(), SCHEMA_VERSION, link.view)))

    assert msgspec.json.decode(answer, type=Page).commits
    assert secrets.found_in(heard) == {}
    assert rows["S2 0"].encode() not in answer


def test_a_lead_that_is_not_there_and_one_of_another_shop_get_the_same_words(stage: Stage) -> None:
    foreign = given(stage, "S2")
    anna = stage.device("anna")

    def words(subject: str) -> str:
        with pytest.raises(NotFound) as error:
            anna.do("leads.take", subject)
        return str(error.value).replace(subject, "…")

    assert words(foreign) == words("lead_" + "0" * 26)
    push_anyway(stage, anna, [Call("leads.take", foreign), Call("leads.take", "lead_" + "0" * 26)])
    told = judging.selected(stage.office, "SELECT answer FROM answer ORDER BY id")
    first, second = (msgspec.json.decode(row[0], type=dict[str, object]) for row in told)
    assert (first["message"], first["code"], first["hint"]) == (second["message"], second["code"], second["hint"])


def test_arguments_are_told_only_where_all_that_they_did_is(stage: Stage) -> None:
    lead = given(stage, "S1")
    anna = stage.device("anna")
    customer = stage.office.do("customers.add", name="王小明", store="S1")
    stage.office.do("customers.edit", str(customer.returned), note="for the shop")
    stage.office.do("leads.edit", lead, note="a field of a lead is kept from the shop")
    stage.office.do("leads.recall", lead, note="why: not for the shop")
    link = anna.ws.read_link()
    assert link is not None
    body = encode(Pull(Cursor(link.seq, link.hash), SCHEMA_VERSION, link.view))

    page = msgspec.json.decode(anna.client.transport.call("pull", body), type=Page)

    told: dict[str, Commit] = {commit.op.name: commit for commit in page.commits}
    assert told["customers.edit"].op.args == '{"note":"for the shop"}'
    assert told["leads.edit"].op.args == "{}"
    assert told["leads.recall"].op.args == "{}"
    assert [row.image for row in told["leads.recall"].rows] == [None]


@pytest.mark.parametrize(
    ("kind", "body"),
    [("pull", encode(Pull(Cursor(), SCHEMA_VERSION, ""))), ("snapshot", b"{}"), ("digest", b"{}")],
)
def test_nobody_gets_anything_in_the_name_of_nobody(stage: Stage, kind: str, body: bytes) -> None:
    with pytest.raises(BoError):
        stage.central.answer(Caller("oper_" + "0" * 26, "dev_" + "0" * 26), kind, body)
