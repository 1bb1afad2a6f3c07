"""Orders and the leads that they come of: a lead is won with an order, and its reward follows the order's money."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bo.core.access.records import Operator
from bo.core.customers.records import Customer
from bo.core.kernel.command import Command, Query
from bo.core.kernel.errors import BoError
from bo.core.leads.records import Lead
from bo.core.office import VERBS, registry
from bo.core.orders.following import left_of_sale
from bo.core.orders.records import Order, OrderLine, Payment, Refund
from bo.core.rewards.records import RewardLine
from tests.core.leads.conftest import brand as brand
from tests.core.leads.conftest import scene as scene
from tests.core.leads.scene import DESIGNER, MONDAY, Scene

SOFA = {"sku": "SOFA", "name": "Sofa", "quantity": 2, "price": "400.00"}
REWARD = 8_000  # a tenth of the net amount


@pytest.fixture
def shop(scene: Scene) -> Scene:
    """Ten percent of the net amount of an order are its referrer's; a sofa costs the shop 250."""
    pays(scene, "NET", "net")
    scene.do("products.record", None, handle="sofa", title="Sofa", variants=[{"sku": "SOFA", "cost": "250"}])
    return scene


def pays(scene: Scene, code: str, base: str, event: str = "won") -> None:
    terms = {"event": event, "kind": "percent", "rate": "10%", "base": base, "currency": "CNY"}
    scene.do("reward_rules.add", None, code=code, effective_from="2026-01-01", **terms)
    scene.do("reward_rules.activate", code)


def ordered(scene: Scene, order_number: str = "1001", /, **args: object) -> str:
    """A shop's order of 1,000.00: goods of 800.00, tax of 104.00, shipping of 96.00; its id."""
    sums = {"tax": "104.00", "shipping": "96.00", "captured": "1,000.00", "placed_at": MONDAY}
    made = scene.do(
        "orders.record", None, **{"number": order_number, "channel": "web", "lines": [SOFA], **sums, **args}
    )
    assert made.returned is not None
    return made.returned


def quoted(scene: Scene, **fields: object) -> str:
    return scene.bring_to("quoted", referrer=DESIGNER, **fields)


def linked(scene: Scene, **args: object) -> tuple[str, str]:
    """A lead that was won with a shop's order: both ids."""
    order, lead = ordered(scene, **args), quoted(scene)
    scene.do("leads.win", lead, order_number="1001")
    return order, lead


def order_of(scene: Scene, text: str) -> Order:
    return scene.office.reader().get(Order, text)


def rewards(scene: Scene) -> list[tuple[str | None, int]]:
    """What is earned and taken back: the event, or what the line takes back, and its amount; void ones left out."""
    found = scene.office.reader().records(RewardLine, "sort:created_at")
    return [(line.event if line.kind == "reward" else line.kind, line.amount) for line in found if line.state != "void"]


def give_back(scene: Scene, order: str, amount: str, shipping: str = "0") -> None:
    """A refund that is granted and paid back."""
    refund = scene.do("orders.refund", order, amount=amount, shipping=shipping, reason="torn").returned
    scene.do("refunds.execute", refund)


def returned(scene: Scene, order: str, pieces: int) -> str:
    """Sent pieces that came back; the return."""
    made = scene.do("returns.request", None, order=order, lines={"SOFA": pieces}).returned
    scene.do("returns.approve", made)
    scene.do("returns.receive", made, restock="scrap")
    assert made is not None
    return made


# -- won ---------------------------------------------------------------------------------------------------------------


def test_a_win_makes_an_order_of_what_is_reported(shop: Scene) -> None:
    lead = shop.lead(shop.bring_to("won", referrer=DESIGNER, community="望京", room="3-201"))

    made = order_of(shop, "SO-1")
    assert (made.channel, made.lead, made.store, made.customer) == ("leads", lead.id, lead.store, lead.customer)
    assert (made.total, made.tax, made.shipping, made.placed_at) == (1_000_000, 200_000, 0, MONDAY)
    assert (made.name, made.phone, made.city, made.address) == ("李雷", "+8613800138000", "上海", "望京 3-201")
    assert (made.state, made.payment, made.captured, made.scope) == ("unfulfilled", "paid", 1_000_000, lead.scope)
    (payment,) = shop.office.reader().records(Payment)
    assert (payment.order, payment.amount, payment.method, payment.at) == (made.id, 1_000_000, "reported", MONDAY)
    assert rewards(shop) == [("won", 80_000)]


def test_a_win_links_the_order_of_that_number_and_takes_its_sums(shop: Scene) -> None:
    order, lead = linked(shop)

    won, found = shop.lead(lead), order_of(shop, order)
    assert (won.state, won.order_number, won.order_amount, won.order_net) == ("won", "1001", 100_000, 80_000)
    assert (found.lead, found.store, found.customer, found.scope) == (lead, won.store, won.customer, won.scope)
    assert {line.scope for line in shop.office.reader().records(OrderLine)} == {won.scope}
    assert len(shop.office.reader().records(Order)) == 1
    assert rewards(shop) == [("won", REWARD)]


def test_sums_that_are_not_the_order_s_are_refused_with_both(shop: Scene) -> None:
    order, lead = ordered(shop), quoted(shop)

    assert shop.refused("leads.win", lead, order_number="1001", amount="999") == "wrong_amount"
    assert shop.refused("leads.win", lead, order_number="1001", amount="1000", net="1000") == "wrong_amount"
    with pytest.raises(BoError, match=r"1001 of web comes to 1,?000\.00 CNY, and not to 999\.00"):
        shop.do("leads.win", lead, order_number="1001", amount="999")
    shop.do("leads.win", lead, order_number="1001", amount="1000", net="800")
    assert order_of(shop, order).lead == lead


def test_an_order_that_nobody_knows_needs_an_amount(shop: Scene) -> None:
    assert shop.refused("leads.win", quoted(shop), order_number="1001") == "wrong_amount"


def test_of_two_channels_with_one_number_one_is_to_be_said(shop: Scene) -> None:
    ordered(shop)
    other, lead = ordered(shop, channel="till"), quoted(shop)

    assert shop.refused("leads.win", lead, order_number="1001") == "ambiguous"
    with pytest.raises(BoError, match="several channels have an order 1001: till, web"):
        shop.do("leads.win", lead, order_number="1001")
    shop.do("leads.win", lead, order_number="1001", channel="till")
    assert order_of(shop, other).lead == lead


def test_a_channel_that_has_no_such_order_gets_one(shop: Scene) -> None:
    ordered(shop)
    lead = quoted(shop)

    shop.do("leads.win", lead, order_number="1001", channel="market", amount="50")

    assert {item.channel: item.lead for item in shop.office.reader().records(Order)} == {"web": None, "market": lead}


def test_an_order_wins_one_lead_only(shop: Scene) -> None:
    order, _lead = linked(shop)
    second = quoted(shop, phone="13900139000")

    assert shop.refused("leads.win", second, order_number="1001") == "order_taken"
    assert shop.refused("orders.link", order, lead=second) == "order_taken"


@pytest.mark.parametrize("given", [{"cancelled_at": MONDAY}, {"refunded": "1,000.00"}])
def test_an_order_of_which_nothing_is_sold_wins_nothing(shop: Scene, given: dict[str, object]) -> None:
    order, lead = ordered(shop, **given), quoted(shop)

    assert shop.refused("leads.win", lead, order_number="1001") == "order_not_sold"
    assert shop.refused("orders.link", order, lead=lead) == "order_not_sold"


def test_an_order_of_another_store_is_refused(shop: Scene) -> None:
    ordered(shop, store="S2")

    assert shop.refused("leads.win", quoted(shop), order_number="1001") == "other_store"


def test_a_shop_does_not_learn_of_another_shop_s_order(shop: Scene) -> None:
    shop.do("operators.edit", "stan", store="S1")
    ordered(shop, store="S2")
    lead = quoted(shop)

    assert shop.refused("leads.win", lead, order_number="1001", by="stan") == "wrong_amount"
    shop.do("leads.win", lead, order_number="1001", amount="70", by="stan")
    assert shop.lead(lead).order_amount == 7_000
    assert shop.office.reader().get(Operator, "stan").store == shop.id_of("stores", "S1")


def test_a_shop_that_knows_the_number_alone_does_not_get_an_order_of_headquarters(shop: Scene) -> None:
    # given
    shop.do("operators.edit", "stan", store="S1")
    order, lead = ordered(shop), quoted(shop)

    # then what the order comes to is not told, and a reported one stands beside it
    assert shop.refused("leads.win", lead, order_number="1001", by="stan") == "wrong_amount"
    shop.do("leads.win", lead, order_number="1001", amount="70", by="stan")
    assert (order_of(shop, order).lead, shop.lead(lead).order_amount) == (None, 7_000)


def test_a_shop_that_knows_what_it_comes_to_has_sold_it(shop: Scene) -> None:
    shop.do("operators.edit", "stan", store="S1")
    order, lead = ordered(shop), quoted(shop)

    shop.do("leads.win", lead, order_number="1001", amount="1000", by="stan")

    assert (order_of(shop, order).lead, shop.lead(lead).order_amount) == (lead, 100_000)


def test_an_order_older_than_the_report_is_refused_whatever_is_said(shop: Scene) -> None:
    ordered(shop, placed_at="2026-10-20")

    lead = quoted(shop)
    assert shop.refused("leads.win", lead, order_number="1001", won_at=MONDAY) == "sold_before"


def test_a_win_in_another_currency_than_the_lead_s_is_refused(shop: Scene) -> None:
    ordered(shop, currency="USD")

    assert shop.refused("leads.win", quoted(shop), order_number="1001") == "wrong_amount"  # it was quoted in CNY


def test_a_shop_s_order_is_linked_afterwards(shop: Scene) -> None:
    order, lead = ordered(shop), quoted(shop)

    shop.do("orders.link", order, lead=lead)

    assert (shop.lead(lead).state, shop.lead(lead).order_amount) == ("won", 100_000)
    assert rewards(shop) == [("won", REWARD)]
    assert shop.refused("orders.link", ordered(shop, "1002"), lead=lead) == "wrong_state"
    assert shop.refused("orders.link", ordered(shop, "1003"), lead=shop.report(phone="13700137000")) == "wrong_state"


def test_a_reported_order_gives_way_to_the_shop_s_own(shop: Scene) -> None:
    lead = quoted(shop)
    shop.do("leads.win", lead, order_number="1001", amount="1000")
    reported, order = order_of(shop, "1001"), ordered(shop)

    shop.do("orders.link", order, lead=lead)

    assert [item.id for item in shop.office.reader().records(Order)] == [order]
    assert [item.order for item in shop.office.reader().records(Payment)] == [order]
    assert (shop.lead(lead).state, shop.lead(lead).order_net, rewards(shop)) == ("won", 80_000, [("won", REWARD)])
    assert order_of(shop, order).customer == reported.customer
    assert shop.refused("orders.link", ordered(shop, "1002"), lead=lead) == "wrong_state"


def test_a_reported_order_of_which_something_was_given_back_stays(shop: Scene) -> None:
    lead = quoted(shop)
    shop.do("leads.win", lead, order_number="SO-9", amount="1000")
    shop.do("leads.refund", lead, amount="10", reason="torn")

    assert shop.refused("orders.link", ordered(shop), lead=lead) == "wrong_state"


def test_a_link_is_taken_off_while_nothing_is_settled(shop: Scene) -> None:
    order, lead = linked(shop)
    give_back(shop, order, "452.00")

    shop.do("orders.unlink", order)

    found = shop.lead(lead)
    assert (found.state, found.order_number, found.order_amount, found.refunded) == ("contacted", None, None, 0)
    assert (found.won_at, found.due_kind, order_of(shop, order).lead) == (None, "follow_up", None)
    assert rewards(shop) == []
    assert shop.refused("orders.unlink", order) == "wrong_state"


def test_a_link_whose_reward_is_settled_stays(shop: Scene) -> None:
    order, _lead = linked(shop)
    shop.do("payee_accounts.add", None, referrer=DESIGNER, kind="alipay", holder="王设计师", number="w@example.com")
    shop.later(days=40)
    shop.do("settlements.run", None, period="2026-11")

    assert shop.refused("orders.unlink", order) == "reward_settled"


def test_the_first_order_of_a_customer_is_first_among_all_their_orders(shop: Scene) -> None:
    terms = {"event": "won", "kind": "first_order", "amount": "5", "currency": "CNY"}
    shop.do("reward_rules.add", None, code="FIRST", effective_from="2026-01-01", **terms)
    shop.do("reward_rules.activate", "FIRST")
    known = shop.do("customers.add", None, number="C1", name="韩梅梅", phone="13900139000").returned
    ordered(shop, "900", customer=known)

    shop.do("leads.win", quoted(shop, phone="13900139000"), order_number="SO-2", amount="100", net="100")
    shop.do("leads.win", quoted(shop), order_number="SO-3", amount="100", net="100")

    assert rewards(shop) == [("won", 1_000), ("won", 1_000), ("won", 500)]


def test_a_margin_is_known_where_the_cost_of_all_lines_is(shop: Scene) -> None:
    pays(shop, "MARGIN", "margin", event="delivered")
    order, _lead = linked(shop)

    shop.do("orders.fulfil", order)

    assert rewards(shop) == [("won", REWARD), ("delivered", 3_000)]  # a tenth of 800 less twice 250


def test_an_order_that_winning_made_is_sent_whole_and_earns_what_delivery_pays(shop: Scene) -> None:
    pays(shop, "SENT", "net", event="delivered")
    lead = quoted(shop)
    shop.do("leads.win", lead, order_number="SO-9", amount="1,000.00", net="800.00")
    won = rewards(shop)

    sent = shop.do("orders.fulfil", "SO-9", carrier="SF", tracking="SF1")

    assert (won, rewards(shop)) == ([("won", REWARD)], [("won", REWARD), ("delivered", REWARD)])
    assert shop.lead(lead).state == "won"
    shop.office.undo(sent.operation)
    assert rewards(shop) == won
    assert shop.office.reader().get(Order, "SO-9").state == "unfulfilled"


def test_a_win_is_undone_with_order_payment_customer_and_reward(shop: Scene) -> None:
    lead = quoted(shop)
    done = shop.do("leads.win", lead, order_number="SO-9", amount="10", net="10")

    shop.office.undo(done.operation)

    assert shop.lead(lead).state == "quoted"
    for cls in (Order, Payment, Customer, RewardLine):
        assert shop.office.reader().records(cls) == []


# -- afterwards --------------------------------------------------------------------------------------------------------


def test_refunds_take_back_their_share_of_the_goods(shop: Scene) -> None:
    order, lead = linked(shop)

    give_back(shop, order, "226.00")  # a quarter of the goods with their tax
    assert (shop.lead(lead).refunded, rewards(shop)) == (22_600, [("won", REWARD), ("clawback", -2_000)])
    give_back(shop, order, "226.00")
    assert rewards(shop)[2:] == [("clawback", -2_000)]
    assert shop.lead(lead).state == "won"


def test_a_refund_of_shipping_takes_back_what_was_earned_on_the_gross_amount_only(shop: Scene) -> None:
    pays(shop, "GROSS", "gross", event="delivered")
    order, lead = linked(shop)
    shop.do("orders.fulfil", order)

    give_back(shop, order, "96.00", shipping="96.00")

    assert rewards(shop) == [("won", REWARD), ("delivered", 10_000), ("clawback", -960)]
    assert (shop.lead(lead).refunded, shop.lead(lead).state) == (9_600, "won")


def test_a_refund_of_everything_reverses_the_sale(shop: Scene) -> None:
    order, lead = linked(shop)

    give_back(shop, order, "1,000.00", shipping="96.00")

    assert (shop.lead(lead).state, shop.lead(lead).refunded) == ("reversed", 100_000)
    assert rewards(shop) == [("won", REWARD), ("clawback", -REWARD)]


def test_what_was_given_back_before_the_lead_was_linked_counts(shop: Scene) -> None:
    linked(shop, refunded="452.00")

    assert rewards(shop) == [("won", REWARD), ("clawback", -4_000)]


def test_a_refund_that_is_granted_or_fails_takes_nothing_back(shop: Scene) -> None:
    order, lead = linked(shop)

    refund = shop.do("orders.refund", order, amount="452", reason="torn").returned
    assert rewards(shop) == [("won", REWARD)]
    shop.do("refunds.fail", refund, reason="The account is closed")

    assert (rewards(shop), shop.lead(lead).refunded) == ([("won", REWARD)], 0)


def test_a_cancelled_order_reverses_the_sale(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("orders.cancel", order, reason="Changed their mind")

    assert (shop.lead(lead).state, rewards(shop)) == ("reversed", [])
    give_back(shop, order, "1,000.00")
    assert (shop.lead(lead).state, shop.lead(lead).refunded) == ("reversed", 100_000)


def test_an_order_that_its_shop_cancels_reverses_the_sale(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("orders.record_again", order, cancelled_at=MONDAY)

    assert (shop.lead(lead).state, rewards(shop)) == ("reversed", [])


def test_cancelling_is_undone_with_what_followed_it(shop: Scene) -> None:
    order, lead = linked(shop)
    done = shop.do("orders.cancel", order, reason="Changed their mind")

    shop.office.undo(done.operation)

    assert (shop.lead(lead).state, rewards(shop)) == ("won", [("won", REWARD)])


def test_a_sale_is_reversed_from_the_lead(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("leads.reverse", lead, reason="Changed their mind")

    found = order_of(shop, order)
    assert (found.state, found.payment, found.note) == ("cancelled", "paid", "Changed their mind")
    assert (shop.lead(lead).state, rewards(shop)) == ("reversed", [])


def test_what_was_sent_is_not_reversed_from_the_lead(shop: Scene) -> None:
    order, lead = linked(shop)
    shop.do("orders.fulfil", order, lines={"SOFA": 1})

    assert shop.refused("leads.reverse", lead, reason="Changed their mind") == "already_sent"


def test_a_refund_from_the_lead_is_a_refund_of_its_order(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("leads.refund", lead, amount="452", reason="torn")

    (refund,) = shop.office.reader().records(Refund)
    assert (refund.order, refund.amount, refund.state, refund.reason) == (order, 45_200, "done", "torn")
    assert (order_of(shop, order).refunded, rewards(shop)[1:]) == (45_200, [("clawback", -4_000)])


def test_money_that_was_taken_here_is_given_back_by_whoever_pays_refunds(shop: Scene) -> None:
    _order, lead = linked(shop)
    reported = shop.bring_to("won", phone="13900139000")

    assert shop.refused("leads.refund", lead, amount="10", reason="torn", by="rita") == "not_allowed"
    shop.do("leads.refund", reported, amount="10", reason="torn", by="rita")
    assert shop.lead(reported).refunded == 1_000


def test_a_refund_from_the_lead_that_another_has_to_pay_back_is_refused(shop: Scene) -> None:
    _order, lead = linked(shop)
    shop.do("settings.set", None, key="refunds.approval_above", value="100")

    assert shop.refused("leads.refund", lead, amount="452", reason="torn") == "own_grant"


def test_a_lower_price_takes_back_like_a_refund_and_its_difference_nothing_more(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("orders.edit", order, total="774.00", tax="78.00")  # a quarter of the goods with their tax less
    assert (shop.lead(lead).refunded, rewards(shop)) == (22_600, [("won", REWARD), ("clawback", -2_000)])
    give_back(shop, order, "226.00")
    assert (shop.lead(lead).refunded, len(rewards(shop))) == (22_600, 2)


def test_a_higher_price_earns_nothing_more(shop: Scene) -> None:
    order, lead = linked(shop)

    shop.do("order_lines.add", None, order=order, name="Cushion", quantity=1, price="100")

    assert (shop.lead(lead).order_amount, rewards(shop)) == (100_000, [("won", REWARD)])


def test_what_was_paid_twice_goes_back_without_a_clawback(shop: Scene) -> None:
    order, lead = linked(shop)
    shop.do("orders.pay", order, amount="1000", method="card")

    give_back(shop, order, "1000")

    assert (shop.lead(lead).state, shop.lead(lead).refunded, rewards(shop)) == ("won", 0, [("won", REWARD)])


def test_a_tax_that_becomes_known_computes_a_held_reward_anew(shop: Scene) -> None:
    lead = quoted(shop)
    shop.do("leads.win", lead, order_number="SO-9", amount="113")
    assert [line.state for line in shop.office.reader().records(RewardLine)] == ["held"]

    shop.do("orders.edit", "SO-9", tax="13")

    assert (shop.lead(lead).order_net, rewards(shop)) == (10_000, [("won", 1_000)])


def test_goods_that_came_back_for_money_take_their_share_back(shop: Scene) -> None:
    order, lead = linked(shop)
    shop.do("orders.fulfil", order)

    refund = shop.do("returns.refund", returned(shop, order, 1), amount="400").returned
    assert rewards(shop) == [("won", REWARD)]
    shop.do("refunds.execute", refund)

    assert rewards(shop)[1:] == [("clawback", -3_540)]  # 400 of 904 with tax
    assert shop.lead(lead).refunded == 40_000


def test_goods_that_came_back_for_credit_take_their_share_back_at_once(shop: Scene) -> None:
    order, _lead = linked(shop)
    shop.do("orders.fulfil", order)

    shop.do("returns.credit", returned(shop, order, 1), amount="400")

    assert rewards(shop)[1:] == [("clawback", -3_540)]


@pytest.mark.parametrize(
    ("price", "left", "taken"),
    [("452", 100_000, 0), ("500", 100_000, 0), ("352", 90_000, 480)],  # what came back is worth 452 with its tax
)
def test_an_exchange_goes_on_with_the_sale_and_its_difference_counts(
    shop: Scene, price: str, left: int, taken: int
) -> None:
    order, lead = linked(shop)
    shop.do("orders.fulfil", order)
    back = returned(shop, order, 1)

    lines = [{"name": "Armchair", "quantity": 1, "price": price}]
    made = shop.do("returns.exchange", back, lines=lines).returned
    for refund in shop.office.reader().records(Refund, "state:pending"):
        shop.do("refunds.execute", refund.id)

    assert order_of(shop, str(made)).lead == lead
    assert 100_000 - shop.lead(lead).refunded == left
    assert -sum(amount for name, amount in rewards(shop) if name == "clawback") == taken


def test_an_exchange_that_is_cancelled_takes_its_share_back(shop: Scene) -> None:
    order, lead = linked(shop)
    shop.do("orders.fulfil", order)
    lines = [{"name": "Armchair", "quantity": 1, "price": "400"}]
    made = shop.do("returns.exchange", returned(shop, order, 1), lines=lines).returned

    shop.do("orders.cancel", made, reason="Not in stock")

    assert (shop.lead(lead).state, rewards(shop)[1:]) == ("won", [("clawback", -3_540)])
    assert shop.refused("orders.link", made, lead=quoted(shop, phone="13900139000")) == "order_not_sold"


def test_what_is_earned_by_delivery_comes_and_goes_with_it(shop: Scene) -> None:
    pays(shop, "SENT", "net", event="delivered")
    order, lead = linked(shop)

    shop.do("orders.fulfil", order, lines={"SOFA": 1})
    assert rewards(shop) == [("won", REWARD)]
    parcel = shop.do("orders.fulfil", order).returned
    assert rewards(shop) == [("won", REWARD), ("delivered", REWARD)]
    shop.do("fulfilments.take_back", parcel)
    assert rewards(shop) == [("won", REWARD)]
    shop.do("orders.fulfil", order)
    give_back(shop, order, "904")

    assert sorted((str(name), amount) for name, amount in rewards(shop)) == [("clawback", -REWARD)] * 2 + [
        ("delivered", REWARD),
        ("won", REWARD),
    ]
    assert shop.lead(lead).state == "won"  # the shipping is left


@pytest.mark.parametrize(
    ("order", "shipping_back", "left"),
    [
        ({}, 0, (100_000, 80_000)),
        ({"refunded": 45_200}, 0, (54_800, 40_000)),
        ({"refunded": 9_600}, 9_600, (90_400, 80_000)),
        ({"refunded": 100_000}, 0, (0, 0)),
        ({"refunded": 100_000}, 9_600, (0, 0)),
        ({"captured": 150_000, "refunded": 50_000}, 0, (100_000, 80_000)),
        ({"captured": 40_000, "refunded": 40_000}, 0, (60_000, 44_602)),
        ({"total": 9_600, "tax": 0, "captured": 9_600}, 0, (9_600, 0)),
        ({"total": 0, "shipping": 0, "tax": 0, "captured": 0}, 0, (0, 0)),
    ],
)
def test_what_is_left_of_a_sale(order: dict[str, int], shipping_back: int, left: tuple[int, int]) -> None:
    sums = {"total": 100_000, "tax": 10_400, "shipping": 9_600, "captured": 100_000, **order}
    placed = datetime(2026, 11, 2, tzinfo=UTC)

    assert left_of_sale(Order(number="1", key="/1", placed_at=placed, **sums), shipping_back) == left  # type: ignore[arg-type]


def test_verbs_of_a_lower_module_s_nouns_are_declared_where_they_are_looked_for() -> None:
    made = registry().load_all()

    known: dict[str, Command | Query] = {**made.commands, **made.queries}
    foreign = {
        name: item.function.__module__.rpartition(".")[0]
        for name, item in known.items()
        if (module := made.nouns.get(item.noun)) and not item.function.__module__.startswith(module + ".")
    }
    assert foreign == dict(VERBS)
    assert registry().command("leads.win").noun == "leads"
    assert registry().query("customers.timeline").noun == "customers"
    assert "leads.win" in {command.name for command in registry().commands_of("leads")}
    lazy = registry()
    lazy.command("leads.accept")
    assert lazy._loaded == {"bo.core.leads"}


def test_a_lead_of_before_there_were_orders_gets_one_when_it_is_needed(shop: Scene) -> None:
    lead = shop.bring_to("won", referrer=DESIGNER)
    session = shop.office.database.session
    session.script(['DELETE FROM "order"', "DELETE FROM payment"])

    shop.do("leads.refund", lead, amount="2500", reason="torn")

    made = order_of(shop, "SO-1")
    assert (made.lead, made.total, made.refunded, made.customer) == (lead, 1_000_000, 250_000, shop.lead(lead).customer)
    assert rewards(shop) == [("won", 80_000), ("clawback", -20_000)]
    assert isinstance(shop.lead(lead), Lead)
