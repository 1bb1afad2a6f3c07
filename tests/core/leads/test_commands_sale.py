"""Orders, refunds and cancelled orders, and the rewards that go with them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bo.core.customers.records import Customer
from bo.core.rewards.records import RewardLine
from tests.core.leads.scene import DESIGNER, MONDAY, Scene


def pays_five_percent(scene: Scene) -> None:
    terms = {"event": "won", "kind": "percent", "rate": "5%", "base": "net", "currency": "CNY"}
    scene.do("reward_rules.add", None, code="W", effective_from="2026-01-01", **terms)
    scene.do("reward_rules.activate", "W")


def lines(scene: Scene) -> list[tuple[str, str, int]]:
    found = scene.office.reader().records(RewardLine, "sort:created_at")
    return [(line.kind, line.state, line.amount) for line in found]


def test_an_order_ends_the_lead_makes_the_customer_and_earns(scene: Scene) -> None:
    pays_five_percent(scene)

    lead = scene.lead(scene.bring_to("won", referrer=DESIGNER, email="li@yy.com"))

    assert (lead.state, lead.order_number, lead.order_amount, lead.order_net) == ("won", "SO-1", 1_000_000, 800_000)
    assert (lead.won_at, lead.due_at, lead.currency) == (MONDAY, None, "CNY")
    customer = scene.office.reader().get(Customer, lead.customer or "")
    assert (customer.name, customer.phone, customer.email, customer.store) == (
        "李雷",
        "+8613800138000",
        "li@yy.com",
        lead.store,
    )
    assert [(kind, amount) for kind, _state, amount in lines(scene)] == [("reward", 40_000)]


def test_a_second_order_finds_the_customer(scene: Scene) -> None:
    first = scene.lead(scene.bring_to("won"))
    scene.later(days=91)
    second = scene.bring_to("quoted")

    scene.do("leads.win", second, order_number="SO-2", amount="500")

    assert scene.lead(second).customer == first.customer
    assert len(scene.office.reader().records(Customer)) == 1


def test_an_order_belongs_to_one_lead(scene: Scene) -> None:
    scene.bring_to("won")
    lead = scene.bring_to("quoted", phone="13900139000")

    assert scene.refused("leads.win", lead, order_number="SO-1", amount="10") == "order_taken"


def test_an_order_older_than_the_report_earns_nothing(scene: Scene) -> None:
    lead = scene.bring_to("quoted")

    assert scene.refused("leads.win", lead, order_number="SO-9", amount="10", won_at="2026-11-01") == "sold_before"
    scene.do("leads.correct", lead, reported_at="2026-10-30 10:00", reason="The paper form says so")
    assert scene.do("leads.win", lead, order_number="SO-9", amount="10", won_at="2026-11-01").ok


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": "0"}, "wrong_amount"),
        ({"amount": "-5"}, "wrong_amount"),
        ({"amount": "10", "net": "11"}, "wrong_amount"),
        ({"amount": "10", "won_at": "2026-11-03"}, "wrong_time"),
        ({}, "wrong_amount"),
    ],
)
def test_an_order_that_cannot_be_is_refused(scene: Scene, values: dict[str, object], code: str) -> None:
    assert scene.refused("leads.win", scene.bring_to("quoted"), order_number="SO-9", **values) == code


def test_a_lead_on_hold_can_be_won(scene: Scene) -> None:
    lead = scene.bring_to("contacted")
    scene.do("leads.hold", lead, until="2026-11-20")

    scene.do("leads.win", lead, order_number="SO-9", amount="10")

    assert (scene.lead(lead).state, scene.lead(lead).hold_until, scene.lead(lead).stopped_kind) == ("won", None, "")


def test_a_lead_without_a_store_is_not_won(scene: Scene) -> None:
    assert scene.refused("leads.win", scene.bring_to("valid"), order_number="SO-9", amount="10") == "wrong_state"


def test_refunds_take_their_share_of_the_reward_and_the_last_one_reverses_the_sale(scene: Scene) -> None:
    pays_five_percent(scene)
    lead = scene.bring_to("won", referrer=DESIGNER)

    scene.do("leads.refund", lead, amount="2,500", reason="One cabinet came back")
    assert (scene.lead(lead).state, scene.lead(lead).refunded) == ("won", 250_000)
    assert [amount for _kind, _state, amount in lines(scene)] == [40_000, -10_000]
    assert scene.refused("leads.refund", lead, amount="7,500.01", reason="Too much") == "wrong_amount"

    scene.do("leads.refund", lead, amount="7,500", reason="All of it")
    assert (scene.lead(lead).state, scene.lead(lead).refunded) == ("reversed", 1_000_000)
    assert [amount for _kind, _state, amount in lines(scene)] == [40_000, -10_000, -30_000]
    assert scene.refused("leads.refund", lead, amount="1", reason="Again") == "wrong_state"


def test_a_cancelled_order_takes_the_whole_reward_back(scene: Scene) -> None:
    pays_five_percent(scene)
    lead = scene.bring_to("won", referrer=DESIGNER)

    scene.do("leads.reverse", lead, reason="Cancelled")

    assert scene.lead(lead).state == "reversed"
    assert lines(scene) == [("reward", "void", 40_000)]
    assert scene.refused("leads.reverse", lead, reason="Again") == "wrong_state"


def test_an_order_that_was_taken_off_its_lead_may_be_won_by_another_one(scene: Scene) -> None:
    pays_five_percent(scene)
    wrong = scene.bring_to("won", referrer=DESIGNER)
    right = scene.bring_to("quoted", phone="13900139000", referrer=DESIGNER)

    scene.do("orders.unlink", "SO-1")
    scene.do("leads.win", right, order_number="SO-1")

    assert (scene.lead(wrong).state, scene.lead(wrong).order_number, scene.lead(wrong).due_kind) == (
        "contacted",
        None,
        "follow_up",
    )
    assert (scene.lead(right).state, scene.lead(right).order_amount) == ("won", 1_000_000)
    assert lines(scene) == [("reward", "void", 40_000), ("reward", "due", 40_000)]


def test_a_cancelled_order_wins_nothing(scene: Scene) -> None:
    scene.do("leads.reverse", scene.bring_to("won"), reason="Cancelled")
    lead = scene.bring_to("quoted", phone="13900139000")

    assert scene.refused("leads.win", lead, order_number="SO-1") == "order_not_sold"
    assert scene.do("leads.win", lead, order_number="SO-1", channel="till", amount="10").ok


def test_a_win_is_undone_with_its_reward_and_customer(scene: Scene) -> None:
    pays_five_percent(scene)
    lead = scene.bring_to("quoted", referrer=DESIGNER)
    done = scene.do("leads.win", lead, order_number="SO-1", amount="10", net="10")

    scene.office.undo(done.operation)

    assert scene.lead(lead).state == "quoted"
    assert lines(scene) == []
    assert scene.office.reader().records(Customer) == []


def test_the_first_visit_earns_once(scene: Scene) -> None:
    scene.do(
        "reward_rules.add",
        None,
        code="V",
        event="visit",
        kind="fixed",
        amount="20",
        currency="CNY",
        effective_from="2026-01-01",
    )
    scene.do("reward_rules.activate", "V")
    lead = scene.bring_to("visited", referrer=DESIGNER)

    scene.do("leads.follow_up", lead, kind="visit", outcome="visited")

    assert [amount for _kind, _state, amount in lines(scene)] == [2_000]
    assert scene.lead(lead).visited_at == datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
