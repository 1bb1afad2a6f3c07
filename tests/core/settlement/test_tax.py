"""Tax is withheld when a settlement is made, frozen with its arithmetic, owed to the tax office, told to the payee."""

from __future__ import annotations

import pytest

from bo.core.kernel.text import speaking
from bo.core.settlement.making import TAX_UNKNOWN
from bo.core.settlement.records import Payout, Settlement
from bo.core.settlement.refusals import ContentChanged
from tests.core.money_office import MoneyOffice


@pytest.fixture
def taxed(money: MoneyOffice) -> MoneyOffice:
    """D1 is taxed as labour income, D2 at a flat rate, D3 not at all; each has earned 5,000.00."""
    money.by("fin").do("referrers.set_tax", "D1", tax="cn_labour")
    money.by("fin").do("referrers.set_tax", "D2", tax="flat", rate="7.5%")
    for code in ("D1", "D2", "D3"):
        money.earn(code, event="won", gross="100000", net="100000")
    return money


def test_the_net_is_paid_and_the_tax_is_owed_to_the_tax_office(taxed: MoneyOffice) -> None:
    # when
    made = taxed.exported()

    # then
    assert (made.total, made.tax) == (15000_00, 800_00 + 375_00)
    first, second, third = (taxed.payout(made, code) for code in ("D1", "D2", "D3"))
    assert [(item.gross, item.tax, item.amount) for item in (first, second, third)] == [
        (5000_00, 800_00, 4200_00), (5000_00, 375_00, 4625_00), (5000_00, 0, 5000_00),
    ]  # fmt: skip
    assert taxed.balance("tax_withheld", taxed.referrers["D1"]) == -800_00
    assert taxed.balance("reward_payable", taxed.referrers["D1"]) == -4200_00
    assert taxed.balance("reward_expense") == 15000_00
    file = taxed.by("fin").ask("settlements.payout_file", made.id)
    assert [row.split(",")[7] for row in file.content.decode("utf-8-sig").split("\r\n")[1:-1]] == [
        "4200.00", "4625.00", "5000.00",
    ]  # fmt: skip
    assert file.total == made.total - made.tax
    assert taxed.ws.ask("settlements.check", made.id).agrees

    # when
    taxed.ws.do("settlements.mark_paid", made.id)

    # then
    assert (taxed.balance("bank"), taxed.balance("tax_withheld")) == (-13825_00, -1175_00)
    assert taxed.ws.ask("settlements.check", made.id).agrees


def test_the_statement_says_what_was_withheld_and_how(taxed: MoneyOffice) -> None:
    made = taxed.exported()
    taxed.by("fin").do("settlements.mark_paid", made.id)

    with speaking("en"):
        told = taxed.ws.ask("settlements.statement", made.id, referrer="D1")
        csv = taxed.ws.ask("settlements.statement_file", made.id, referrer="D1", form="csv", language="en").content

    assert (told.earned, told.tax_withheld, told.paid, told.closing) == (5000_00, 800_00, 4200_00, 0)
    assert told.tax_arithmetic == "labour income of 2026-11: 5000.00 x 80% x 20% - 0.00, less 0.00 withheld before"
    assert told.tax_arithmetic in csv.decode("utf-8-sig")


def test_a_later_change_of_the_treatment_does_not_touch_what_was_made(taxed: MoneyOffice) -> None:
    # given
    made = taxed.submitted()
    taxed.by("fred").do("referrers.set_tax", "D1", tax="none")

    # when
    taxed.by("anna").do("settlements.approve", made.id, hash=made.content_hash)

    # then
    assert taxed.payout(made, "D1").tax == 800_00


def test_the_approval_binds_the_tax(taxed: MoneyOffice) -> None:
    made = taxed.submitted()
    taxed.ws.database.session.script(
        ["UPDATE payout SET tax = tax - 1, amount = amount + 1 WHERE tax > 0 AND payee_code = 'D1'"]
    )

    taxed.refuses(ContentChanged, "anna", "settlements.approve", made.id, hash=made.content_hash)


def test_two_payments_in_a_month_are_taxed_as_one(taxed: MoneyOffice) -> None:
    # given: another settlement of an earlier period, paid in the same month
    taxed.earn("D1", event="won", gross="100000", net="100000", at="2026-10-20 12:00")
    october = taxed.run("2026-10")

    # when
    november = taxed.run("2026-11")

    # then
    assert (taxed.payout(october, "D1").tax, taxed.payout(november, "D1").tax) == (800_00, 800_00)
    taxed.by("fin").do("settlements.cancel", october.id, reason="x")
    taxed.by("fin").do("settlements.submit", november.id)
    assert taxed.payout(november, "D1").tax == 800_00


def test_a_line_taken_out_lowers_the_tax(taxed: MoneyOffice) -> None:
    # given
    cause = taxed.earn("D1")
    made = taxed.run()
    assert taxed.payout(made, "D1").tax == 808_00

    # when
    taxed.by("fin").do("settlements.remove_line", made.id, line=taxed.line(cause).id)

    # then
    assert (taxed.payout(made, "D1").tax, taxed.get(Settlement, made.id).tax) == (800_00, 1175_00)


def test_when_a_payment_fails_its_tax_is_owed_no_more(taxed: MoneyOffice) -> None:
    # given
    made = taxed.exported()

    # when
    taxed.by("fin").do("payouts.fail", taxed.payout(made, "D1").id, reason="closed")

    # then
    assert taxed.balance("tax_withheld", taxed.referrers["D1"]) == 0
    taxed.wait(days=30)
    december = taxed.run("2026-12")
    assert (taxed.payout(december, "D1").carried, taxed.payout(december, "D1").tax) == (5000_00, 800_00)


def test_labour_income_in_another_currency_waits(money: MoneyOffice) -> None:
    money.by("fin").do("referrers.set_tax", "D1", tax="cn_labour")
    for code in ("D1", "D2"):
        money.by("fin").do("payee_accounts.add", referrer=code, holder="x", number=code, currency="EUR")
        money.by("fin").do("rewards.adjust", referrer=code, amount="10", currency="EUR", reason="x")

    made = money.run(currency="EUR")

    held = money.payout(made, "D1")
    assert (held.state, held.reason, held.tax) == ("held", TAX_UNKNOWN, 0)
    assert {item.payee_code for item in money.all(Payout, "state:planned")} == {"D2"}
