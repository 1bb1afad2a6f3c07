"""Why a line is what it is, and who is owed what."""

from __future__ import annotations

from bo.core.kernel.text import use_language
from bo.core.rewards.queries import PayeeDue
from tests.core.money_office import MoneyOffice


def test_a_line_is_explained_by_what_was_frozen_on_it(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="11300", net="10000", order="SO-1")
    money.by("boss").do("deeds.refund", cause=cause, refunded="1130", of="11300")
    money.by("boss").do("reward_rules.revise", "ORDER", rate="9%", effective_from="2026-11-03")

    # when
    told = money.by("fin").ask("rewards.explain", money.line(cause).id)

    # then
    assert (told.rule, told.amount, told.agrees) == ("ORDER/1", 50000, True)
    assert told.words == (
        f"earned by won of {cause}, by rule ORDER, version 1",
        "5 % of 10000.00 CNY net of tax and shipping = 500.00 CNY",
        "50.00 CNY of it taken back on 2026-11-02",
    )
    assert {item.name: item.value for item in told.inputs}["net"] == "10000.00 CNY"
    assert {item.name: item.value for item in told.inputs}["rate"] == "5 %"


def test_caps_and_tiers_are_explained_step_by_step(money: MoneyOffice) -> None:
    money.by("boss").do("reward_rules.revise", "VALID", cap_month="70", effective_from="2026-11-02")
    money.earn()

    told = money.by("fin").ask("rewards.explain", money.line(money.earn()).id)

    assert told.words[1:] == (
        "50.00 CNY for a valid lead",
        "at most 70.00 CNY for one person in a period, 50.00 CNY given before: 20.00 CNY",
    )
    assert told.agrees


def test_an_amount_that_its_inputs_do_not_come_to_is_seen(money: MoneyOffice) -> None:
    line = money.line(money.earn())
    money.ws.database.session.script([f"UPDATE reward_line SET amount = 6000 WHERE id = '{line.id}'"])

    assert not money.by("fin").ask("rewards.explain", line.id).agrees


def test_clawbacks_and_adjustments_are_explained(money: MoneyOffice) -> None:
    # given
    cause = money.earn(event="won", gross="100", net="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="60", of="100")
    adjusted = money.by("fin").do("rewards.adjust", referrer="D1", amount="1", reason="a thank-you").returned

    # when
    back = money.by("fin").ask("rewards.explain", money.line(cause, "clawback").id)
    by_hand = money.ws.ask("rewards.explain", adjusted)

    # then
    assert back.words[1] == "5.00 CNY x 60.00 CNY / 100.00 CNY refunded, 2.50 CNY taken back before"
    assert by_hand.words[0] == "adjusted by hand: a thank-you"


def test_explaining_works_in_every_language(money: MoneyOffice) -> None:
    line = money.line(money.earn())
    use_language("zh_CN")

    assert "VALID" in money.by("fin").ask("rewards.explain", line.id).words[0]


def test_what_is_owed_is_summed_for_each_payee(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    money.earn("D1", event="visit")
    held = money.earn("D2")
    money.by("fin").do("rewards.hold", money.line(held).id, reason="x")
    money.earn("D2", event="won", gross="10000", net="10000")

    # then
    assert money.by("fin").ask("rewards.due") == [
        PayeeDue("D2", "李设计2", "CNY", 50000, 0, 5000, 0, 2),
        PayeeDue("D1", "李设计1", "CNY", 5000, 10000, 0, 0, 2),
    ]
    assert money.ws.ask("rewards.due", currency="EUR") == []
