"""Approval: by somebody who had no hand in it, of exactly what was shown, into the ledger."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import BoError, NotAllowed, Refused, UsageError, WrongState
from bo.core.ledger.records import Entry
from bo.core.referrers.records import PayeeAccount
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import ContentChanged, NotAPerson, NothingDue, PayoutHeld
from bo.core.settlement.rules import OwnWork, TotalDiffers
from tests.core.money_office import MoneyOffice


def refuse_approval(money: MoneyOffice, error: type[BoError], made: Settlement, login: str = "anna") -> str:
    return money.refuses(error, login, "settlements.approve", made.id, hash=made.content_hash)


def test_submitting_binds_the_content(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    assert (made.state, made.submitted_by, made.editors) == ("submitted", money.ids["fin"], (money.ids["fin"],))
    assert len(made.content_hash) == 64


def test_an_empty_draft_is_not_submitted(money: MoneyOffice) -> None:
    cause = money.earn()
    made = money.run()
    money.by("fin").do("settlements.remove_line", made.id, line=money.line(cause).id)

    money.refuses(NothingDue, "fin", "settlements.submit", made.id)


def test_a_payee_who_became_held_is_named_when_it_is_submitted(money: MoneyOffice) -> None:
    money.earn("D2")
    made = money.run()
    money.by("rita").do("referrers.block", "D2", reason="fraud")

    assert "D2" in money.refuses(PayoutHeld, "fin", "settlements.submit", made.id)


def test_it_is_returned_with_a_reason_and_submitted_again(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.submitted()

    # when
    money.by("anna").do("settlements.return", made.id, reason="one line is missing")

    # then
    returned = money.get(Settlement, made.id)
    assert (returned.state, returned.note, returned.content_hash) == ("draft", "one line is missing", "")

    # when
    money.by("fin").do("settlements.submit", made.id)
    money.by("anna").do("settlements.approve", made.id, hash=made.content_hash)

    # then
    assert money.get(Settlement, made.id).state == "approved"


def test_returning_needs_a_reason_and_the_right(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    money.refuses(UsageError, "anna", "settlements.return", made.id)
    money.refuses(NotAllowed, "rita", "settlements.return", made.id, reason="x")


def test_somebody_else_approves_and_the_ledger_holds_what_is_owed(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    money.earn("D2", event="won", gross="200", net="200")
    made = money.submitted()

    # when
    money.by("anna").do("settlements.approve", made.id, hash=made.content_hash)

    # then
    approved = money.get(Settlement, made.id)
    assert (approved.state, approved.approved_by, approved.approved_hash) == (
        "approved",
        money.ids["anna"],
        made.content_hash,
    )
    assert approved.approved_at == money.now
    assert money.balance("reward_expense") == 6000
    assert money.balance("reward_payable", money.referrers["D1"]) == -5000
    assert money.balance("reward_payable", money.referrers["D2"]) == -1000
    assert {entry.source for entry in money.all(Entry)} == {
        f"approval:{money.payout(made, code).id}" for code in ("D1", "D2")
    }
    assert {line.state for line in money.all(RewardLine)} == {"included"}
    assert money.ws.ask("settlements.check", made.id).agrees


def test_who_made_it_does_not_approve_it(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    assert "made this settlement" in refuse_approval(money, OwnWork, made, "fin")


def test_who_edited_it_does_not_approve_it(money: MoneyOffice) -> None:
    money.earn()
    cause = money.earn()
    made = money.run()
    money.by("fred").do("settlements.remove_line", made.id, line=money.line(cause).id)
    money.by("fin").do("settlements.submit", made.id)

    refuse_approval(money, OwnWork, money.get(Settlement, made.id), "fred")


def test_who_submitted_it_does_not_approve_it_even_when_another_submits_again(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()
    money.by("fred").do("settlements.submit", made.id)
    refuse_approval(money, OwnWork, money.get(Settlement, made.id), "fred")

    money.by("anna").do("settlements.return", made.id, reason="x")
    money.by("fin").do("settlements.submit", made.id)
    refuse_approval(money, OwnWork, money.get(Settlement, made.id), "fred")


def test_who_wrote_a_rule_of_it_does_not_approve_it(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    assert "reward rule" in refuse_approval(money, OwnWork, made, "boss")


def test_who_revised_a_rule_that_is_not_used_may_approve(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()
    money.by("fred").do("reward_rules.revise", "VALID", amount="60", effective_from="2027-01-01")

    money.by("fred").do("settlements.approve", made.id, hash=made.content_hash)

    assert money.get(Settlement, made.id).state == "approved"


def test_who_adjusted_or_released_a_line_does_not_approve_it(money: MoneyOffice) -> None:
    # given
    released = money.line(money.earn("D1"))
    money.by("fin").do("rewards.hold", released.id, reason="x")
    money.by("boss").do(
        "roles.edit", "approver", permissions="settlements.read,settlements.approve,rewards.*,payee_accounts.*"
    )
    money.by("anna").do("rewards.release", released.id)
    money.by("abel").do("rewards.adjust", referrer="D1", amount="5", reason="x")

    # when
    made = money.submitted()

    # then
    assert "anna had a hand in a line" in refuse_approval(money, OwnWork, made, "anna")
    assert "abel had a hand in a line" in refuse_approval(money, OwnWork, made, "abel")


def test_who_changed_an_account_in_it_does_not_approve_it(money: MoneyOffice) -> None:
    # given
    money.by("boss").do("roles.edit", "approver", permissions="settlements.read,settlements.approve,payee_accounts.*")
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]
    money.by("anna").do("payee_accounts.change", account.id, number="999")
    money.by("fin").do("payee_accounts.change", account.id, bank="工商银行")
    money.wait(days=8)
    money.earn("D1")

    # when
    made = money.submitted()

    # then
    assert "anna wrote an account" in refuse_approval(money, OwnWork, made, "anna")


def test_who_undid_their_part_does_not_approve_it(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.run()
    submitted = money.by("fred").do("settlements.submit", made.id)
    money.by("fred").undo(submitted.operation)
    money.by("fin").do("settlements.submit", made.id)

    # then
    assert "fred undid something" in refuse_approval(money, OwnWork, money.get(Settlement, made.id), "fred")


def test_who_put_back_by_undo_what_another_took_out_does_not_approve_it(money: MoneyOffice) -> None:
    # given
    line = money.line(money.earn())
    money.earn("D2")
    voided = money.by("fin").do("rewards.void", line.id, reason="fabricated")
    money.by("fred").undo(voided.operation)

    # when
    made = money.submitted()

    # then
    assert line.id in {item.id for item in money.all(RewardLine, f"settlement:{made.id}")}
    assert "fred undid something" in refuse_approval(money, OwnWork, made, "fred")


def test_a_service_does_not_approve(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.submitted()
    service = money.by("boss").do("operators.add", login="cron", kind="service", roles="approver").returned
    money.ids["cron"] = str(service)

    # then
    refuse_approval(money, NotAPerson, made, "cron")
    refuse_approval(money, NotAPerson, made, "system")


def test_who_may_not_does_not_approve(money: MoneyOffice) -> None:
    money.earn()

    refuse_approval(money, NotAllowed, money.submitted(), "rita")


def test_a_draft_is_not_approved(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()

    money.refuses(WrongState, "anna", "settlements.approve", made.id, hash="0")


def test_another_hash_than_the_shown_one_is_refused(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    money.refuses(ContentChanged, "anna", "settlements.approve", made.id, hash="0" * 64)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE reward_line SET amount = amount + 1",
        "UPDATE settlement SET total = total + 1",
        "UPDATE payout SET amount = amount + 1, earned = earned + 1",
        "UPDATE reward_line SET settlement = NULL, payout = NULL WHERE id = (SELECT max(id) FROM reward_line)",
    ],
)
def test_a_total_that_is_not_the_sum_of_its_lines_stops_the_approval(money: MoneyOffice, tampering: str) -> None:
    money.earn()
    money.earn()
    made = money.submitted()
    money.ws.database.session.script([tampering])

    refuse_approval(money, TotalDiffers, made)


def test_sums_that_agree_but_were_not_shown_are_refused(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.submitted()
    money.ws.database.session.script(
        [
            "UPDATE reward_line SET amount = amount + 1",
            "UPDATE payout SET amount = amount + 1, earned = earned + 1",
            "UPDATE settlement SET total = total + 1",
        ]
    )

    # then
    refuse_approval(money, ContentChanged, made)


def test_an_account_changed_after_it_was_submitted_stops_the_approval(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    made = money.submitted()
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]
    money.wait(days=1)
    money.by("fred").do("payee_accounts.change", account.id, number="999")

    # then
    refuse_approval(money, PayoutHeld, made)
    money.wait(days=8)
    refuse_approval(money, ContentChanged, made)


def test_an_approval_cannot_be_undone(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.submitted()
    done = money.by("anna").do("settlements.approve", made.id, hash=made.content_hash)
    before = money.image()

    # when
    with pytest.raises(Refused, match="final"):
        money.by("anna").undo(done.operation)

    # then
    assert money.image() == before
