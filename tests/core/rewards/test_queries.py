"""Why a line is what it is, and who is owed what."""

from __future__ import annotations

from bo.core.kernel.kinds import Primitive
from bo.core.kernel.text import use_language
from bo.core.rewards.frozen import thaw
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
        f"earned by an order of {cause}, by rule ORDER, version 1",
        "5 % of 10000.00 CNY net of tax and shipping = 500.00 CNY",
        "50.00 CNY of it taken back on 2026-11-02: 500.00 CNY x 1130.00 CNY / 11300.00 CNY refunded",
    )
    assert {item.name: item.value for item in told.inputs}["net of tax and shipping"] == "10000.00 CNY"
    assert {item.name: item.value for item in told.inputs}["rate"] == "5 %"


def test_caps_and_tiers_are_explained_step_by_step(money: MoneyOffice) -> None:
    money.by("boss").do("reward_rules.revise", "VALID", cap_month="70", effective_from="2026-11-02")
    money.earn()

    told = money.by("fin").ask("rewards.explain", money.line(money.earn()).id)

    assert told.words[1:] == (
        "50.00 CNY for a valid lead",
        "at most 70.00 CNY for one person in a month, 50.00 CNY given before: 20.00 CNY",
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
    assert back.words[1] == "5.00 CNY x 60.00 CNY / 100.00 CNY refunded, 2.50 CNY of it taken back before"
    assert by_hand.words[0] == "adjusted by hand: a thank-you"


def test_the_way_from_the_lead_to_the_payment_is_told(money: MoneyOffice) -> None:
    # given
    lead = str(money.by("boss").do("leads.report", name="李雷", phone="13800138000", number="L-1").returned)
    money.by("boss").do("deeds.earn", cause=lead, referrer=money.referrers["D1"], event="won", gross="100", net="100",
                        order="SO-1")  # fmt: skip
    settled = money.exported()

    # when
    told = money.by("fin").ask("rewards.explain", money.line(lead).id)

    # then
    assert [(link.what, link.name, link.state) for link in told.chain] == [
        ("lead", "L-1", "pending review"),
        ("order", "SO-1", ""),
        ("reward line", "ORDER/1", "included"),
        ("settlement", settled.number, "exported"),
        ("payout", money.payout(settled, "D1").reference, "sent"),
    ]
    assert [link.amount for link in told.chain[2:]] == [500, 500, 500]
    assert [link.what for link in money.by("rita").ask("rewards.explain", money.line(lead).id).chain] == [
        "lead",
        "order",
        "reward line",
    ]


def test_what_older_lines_call_a_cap_of_a_month_is_still_read(money: MoneyOffice) -> None:
    frozen: dict[str, Primitive] = {"kind": "fixed", "base": "net", "from": "2026-01-01", "amount": 5000}
    frozen |= {"cap_period": 7000, "paid_period": 5000}

    terms, inputs = thaw(frozen, event="valid_lead", currency="CNY")

    assert (terms.cap_month, inputs.paid_month) == (7000, 5000)


def test_explaining_works_in_every_language(money: MoneyOffice) -> None:
    cause = money.earn(event="won", gross="100", net="100")
    money.by("boss").do("deeds.refund", cause=cause, refunded="50", of="100")
    use_language("zh_CN")

    told = money.by("fin").ask("rewards.explain", money.line(cause).id)

    assert "ORDER" in told.words[0]
    assert "净额 100.00 CNY" in told.words[1]


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
