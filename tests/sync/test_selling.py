"""A shop sells on its own laptop: the order is there at once, and central's word about it comes with the next sync."""

from __future__ import annotations

from bo.core.orders.records import Order, OrderLine, Payment
from bo.core.rewards.records import RewardLine
from tests.sync import judging
from tests.sync.stage import Device, Stage


def assigned(stage: Stage, store: str, **fields: object) -> str:
    """A lead that a shop has taken."""
    lead = stage.lead(**fields)
    stage.office.do("leads.accept", lead)
    stage.office.do("leads.assign", lead, store=store)
    stage.office.do("leads.take", lead)
    return lead


def rewarded(stage: Stage) -> str:
    """A referrer who gets a tenth of an order's net amount."""
    terms = {"event": "won", "kind": "percent", "rate": "10%", "base": "net", "effective_from": "2026-01-01"}
    stage.office.do("reward_rules.add", None, code="NET", **terms)
    stage.office.do("reward_rules.activate", "NET")
    return str(stage.office.do("referrers.register", None, code="D1", name="王设计师", kind="designer").returned)


def in_step(stage: Stage, device: Device) -> None:
    shown = judging.rows_shown_to(stage.office, device.ws.actor)
    assert judging.difference(judging.rows_held(device.ws), shown) == ""
    assert not device.client.pending()


def test_a_sale_without_a_network_is_an_order_here_and_the_same_one_at_central(stage: Stage) -> None:
    lead = assigned(stage, "S1", referrer=rewarded(stage))
    anna = stage.device("anna")

    anna.do("leads.win", lead, order_number="SO-1", amount="1130", net="1000")
    here = anna.ws.reader().get(Order, "SO-1")
    assert (here.lead, here.total, here.captured, here.payment) == (lead, 113_000, 113_000, "paid")
    assert judging.selected(anna.ws, "SELECT id FROM payment") == []
    report = anna.sync()

    assert (report.confirmed, report.refused, report.again) == (1, 0, 0)
    there = stage.office.reader().get(Order, "SO-1")
    assert (there.id, there.customer, there.captured, there.lead) == (here.id, here.customer, 113_000, lead)
    assert [item.amount for item in stage.office.reader().records(Payment)] == [113_000]
    assert [item.amount for item in stage.office.reader().records(RewardLine)] == [10_000]
    in_step(stage, anna)


def test_an_order_that_headquarters_knows_is_linked_when_the_sale_arrives(stage: Stage) -> None:
    lead = assigned(stage, "S1")
    anna = stage.device("anna")
    lines = [{"name": "Sofa", "quantity": 1, "price": "1000"}]
    known = stage.office.do("orders.record", None, number="SO-1", channel="web", tax="130", lines=lines).returned

    anna.do("leads.win", lead, order_number="SO-1", amount="1130")
    anna.sync()

    assert [(item.id, item.channel) for item in anna.ws.reader().records(Order)] == [(known, "web")]
    assert [item.name for item in anna.ws.reader().records(OrderLine)] == ["Sofa"]
    assert anna.lead(lead).order_net == 100_000
    in_step(stage, anna)


def test_two_shops_that_sell_one_order_meet_and_the_first_is_right(stage: Stage) -> None:
    first, second = assigned(stage, "S1"), assigned(stage, "S2", phone="13800138001")
    anna, bert = stage.device("anna"), stage.device("bert")
    anna.do("leads.win", first, order_number="SO-1", amount="100")
    bert.do("leads.win", second, order_number="SO-1", amount="200")

    anna.sync()
    report = bert.sync()

    assert (report.refused, bert.lead(second).state) == (1, "accepted")
    assert [item.store for item in stage.office.reader().records(Order)] == [stage.store("S1")]
    in_step(stage, anna)
    in_step(stage, bert)


def test_what_a_shop_sends_keeps_the_sums_that_central_told(stage: Stage) -> None:
    lead = assigned(stage, "S1")
    lines = [{"name": "Sofa", "quantity": 1, "price": "1000"}]
    known = stage.office.do("orders.record", None, number="SO-1", lines=lines, captured="1000").returned
    stage.office.do("orders.link", known, lead=lead)
    anna = stage.device("anna")

    anna.do("orders.fulfil", "SO-1")

    found = anna.ws.reader().get(Order, "SO-1")
    assert (found.state, found.captured, found.payment) == ("fulfilled", 100_000, "paid")
    report = anna.sync()
    assert (report.confirmed, report.again) == (1, 0)
    in_step(stage, anna)


def test_a_refund_of_a_lead_waits_for_central(stage: Stage) -> None:
    lead = assigned(stage, "S1")
    hugo = stage.device("hugo")
    hugo.do("leads.win", lead, order_number="SO-1", amount="100")

    assert hugo.do("leads.refund", lead, amount="50", reason="torn").status == "requested"
    hugo.sync()

    assert (hugo.lead(lead).refunded, stage.office.reader().get(Order, "SO-1").refunded) == (5_000, 5_000)
    in_step(stage, hugo)
