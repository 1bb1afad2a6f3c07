"""Putting a settlement together and editing it before it is approved."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotAllowed, WrongState
from bo.core.rewards.records import RewardLine
from bo.core.settlement.making import CARRIED, TAKEN_OUT
from bo.core.settlement.records import Payout, Settlement
from bo.core.settlement.refusals import (
    ContentChanged,
    LineNotDue,
    NothingDue,
    NotInSettlement,
    PayoutHeld,
    PeriodSettled,
)
from bo.core.settlement.rules import PeriodOverlaps
from tests.core.money_office import MoneyOffice


def states(money: MoneyOffice) -> list[str]:
    return sorted(line.state for line in money.all(RewardLine))


# -- running -----------------------------------------------------------------------------------------------------------


def test_what_is_due_is_put_together_one_payout_for_each_payee(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    money.earn("D1", event="won", gross="100", net="100")
    money.earn("D2")

    # when
    made = money.run()

    # then
    assert (made.number, made.state, made.total, made.lines, made.payees) == (
        "S-2026-11-CNY-0001",
        "draft",
        10500,
        3,
        2,
    )
    assert (made.period_from.isoformat(), made.period_until.isoformat()) == ("2026-11-01", "2026-12-01")
    assert made.created_by == money.ids["fin"]
    first, second = money.payout(made, "D1"), money.payout(made, "D2")
    assert (first.amount, first.earned, first.lines, first.state) == (5500, 5500, 2, "planned")
    assert (first.holder, first.account, first.bank) == ("李设计1", "6222000011130001", "招商银行")
    assert (second.amount, second.lines) == (5000, 1)
    assert {
        (line.state, line.settlement, line.payout) for line in money.all(RewardLine, f"referrer:{second.referrer}")
    } == {("included", made.id, second.id)}


def test_lines_whose_holding_time_is_over_become_due_in_the_run(money: MoneyOffice) -> None:
    cause = money.earn(event="visit")
    money.wait(days=7)

    assert money.run().total == 10000
    assert money.line(cause).state == "included"


def test_lines_that_are_holding_held_void_or_disputed_stay_out(money: MoneyOffice) -> None:
    # given
    money.earn()
    money.earn(event="visit")
    held, void = money.line(money.earn()), money.line(money.earn())
    money.by("fin").do("rewards.hold", held.id, reason="x")
    money.by("fin").do("rewards.void", void.id, reason="x")
    disputed = money.line(money.earn())
    money.ws.database.session.script([f"UPDATE reward_line SET disputed = 1 WHERE id = '{disputed.id}'"])

    # then
    assert money.run().total == 5000
    assert states(money) == ["due", "held", "holding", "included", "void"]


def test_the_period_ends_at_midnight_of_the_office(money: MoneyOffice) -> None:
    # given
    money.earn(at="2026-11-30 23:59")
    money.earn(at="2026-12-01 00:00")
    money.wait(days=40)

    # then
    assert money.run("2026-11").total == 5000
    assert money.run("2026-12").total == 5000


def test_what_earlier_periods_left_comes_along_as_opening(money: MoneyOffice) -> None:
    money.earn(at="2026-10-30 12:00")
    money.earn()

    made = money.run()

    assert (money.payout(made, "D1").carried, money.payout(made, "D1").earned, made.total) == (5000, 5000, 10000)


def test_the_same_period_again_is_the_same_draft_unchanged(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.run()
    money.earn("D2")
    before = money.image()

    # when
    again = money.by("fred").do("settlements.run", period="2026-11")

    # then
    assert (again.status, again.returned) == ("unchanged", made.id)
    assert money.image() == before


@pytest.mark.parametrize("step", ["submitted", "approved", "exported"])
def test_a_period_that_is_submitted_or_further_is_not_run_again(money: MoneyOffice, step: str) -> None:
    money.earn()
    getattr(money, step)()
    money.earn("D2")

    said = money.refuses(PeriodSettled, "fin", "settlements.run", period="2026-11")

    assert said == f"2026-11 is settled by S-2026-11-CNY-0001, which is {step}"


def test_periods_do_not_overlap(money: MoneyOffice) -> None:
    money.earn()
    money.run()

    money.refuses(PeriodOverlaps, "fin", "settlements.run", period="2026-Q4")
    money.refuses(PeriodOverlaps, "fin", "settlements.run", period="2026-11-30..2026-12-05")


def test_currencies_are_kept_apart(money: MoneyOffice) -> None:
    # given
    money.earn()
    money.by("fin").do("rewards.adjust", referrer="D1", amount="7", currency="EUR", reason="x")
    money.by("fin").do("payee_accounts.add", referrer="D1", holder="Li", number="DE1", currency="EUR")

    # when
    yuan, euro = money.run(), money.run(currency="EUR")

    # then
    assert (yuan.total, yuan.currency) == (5000, "CNY")
    assert (euro.total, euro.currency, euro.number) == (700, "EUR", "S-2026-11-EUR-0001")


def test_after_a_cancelled_one_the_period_gets_the_next_number(money: MoneyOffice) -> None:
    money.earn()
    first = money.run()
    money.by("fin").do("settlements.cancel", first.id, reason="forgot somebody")

    assert money.run().number == "S-2026-11-CNY-0002"


def test_with_nothing_to_pay_there_is_no_settlement(money: MoneyOffice) -> None:
    money.refuses(NothingDue, "fin", "settlements.run", period="2026-11")

    money.by("fin").do("rewards.adjust", referrer="D1", amount="-5", reason="x")
    assert "1 payees are held" in money.refuses(NothingDue, "fin", "settlements.run", period="2026-11")


def test_a_negative_balance_is_carried_into_the_next_period(money: MoneyOffice) -> None:
    # given
    money.earn("D2")
    cause = money.earn("D1", event="won", gross="200", net="200")
    money.by("fin").do("settlements.mark_paid", money.exported().id)
    money.wait(days=30)
    money.by("boss").do("deeds.refund", cause=cause, refunded="200", of="200")
    money.earn("D2")

    # when
    december = money.run("2026-12")

    # then
    held = money.payout(december, "D1")
    assert (held.state, held.reason, held.amount, held.clawed_back) == ("held", CARRIED, -1000, 1000)
    assert december.total == 5000
    assert money.line(cause, "clawback").state == "due"

    # when
    money.by("fin").do("settlements.submit", december.id)
    money.wait(days=31)
    money.earn("D1")
    january = money.run("2027-01")

    # then
    paid = money.payout(january, "D1")
    assert (paid.carried, paid.earned, paid.amount) == (-1000, 5000, 4000)


def test_running_can_be_undone_before_anything_is_posted(money: MoneyOffice) -> None:
    # given
    money.earn()
    before = money.image()
    done = money.by("fin").do("settlements.run", period="2026-11")

    # when
    money.by("fin").undo(done.operation)

    # then
    after = money.image()
    assert (after["settlements"], after["payouts"]) == ([], [])
    assert states(money) == ["due"]
    assert len(after["rewards"]) == len(before["rewards"])


def test_reviewers_do_not_settle(money: MoneyOffice) -> None:
    money.earn()

    money.refuses(NotAllowed, "rita", "settlements.run", period="2026-11")


# -- editing -----------------------------------------------------------------------------------------------------------


def test_a_line_is_taken_out_and_is_due_again(money: MoneyOffice) -> None:
    # given
    money.earn()
    cause = money.earn()
    made = money.run()

    # when
    money.by("fred").do("settlements.remove_line", made.id, line=money.line(cause).id)

    # then
    edited = money.get(Settlement, made.id)
    assert (edited.total, edited.lines, edited.editors) == (5000, 1, (money.ids["fred"],))
    assert (money.line(cause).state, money.line(cause).settlement) == ("due", None)
    assert (money.payout(made, "D1").amount, money.payout(made, "D1").lines) == (5000, 1)


def test_the_last_line_taken_out_leaves_a_held_payout(money: MoneyOffice) -> None:
    money.earn("D1")
    cause = money.earn("D2")
    made = money.run()

    money.by("fin").do("settlements.remove_line", made.id, line=money.line(cause).id)

    assert (money.payout(made, "D2").state, money.payout(made, "D2").reason) == ("held", TAKEN_OUT)
    assert (money.get(Settlement, made.id).total, money.get(Settlement, made.id).payees) == (5000, 1)


def test_where_debts_would_be_left_all_lines_of_the_payee_go_out(money: MoneyOffice) -> None:
    # given
    money.earn("D2")
    cause = money.earn("D1")
    money.by("fin").do("rewards.adjust", referrer="D1", amount="-20", reason="x")
    made = money.run()

    # when
    money.by("fin").do("settlements.remove_line", made.id, line=money.line(cause).id)

    # then
    assert (money.payout(made, "D1").state, money.payout(made, "D1").reason) == ("held", CARRIED)
    assert {line.state for line in money.all(RewardLine, f"referrer:{money.referrers['D1']}")} == {"due"}


def test_a_line_is_taken_in_and_what_must_be_given_back_with_it(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    made = money.run()
    cause = money.earn("D2")
    money.by("fin").do("rewards.adjust", referrer="D2", amount="-20", reason="x")

    # when
    money.by("fred").do("settlements.add_line", made.id, line=money.line(cause).id)

    # then
    assert (money.payout(made, "D2").amount, money.payout(made, "D2").lines) == (3000, 2)
    assert (money.get(Settlement, made.id).total, money.get(Settlement, made.id).editors) == (
        8000,
        (money.ids["fred"],),
    )


def test_a_line_is_added_to_a_payout_that_is_there(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()
    cause = money.earn()

    money.by("fin").do("settlements.add_line", made.id, line=money.line(cause).id)

    assert (money.payout(made, "D1").amount, money.get(Settlement, made.id).total) == (10000, 10000)


def test_an_edit_makes_a_submitted_settlement_a_draft_again(money: MoneyOffice) -> None:
    money.earn()
    cause = money.earn()
    made = money.submitted()

    money.by("fin").do("settlements.remove_line", made.id, line=money.line(cause).id)

    edited = money.get(Settlement, made.id)
    assert (edited.state, edited.content_hash, edited.submitted_by) == ("draft", "", "")


def test_lines_that_do_not_fit_are_not_taken_in(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    made = money.run()
    holding = money.line(money.earn("D2", event="visit"))
    later = money.line(money.earn("D2", at="2026-12-01 00:00"))
    included = money.all(RewardLine, "state:included")[0]

    # then
    for line in (holding, later, included):
        money.refuses(LineNotDue, "fin", "settlements.add_line", made.id, line=line.id)


def test_a_line_that_leaves_nothing_to_pay_is_not_taken_in(money: MoneyOffice) -> None:
    money.earn("D1")
    made = money.run()
    adjusted = money.by("fin").do("rewards.adjust", referrer="D2", amount="-20", reason="x").returned

    money.refuses(PayoutHeld, "fin", "settlements.add_line", made.id, line=adjusted)


def test_a_line_of_another_settlement_is_not_taken_out(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()

    money.refuses(NotInSettlement, "fin", "settlements.remove_line", made.id, line=money.line(money.earn()).id)


def test_a_payee_is_held_by_hand_and_released(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    money.earn("D2")
    made = money.run()

    # when
    money.by("fin").do("payouts.hold", money.payout(made, "D2").id, reason="asks for cash")

    # then
    assert (money.payout(made, "D2").state, money.get(Settlement, made.id).total) == ("held", 5000)
    assert states(money) == ["due", "included"]

    # when
    money.by("fin").do("payouts.release", money.payout(made, "D2").reference)

    # then
    assert (money.payout(made, "D2").state, money.payout(made, "D2").reason) == ("planned", "")
    assert money.get(Settlement, made.id).total == 10000


def test_who_still_cannot_be_paid_is_not_released(money: MoneyOffice) -> None:
    money.by("rita").do("referrers.block", "D2", reason="fraud")
    money.earn("D1")
    money.earn("D2")
    made = money.run()

    money.refuses(PayoutHeld, "fin", "payouts.release", money.payout(made, "D2").id)


def test_an_approved_settlement_is_not_edited(money: MoneyOffice) -> None:
    money.earn("D1")
    cause = money.earn("D2")
    made = money.approved()

    money.refuses(WrongState, "fin", "settlements.remove_line", made.id, line=money.line(cause).id)
    money.refuses(ContentChanged, "fin", "payouts.hold", money.payout(made, "D2").id, reason="x")
    assert len(money.all(Payout, f"settlement:{made.id}")) == 2
