"""What an event earns, and what a refund takes back."""

from __future__ import annotations

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError
from bo.core.rewards.earning import KNOWN_NOW, MARGIN_UNKNOWN, NET_UNKNOWN
from bo.core.rewards.records import RewardLine
from bo.core.rewards.words import words_of
from tests.core.money_office import MoneyOffice


def amounts(money: MoneyOffice, filter_text: str = "") -> list[int]:
    return [line.amount for line in money.all(RewardLine, f"sort:created_at {filter_text}")]


def with_rule(money: MoneyOffice, code: str = "T", **terms: object) -> None:
    money.by("boss").do("reward_rules.add", code=code, effective_from="2026-01-01", **terms)
    money.by("boss").do("reward_rules.activate", code)


# -- earning -----------------------------------------------------------------------------------------------------------


def test_a_valid_lead_earns_the_fixed_amount(money: MoneyOffice) -> None:
    line = money.line(money.earn())

    assert (line.amount, line.currency, line.state, line.kind) == (5000, "CNY", "due", "reward")
    assert (line.rule_code, line.rule_version, line.event) == ("VALID", 1, "valid_lead")
    assert words_of(line) == ["50.00 CNY for a valid lead"]
    assert line.referrer == money.referrers["D1"]


def test_an_order_earns_a_share_of_its_net_amount(money: MoneyOffice) -> None:
    line = money.line(money.earn(event="won", gross="11300", net="10000", customer="王小明", order="SO-1"))

    assert (line.amount, line.base_amount) == (50000, 1000000)
    assert line.inputs["net"] == 1000000
    assert line.inputs["rate_bp"] == 500
    assert words_of(line) == ["5 % of 10000.00 CNY net of tax and shipping = 500.00 CNY"]


def test_of_the_customer_the_line_keeps_one_character(money: MoneyOffice) -> None:
    line = money.line(money.earn(customer="王小明", order="SO-1"))

    assert (line.inputs["customer"], line.inputs["order"]) == ("王**", "SO-1")


def test_an_unknown_net_amount_is_held_and_says_so(money: MoneyOffice) -> None:
    line = money.line(money.earn(event="won", gross="10000"))

    assert (line.amount, line.state, line.reason) == (50000, "held", NET_UNKNOWN)


def test_the_rules_of_that_day_count(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "VALID", amount="60", effective_from="2026-11-02")

    # when
    before = money.line(money.earn(at="2026-11-01 23:59"))
    after = money.line(money.earn(at="2026-11-02 00:00"))

    # then
    assert (before.amount, before.rule_version) == (5000, 1)
    assert (after.amount, after.rule_version) == (6000, 2)


def test_a_line_keeps_the_version_that_made_it(money: MoneyOffice) -> None:
    cause = money.earn()
    money.by("boss").do("reward_rules.revise", "VALID", amount="60", effective_from="2026-11-03")

    assert (money.line(cause).amount, money.line(cause).rule_version) == (5000, 1)


def test_the_most_specific_rule_wins(money: MoneyOffice) -> None:
    with_rule(money, "FAIR", event="valid_lead", kind="fixed", amount="80", source="fair")

    assert money.line(money.earn(source="fair")).rule_code == "FAIR"
    assert money.line(money.earn(source="web")).rule_code == "VALID"


def test_of_equally_specific_rules_the_oldest_code_wins_even_when_revised(money: MoneyOffice) -> None:
    # given
    with_rule(money, "FAIR", event="valid_lead", kind="fixed", amount="80", source="fair")
    money.wait(hours=1)
    with_rule(money, "BATH", event="valid_lead", kind="fixed", amount="90", category="bath")
    money.wait(hours=1)
    money.by("boss").do("reward_rules.revise", "FAIR", amount="85", effective_from="2026-11-02")

    # then
    assert money.line(money.earn(source="fair", category="bath")).rule_code == "FAIR"


def test_a_first_order_bonus_comes_beside_the_reward(money: MoneyOffice) -> None:
    # given
    with_rule(money, "FIRST", event="won", kind="first_order", amount="200")

    # when
    first = money.earn(event="won", gross="100", net="100", first_order=True)
    second = money.earn(event="won", gross="100", net="100")

    # then
    assert sorted(amounts(money, f"cause:{first}")) == [500, 20000]
    assert amounts(money, f"cause:{second}") == [500]


def test_nobody_referred_nothing_is_earned(money: MoneyOffice) -> None:
    outcome = money.by("boss").do("deeds.earn", cause="lead_x")

    assert outcome.status == "unchanged"
    assert amounts(money) == []


def test_no_rule_no_line(money: MoneyOffice) -> None:
    money.earn(event="valid_lead", at="2025-12-31 12:00")

    assert amounts(money) == []


def test_an_unknown_referrer_is_refused(money: MoneyOffice) -> None:
    money.refuses(BoError, "boss", "deeds.earn", cause="lead_x", referrer="ref_nobody")


def test_an_event_is_rewarded_once(money: MoneyOffice) -> None:
    cause = money.earn()
    money.earn("D2", cause=cause)
    money.by("boss").do("reward_rules.revise", "VALID", amount="60", effective_from="2026-11-03")
    money.wait(days=2)
    money.earn(cause=cause)

    assert amounts(money) == [5000]


def test_an_event_is_rewarded_again_once_the_first_line_is_void(money: MoneyOffice) -> None:
    cause = money.earn()
    money.by("boss").do("deeds.void", cause=cause)
    money.earn(cause=cause)

    assert sorted((line.state, line.amount) for line in money.all(RewardLine)) == [("due", 5000), ("void", 5000)]


def test_earning_can_be_undone(money: MoneyOffice) -> None:
    before = money.image()
    done = money.by("boss").do("deeds.earn", cause="lead_x", referrer=money.referrers["D1"])

    money.by("boss").undo(done.operation)

    assert money.image() == before


def test_holding_days_are_counted_from_the_event(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="visit")
    assert (money.line(cause).state, str(money.line(cause).due_on)) == ("holding", "2026-11-09")

    # when
    money.wait(days=6)
    money.by("boss").do("rewards.mature")

    # then
    assert money.line(cause).state == "holding"

    # when
    money.wait(days=1)
    money.by("boss").do("rewards.mature")

    # then
    assert money.line(cause).state == "due"


# -- caps and tiers ----------------------------------------------------------------------------------------------------


def test_a_cap_for_each_event_clamps(money: MoneyOffice) -> None:
    money.by("boss").do("reward_rules.revise", "ORDER", cap_event="300", effective_from="2026-11-02")

    line = money.line(money.earn(event="won", gross="10000", net="10000"))

    assert line.amount == 30000
    assert words_of(line)[-1] == "at most 300.00 CNY for one event: 300.00 CNY"


def test_a_monthly_cap_is_for_one_person_and_starts_anew(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "VALID", cap_month="120", effective_from="2026-11-02")

    # when
    mine = [money.line(money.earn()).amount for _ in range(4)]
    other = money.line(money.earn("D2")).amount
    money.wait(days=30)
    next_month = money.line(money.earn()).amount

    # then
    assert mine == [5000, 5000, 2000, 0]
    assert (other, next_month) == (5000, 5000)


def test_a_cap_for_a_person_is_for_ever(money: MoneyOffice) -> None:
    money.by("boss").do("reward_rules.revise", "VALID", cap_person="70", effective_from="2026-11-02")

    first = money.line(money.earn()).amount
    money.wait(days=60)

    assert (first, money.line(money.earn()).amount) == (5000, 2000)


def test_a_budget_is_for_everybody_and_over_all_versions(money: MoneyOffice) -> None:
    money.earn()
    money.by("boss").do("reward_rules.revise", "VALID", budget="120", effective_from="2026-11-03")
    money.wait(days=1)

    assert [money.line(money.earn(code)).amount for code in ("D1", "D2", "D3")] == [5000, 2000, 0]


def test_what_is_taken_back_frees_the_cap_of_its_own_month_alone(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "ORDER", cap_month="600", effective_from="2026-11-02")
    cause = money.earn(event="won", gross="10000", net="10000")

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="5000", of="10000")
    same_month = money.line(money.earn(event="won", gross="10000", net="10000")).amount
    money.wait(days=30)
    money.by("boss").do("deeds.refund", cause=cause, refunded="10000", of="10000")
    next_month = [money.line(money.earn(event="won", gross="10000", net="10000")).amount for _ in range(2)]

    # then
    assert same_month == 35000
    assert next_month == [50000, 10000]


def test_tiers_by_count_go_by_the_events_of_the_month(money: MoneyOffice) -> None:
    # given
    with_rule(money, "T", event="valid_lead", kind="tiers", tiers="0:10,2:20", tier_mode="cliff", source="fair")

    # when
    earned = [money.line(money.earn(source="fair")).amount for _ in range(3)]
    money.wait(days=30)
    anew = money.line(money.earn(source="fair")).amount

    # then
    assert earned == [1000, 3000, 2000]  # the second reaches the tier and lifts the first too
    assert anew == 1000


def test_tiers_by_amount_go_by_the_base_of_the_month(money: MoneyOffice) -> None:
    with_rule(money, "T", event="won", kind="tiers", tiers="0:1%,10000:2%", tier_mode="marginal", source="fair")

    earned = [money.line(money.earn(event="won", source="fair", gross="8000", net="8000")).amount for _ in range(2)]

    assert earned == [8000, 14000]  # 80; 20 of the first slice and 120 of the second


def test_a_base_in_another_currency_finds_no_percent_rule(money: MoneyOffice) -> None:
    money.earn(event="won", gross="100", net="100", currency="EUR")

    assert amounts(money) == []


def test_a_fixed_reward_needs_no_base_and_is_paid_in_its_own_currency(money: MoneyOffice) -> None:
    line = money.line(money.earn(event="valid_lead", currency="EUR"))

    assert (line.amount, line.currency) == (5000, "CNY")


# -- taking back -------------------------------------------------------------------------------------------------------


def test_a_partial_refund_takes_its_share_back(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="11300", net="10000", customer="王小明")

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="1130", of="11300")

    # then
    back = money.line(cause, "clawback")
    assert (back.amount, back.state, back.clawback_of) == (-5000, "due", money.line(cause).id)
    assert words_of(back) == ["500.00 CNY x 1130.00 CNY / 11300.00 CNY refunded"]
    assert back.inputs["customer"] == "王**"
    assert money.line(cause).amount == 50000


def test_many_partial_refunds_take_what_one_whole_would(money: MoneyOffice) -> None:
    cause = money.earn(event="won", gross="100", net="33.33")
    original = money.line(cause).amount

    for refunded in ("33.33", "66.67", "100", "100"):
        money.by("boss").do("deeds.refund", cause=cause, refunded=refunded, of="100")

    assert sum(amounts(money, "kind:clawback")) == -original == -167


def test_a_refund_told_twice_takes_nothing_twice(money: MoneyOffice) -> None:
    cause = money.earn(event="won", gross="100", net="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    again = money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    assert again.status == "unchanged"


def test_more_than_the_order_takes_no_more_than_the_reward(money: MoneyOffice) -> None:
    cause = money.earn(event="won", gross="100", net="100")

    money.by("boss").do("deeds.refund", cause=cause, refunded="1000", of="100")

    assert amounts(money, "kind:clawback") == [-500]


def test_a_refund_leaves_other_events_alone(money: MoneyOffice) -> None:
    cause = money.earn(event="valid_lead")
    money.earn(cause=cause, event="won", gross="100", net="100")

    money.by("boss").do("deeds.refund", cause=cause, refunded="100", of="100")

    assert sum(amounts(money)) == 5000


def test_a_clawback_waits_as_long_as_its_reward(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "ORDER", hold_days=30, effective_from="2026-11-02")
    cause = money.earn(event="won", gross="100", net="100")

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    # then
    back = money.line(cause, "clawback")
    assert (back.state, str(back.due_on)) == ("holding", "2026-12-02")


def test_a_clawback_of_a_held_reward_is_held_and_released_with_it(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.by("fin").do("rewards.hold", money.line(cause).id, reason="asked")
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")
    assert (money.line(cause, "clawback").state, money.line(cause, "clawback").reason) == ("held", "asked")

    # when
    money.by("fin").do("rewards.release", money.line(cause).id)

    # then
    assert {line.state for line in money.all(RewardLine, f"cause:{cause}")} == {"due"}


def test_a_paid_line_never_changes_a_refund_brings_a_line_below_zero(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    settled = money.exported()
    money.by("fin").do("settlements.mark_paid", settled.id)
    paid = money.line(cause)

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="100", of="100")

    # then
    assert money.line(cause) == paid
    assert (money.line(cause, "clawback").amount, money.line(cause, "clawback").state) == (-500, "due")


@pytest.mark.parametrize("settle", [False, True])
def test_taking_back_makes_open_lines_void_and_answers_settled_ones(money: MoneyOffice, settle: bool) -> None:
    # given
    cause = money.earn()
    if settle:
        money.run()

    # when
    money.by("boss").do("deeds.void", cause=cause, event="valid_lead", reason="a duplicate")

    # then
    if settle:
        assert [(line.state, line.amount) for line in money.all(RewardLine, "sort:created_at,amount")] == [
            ("due", -5000), ("included", 5000),
        ]  # fmt: skip
    else:
        assert [(line.state, line.reason) for line in money.all(RewardLine)] == [("void", "a duplicate")]


def test_taking_back_leaves_other_events_alone(money: MoneyOffice) -> None:
    cause = money.earn()

    money.by("boss").do("deeds.void", cause=cause, event="won")

    assert money.line(cause).state == "due"


def test_after_a_part_was_taken_back_a_void_takes_the_rest(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="40", of="100")
    money.run()

    # when
    money.by("boss").do("deeds.void", cause=cause)
    money.by("boss").do("deeds.void", cause=cause)

    # then
    assert sorted(amounts(money)) == [-300, -200, 500]


def test_a_refund_of_shipping_takes_nothing_of_a_reward_on_net_amounts(money: MoneyOffice) -> None:
    # given
    with_rule(money, "GROSS", event="won", kind="percent", rate="1%", base="gross", source="fair")
    on_net = money.earn(event="won", gross="110", net="100")
    on_gross = money.earn(event="won", gross="110", net="100", source="fair")

    # when
    for cause in (on_net, on_gross):
        money.by("boss").do("deeds.refund", cause=cause, refunded="10", of="110", refunded_net="0", net="100")

    # then
    assert amounts(money, f"cause:{on_net} kind:clawback") == []
    assert amounts(money, f"cause:{on_gross} kind:clawback") == [-10]

    # when
    money.by("boss").do("deeds.refund", cause=on_net, refunded="60", of="110", refunded_net="50", net="100")
    money.by("boss").do("deeds.refund", cause=on_net, refunded="110", of="110", refunded_net="90", net="100")

    # then
    assert amounts(money, f"cause:{on_net} kind:clawback") == [-250, -250]  # the whole order: the whole reward


def test_a_fixed_reward_for_an_order_goes_back_by_the_base_of_its_rule(money: MoneyOffice) -> None:
    with_rule(money, "FIX", event="won", kind="fixed", amount="20", base="net", source="fair")
    cause = money.earn(event="won", gross="110", net="100", source="fair")

    money.by("boss").do("deeds.refund", cause=cause, refunded="35", of="110", refunded_net="25", net="100")

    assert amounts(money, f"cause:{cause} kind:clawback") == [-500]


def test_a_reward_that_was_held_in_doubt_is_made_anew_once_the_amount_is_known(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="113")
    assert (money.line(cause).state, money.line(cause).inputs["base"]) == ("held", "gross")

    # when
    money.earn(cause=cause, event="won", gross="113", net="100")
    money.earn(cause=cause, event="won", gross="113", net="100")

    # then
    found = {line.state: (line.amount, line.reason) for line in money.all(RewardLine, f"cause:{cause}")}
    assert found == {"void": (565, KNOWN_NOW), "due": (500, "")}


def test_what_was_held_in_doubt_takes_no_room_from_what_replaces_it(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "ORDER", cap_month="8", budget="8", effective_from="2026-11-02")
    cause = money.earn(event="won", gross="113")

    # when
    money.earn(cause=cause, event="won", gross="113", net="100")

    # then
    assert amounts(money, "state:due") == [500]
    assert money.line(money.earn(event="won", gross="100", net="100")).amount == 300


def test_an_order_on_delivery_earns_by_a_rule_of_its_own_and_gives_back_with_the_sale(money: MoneyOffice) -> None:
    # given
    with_rule(money, "SENT", event="delivered", kind="percent", rate="1%")
    cause = money.earn(event="won", gross="100", net="100")
    money.earn(cause=cause, event="delivered", gross="100", net="100")
    assert sorted(amounts(money)) == [100, 500]
    assert words_of(money.line(cause)) == ["1 % of 100.00 CNY net of tax and shipping = 1.00 CNY"]

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    # then
    assert sorted(amounts(money, "kind:clawback")) == [-250, -50]


def test_margin_is_a_base_and_without_it_the_line_waits(money: MoneyOffice) -> None:
    with_rule(money, "MARGIN", event="won", kind="percent", rate="10%", base="margin", source="fair")

    known = money.line(money.earn(event="won", gross="100", net="90", margin="40", source="fair"))
    unknown = money.line(money.earn(event="won", gross="100", net="90", source="fair"))

    assert (known.amount, known.state) == (400, "due")
    assert (unknown.amount, unknown.state, unknown.reason) == (0, "held", MARGIN_UNKNOWN)


@pytest.mark.parametrize(("cap", "days", "renewed"), [("cap_quarter", 59, 60), ("cap_year", 59, 60)])
def test_a_cap_of_a_longer_period_starts_anew_with_the_next_one(
    money: MoneyOffice, cap: str, days: int, renewed: int
) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "VALID", effective_from="2026-11-02", **{cap: "70"})

    # when: the 2nd of November, the 31st of December, the 1st of January
    first = money.line(money.earn()).amount
    money.wait(days=days)
    same = money.line(money.earn()).amount
    money.wait(days=renewed - days)

    # then
    assert (first, same, money.line(money.earn()).amount) == (5000, 2000, 5000)


@pytest.mark.parametrize(("period", "earned"), [("month", 1000), ("quarter", 2000), ("year", 2000), ("ever", 2000)])
def test_tiers_count_for_as_long_as_the_rule_says(money: MoneyOffice, period: str, earned: int) -> None:
    with_rule(money, "T", event="valid_lead", kind="tiers", tiers="0:10,1:20", source="fair", tier_period=period)
    money.earn(source="fair")
    money.wait(days=40)

    assert money.line(money.earn(source="fair")).amount == earned


def test_every_call_of_a_batch_sees_what_the_calls_before_it_gave(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("reward_rules.revise", "VALID", cap_month="120", budget="190", effective_from="2026-11-02")

    # when
    money.by("boss").run(
        [
            Call("deeds.earn", None, {"cause": f"lead_{number}", "referrer": money.referrers[code]})
            for number, code in enumerate(("D1", "D1", "D1", "D2", "D2", "D1"))
        ],
        atomic=True,
    )

    # then
    assert [money.line(f"lead_{number}").amount for number in range(6)] == [5000, 5000, 2000, 5000, 2000, 0]


def test_a_clawback_does_not_touch_the_settlement_that_its_line_is_in(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.earn()
    made = money.submitted()

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="100", of="100")

    # then
    assert (money.line(cause).state, money.line(cause, "clawback").state) == ("included", "due")
    money.by("anna").do("settlements.approve", made.id, hash=made.content_hash)

    # when: what was paid too much is a debt that the next period brings in
    money.wait(days=30)
    money.earn()
    following = money.run("2026-12")

    # then
    assert (following.total, money.payout(following, "D1").carried) == (4500, -500)


def test_a_debt_waits_over_periods_until_something_is_earned(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="2000", net="2000")
    paid = money.exported()
    money.by("fin").do("settlements.mark_paid", paid.id)
    money.by("boss").do("deeds.refund", cause=cause, refunded="2000", of="2000")

    # when
    money.wait(days=30)
    money.earn()
    money.earn("D2")
    december = money.run("2026-12")
    money.by("fin").do("settlements.cancel", december.id, reason="again")
    money.wait(days=31)
    for _ in range(2):
        money.earn()
    january = money.run("2027-01")

    # then
    assert (december.total, money.payout(december, "D1").state) == (5000, "cancelled")
    assert money.payout(january, "D1").amount == 5000 + 2 * 5000 - 10000
