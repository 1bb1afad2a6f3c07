"""What a store gets of a reward: a share, or a reward of its own."""

from __future__ import annotations

import pytest

from bo.core.referrers.commands import StoreHasPayee
from bo.core.referrers.records import Referrer
from bo.core.rewards.records import RewardLine
from bo.core.rewards.words import words_of
from bo.core.settlement.records import Payout
from tests.core.money_office import MoneyOffice


@pytest.fixture
def west(money: MoneyOffice) -> str:
    """A store; its id."""
    return str(money.by("boss").do("stores.add", code="WEST", name="West side").returned)


def share(money: MoneyOffice, **terms: object) -> None:
    money.by("boss").do("reward_rules.revise", "ORDER", effective_from="2026-11-02", **{"store_share": "30%", **terms})


def by_payee(money: MoneyOffice, cause: str) -> dict[str, int]:
    codes = {item.id: item.code for item in money.all(Referrer)}
    found: dict[str, int] = {}
    for line in money.all(RewardLine, f"cause:{cause} -state:void"):
        found[codes[line.referrer]] = found.get(codes[line.referrer], 0) + line.amount
    return found


def test_a_reward_is_split_between_the_referrer_and_the_payee_of_the_store(money: MoneyOffice, west: str) -> None:
    # given
    share(money)

    # when
    cause = money.earn(event="won", gross="100", net="100.10", store=west)

    # then
    lines = {line.referrer == money.referrers["D1"]: line for line in money.all(RewardLine, f"cause:{cause}")}
    payee = money.get(Referrer, lines[False].referrer)
    assert (payee.code, payee.name, payee.kind, payee.store) == ("WEST", "West side", "store", west)
    assert (lines[True].amount, lines[False].amount) == (350, 150)  # 500.5 cents are 500; no cent is lost
    assert words_of(lines[True])[1] == "30 % of 5.00 CNY is the store's; the rest: 3.50 CNY"
    assert words_of(lines[False])[1] == "the store's share, 30 % of 5.00 CNY: 1.50 CNY"
    assert money.by("fin").ask("rewards.explain", lines[False].id).agrees


def test_a_share_has_one_line_however_often_it_is_told(money: MoneyOffice, west: str) -> None:
    share(money)
    cause = money.earn(event="won", gross="100", net="100", store=west)

    money.earn(cause=cause, event="won", gross="100", net="100", store=west)

    assert by_payee(money, cause) == {"D1": 350, "WEST": 150}


def test_a_refund_takes_back_from_both_what_each_got(money: MoneyOffice, west: str) -> None:
    # given
    share(money)
    cause = money.earn(event="won", gross="100", net="100", store=west)

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    # then
    assert by_payee(money, cause) == {"D1": 175, "WEST": 75}

    # when
    money.by("boss").do("deeds.refund", cause=cause, refunded="100", of="100")

    # then
    assert by_payee(money, cause) == {"D1": 0, "WEST": 0}


def test_without_a_store_its_share_is_paid_to_nobody(money: MoneyOffice) -> None:
    share(money)

    assert by_payee(money, money.earn(event="won", gross="100", net="100")) == {"D1": 350}


def test_the_cap_of_a_person_leaves_the_share_of_the_store_alone(money: MoneyOffice, west: str) -> None:
    share(money, cap_person="5")

    earned = [by_payee(money, money.earn(event="won", gross="100", net="100", store=west)) for _ in range(2)]

    assert earned == [{"D1": 350, "WEST": 150}, {"D1": 150, "WEST": 150}]


def test_a_budget_is_for_referrer_and_store_together(money: MoneyOffice, west: str) -> None:
    share(money, budget="7")

    earned = [by_payee(money, money.earn(event="won", gross="100", net="100", store=west)) for _ in range(3)]

    assert earned == [{"D1": 350, "WEST": 150}, {"D1": 140, "WEST": 60}, {"D1": 0, "WEST": 0}]


def test_a_rule_may_reward_the_store_beside_the_referrer_and_without_one(money: MoneyOffice, west: str) -> None:
    # given
    money.by("boss").do("reward_rules.add", code="SHOP", event="visit", kind="fixed", amount="20", beneficiary="store",
                        effective_from="2026-01-01")  # fmt: skip
    money.by("boss").do("reward_rules.activate", "SHOP")

    # when
    both = money.earn(event="visit", store=west)
    money.by("boss").do("deeds.earn", cause="lead_alone", event="visit", store=west)

    # then
    assert by_payee(money, both) == {"D1": 10000, "WEST": 2000}
    assert by_payee(money, "lead_alone") == {"WEST": 2000}


def test_a_payee_that_is_registered_for_a_store_is_used(money: MoneyOffice, west: str) -> None:
    # given
    share(money)
    money.by("boss").do("referrers.register", code="W-LTD", name="West Ltd", store="WEST")

    # then
    assert by_payee(money, money.earn(event="won", gross="100", net="100", store=west)) == {"D1": 350, "W-LTD": 150}
    money.refuses(StoreHasPayee, "boss", "referrers.register", code="OTHER", store="WEST")


def test_a_referrer_who_has_the_code_of_the_store_is_not_taken_for_it(money: MoneyOffice, west: str) -> None:
    share(money)
    money.by("boss").do("referrers.register", code="WEST")

    earned = by_payee(money, money.earn(event="won", gross="100", net="100", store=west))

    assert sorted(earned.values()) == [150, 350]
    assert "WEST" not in earned


def test_the_payee_of_a_store_comes_back_as_the_same_after_an_undo(money: MoneyOffice, west: str) -> None:
    # given
    share(money)
    done = money.by("boss").do("deeds.earn", cause="lead_a", event="won", gross="100", net="100", store=west,
                               referrer=money.referrers["D1"])  # fmt: skip
    payee = money.all(Referrer, "code:WEST")[0].id

    # when
    money.by("boss").undo(done.operation)
    assert money.all(Referrer, "code:WEST") == []
    money.earn(event="won", gross="100", net="100", store=west)

    # then
    assert money.all(Referrer, "code:WEST")[0].id == payee


def test_a_store_without_an_account_is_held_in_the_settlement_and_nobody_else_is(money: MoneyOffice, west: str) -> None:
    share(money)
    money.earn(event="won", gross="100", net="100", store=west)

    made = money.run()

    held = {item.payee_code: item.reason for item in money.all(Payout, f"settlement:{made.id}")}
    assert held == {"D1": "", "WEST": "there is no account to pay to"}
