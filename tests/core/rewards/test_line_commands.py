"""Holding, releasing, voiding and adjusting reward lines by hand."""

from __future__ import annotations

from bo.core.kernel.errors import NotAllowed, UsageError, WrongState
from bo.core.rewards.commands import ClawbackSettled, NothingToAdjust
from bo.core.rewards.records import RewardLine
from tests.core.money_office import MoneyOffice


def test_a_held_line_keeps_its_reason_until_it_is_released(money: MoneyOffice) -> None:
    # given
    line = money.line(money.earn())

    # when
    money.by("fin").do("rewards.hold", line.id, reason="asked the store")

    # then
    held = money.get(RewardLine, line.id)
    assert (held.state, held.reason, held.editors) == ("held", "asked the store", (money.ids["fin"],))

    # when
    money.by("fred").do("rewards.release", line.id)

    # then
    released = money.get(RewardLine, line.id)
    assert (released.state, released.reason) == ("due", "")
    assert set(released.editors) == {money.ids["fin"], money.ids["fred"]}


def test_a_line_is_released_into_its_holding_time(money: MoneyOffice) -> None:
    line = money.line(money.earn(event="visit"))
    money.by("fin").do("rewards.hold", line.id, reason="x")

    money.by("fin").do("rewards.release", line.id)

    assert money.get(RewardLine, line.id).state == "holding"


def test_holding_and_voiding_need_a_reason(money: MoneyOffice) -> None:
    line = money.line(money.earn())

    money.refuses(UsageError, "fin", "rewards.hold", line.id)
    money.refuses(UsageError, "fin", "rewards.void", line.id, reason=" ")


def test_only_held_lines_are_released(money: MoneyOffice) -> None:
    money.refuses(WrongState, "fin", "rewards.release", money.line(money.earn()).id)


def test_a_void_line_takes_its_open_clawbacks_with_it(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")

    # when
    money.by("fin").do("rewards.void", money.line(cause).id, reason="a test order")

    # then
    assert [(line.state, line.reason) for line in money.all(RewardLine)] == [("void", "a test order")] * 2


def test_a_line_is_not_voided_under_a_settled_clawback(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.earn()
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")
    made = money.run()
    money.by("fin").do("settlements.remove_line", made.id, line=money.line(cause).id)

    # then
    money.refuses(ClawbackSettled, "fin", "rewards.void", money.line(cause).id, reason="x")


def test_included_and_paid_lines_are_neither_held_nor_void(money: MoneyOffice) -> None:
    line = money.line(money.earn())
    made = money.exported()

    money.refuses(WrongState, "fin", "rewards.hold", line.id, reason="x")
    money.by("fin").do("settlements.mark_paid", made.id)
    money.refuses(WrongState, "fin", "rewards.void", line.id, reason="x")


def test_an_adjustment_is_a_line_of_its_own(money: MoneyOffice) -> None:
    made = money.by("fin").do("rewards.adjust", referrer="D1", amount="-12.50", reason="paid in cash").returned

    line = money.get(RewardLine, str(made))
    assert (line.kind, line.amount, line.state, line.reason) == ("adjustment", -1250, "due", "paid in cash")
    assert line.editors == (money.ids["fin"],)


def test_an_adjustment_of_nothing_is_refused(money: MoneyOffice) -> None:
    money.refuses(NothingToAdjust, "fin", "rewards.adjust", referrer="D1", amount="0", reason="x")


def test_only_finance_adjusts(money: MoneyOffice) -> None:
    money.refuses(NotAllowed, "rita", "rewards.adjust", referrer="D1", amount="1", reason="x")
    money.refuses(NotAllowed, "anna", "rewards.adjust", referrer="D1", amount="1", reason="x")
