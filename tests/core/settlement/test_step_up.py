"""An approver with a second factor shows a fresh code of it, whichever way the approval comes."""

from __future__ import annotations

import pytest

from bo.core.access import second_factor
from bo.core.access.proving import TRIES_FREE, TooManyTries, WrongCode
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import NotAllowed, ProofWanted
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import ContentChanged
from bo.sync import accounts
from tests.core.money_office import MoneyOffice


@pytest.fixture
def submitted(money: MoneyOffice) -> Settlement:
    money.earn()
    return money.submitted()


@pytest.fixture
def codes(money: MoneyOffice) -> list[str]:
    """Codes for paper of anna, whose second factor is on."""
    return accounts.set_up_second_factor(money.ws, money.ids["anna"])[1]


def approve(money: MoneyOffice, made: Settlement, login: str = "anna", **more: object) -> None:
    money.by(login).do("settlements.approve", made.id, **{"hash": made.content_hash, **more})


def state(money: MoneyOffice, made: Settlement) -> str:
    return str(money.get(Settlement, made.id).state)


def test_without_a_code_nothing_is_approved(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    money.refuses(ProofWanted, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)

    assert issubclass(ProofWanted, NotAllowed)
    assert state(money, submitted) == "submitted"


def test_a_code_is_good_for_one_approval(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    # when
    money.by("anna").prove(codes[0])
    approve(money, submitted)

    # then
    assert state(money, submitted) == "approved"
    assert money.ws.proof is None
    with pytest.raises(WrongCode):
        money.by("anna").prove(codes[0])


def test_a_refused_approval_uses_the_proof_up(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    money.by("anna").prove(codes[0])

    money.refuses(ContentChanged, "anna", "settlements.approve", submitted.id, hash="another")

    money.refuses(ProofWanted, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)


@pytest.mark.parametrize("atomic", [True, False])
def test_what_is_refused_with_others_uses_it_up_too(
    money: MoneyOffice, submitted: Settlement, codes: list[str], atomic: bool
) -> None:
    money.by("anna").prove(codes[0])
    calls = [Call("settlements.approve", submitted.id, {"hash": "another"})]

    if atomic:
        with pytest.raises(ContentChanged):
            money.ws.run(calls, atomic=True)
    else:
        assert money.ws.run(calls)[0].status == "refused"

    assert money.ws.proof is None


def test_a_proof_is_fresh_for_five_minutes(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    money.by("anna").prove(codes[0])
    money.wait(minutes=5)

    money.refuses(ProofWanted, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)


def test_a_proof_is_of_one_operator(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    _uri, of_abel = accounts.set_up_second_factor(money.ws, money.ids["abel"])
    money.by("abel").prove(of_abel[0])

    money.refuses(ProofWanted, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)


def test_other_work_between_does_not_use_it_up(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    money.by("anna").prove(codes[0])
    money.by("fin").do("referrers.register", code="D9", name="another", kind="designer")

    approve(money, submitted)

    assert state(money, submitted) == "approved"


def test_a_dry_run_asks_for_none_and_spends_none(money: MoneyOffice, submitted: Settlement, codes: list[str]) -> None:
    call = Call("settlements.approve", submitted.id, {"hash": submitted.content_hash})

    (without,) = money.by("anna").run([call], dry_run=True)
    money.ws.prove(codes[0])
    (with_it,) = money.ws.run([call], dry_run=True)

    assert (without.status, with_it.status) == ("applied", "applied")
    approve(money, submitted)


def test_who_has_no_second_factor_is_asked_for_none(
    money: MoneyOffice, submitted: Settlement, codes: list[str]
) -> None:
    assert not money.by("abel").wants_code("settlements.approve")
    money.ws.prove("000000")

    approve(money, submitted, "abel")

    assert state(money, submitted) == "approved"


def test_it_is_known_who_is_asked_and_for_what(money: MoneyOffice, codes: list[str]) -> None:
    assert money.by("anna").wants_code("settlements.approve")
    assert not money.ws.wants_code("settlements.return")


def test_a_wrong_code_counts_as_a_try_of_a_login(money: MoneyOffice, codes: list[str]) -> None:
    for _try in range(TRIES_FREE):
        with pytest.raises(WrongCode):
            money.by("anna").prove("000000")
    with pytest.raises(TooManyTries):
        money.ws.prove(codes[0])
    money.wait(hours=1)
    money.ws.prove(codes[0])


def test_what_a_telephone_shows_is_good_once(money: MoneyOffice, submitted: Settlement) -> None:
    import pyotp

    uri, _codes = accounts.set_up_second_factor(money.ws, money.ids["anna"])
    totp = pyotp.parse_uri(uri)
    assert isinstance(totp, pyotp.TOTP)
    digits = totp.at(money.now)

    money.by("anna").prove(digits)
    approve(money, submitted)

    assert second_factor.step_of(totp.secret, digits, money.now)
    with pytest.raises(WrongCode):
        money.by("anna").prove(digits)


def test_undoing_an_undo_of_an_approval_wants_it_too(money: MoneyOffice, codes: list[str]) -> None:
    # given the first of two approvals, taken back
    money.by("boss").do("settings.set", key="settlement.second_approver_above", value="1")
    money.earn()
    made = money.submitted()
    money.by("anna").prove(codes[0])
    approved = money.ws.do("settlements.approve", made.id, hash=made.content_hash).operation
    taken_back = money.ws.do("op.undo", operation=approved).operation
    assert money.get(Settlement, made.id).approvers == ()

    # then
    money.refuses(ProofWanted, "anna", "op.undo", operation=taken_back)
    money.by("anna").prove(codes[1])
    money.ws.do("op.undo", operation=taken_back)
    assert money.get(Settlement, made.id).approvers == (money.ids["anna"],)
