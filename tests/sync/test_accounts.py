"""Who may speak to a central store: passwords, second factors, tokens, and what is held back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import msgspec
import pyotp
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from bo.core.access import credentials, second_factor
from bo.core.access.proving import TRIES_FREE, TooManyTries
from bo.core.access.records import Device
from bo.core.kernel.database import Session
from bo.core.kernel.errors import BoError, Configuration, NotFound, UsageError
from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.sync import accounts, passwords
from bo.sync.accounts import AddressTries, CodeWanted, LoginRefused
from bo.sync.central import Caller, Revoked
from bo.sync.limits import Rate
from bo.sync.oversight import people
from bo.sync.passwords import WeakPassword
from bo.sync.protocol import Cursor, Hello, Login, Push, Sent, Ticket, encode
from bo.sync.tokens import bearer_of
from bo.sync.transport import LoggedOut
from tests.sync.stage import Stage

PASSWORD: Final = "two herons over the marsh"
OTHER: Final = "seven lanterns in a boat"
THREADS: Final = 16


class CountingHasher:
    """Cheap hashes, and how often one was compared: what they cost is argon2's business."""

    def __init__(self) -> None:
        self.inner = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        self.verified: list[str] = []

    def hash(self, text: str) -> str:
        return self.inner.hash(text)

    def verify(self, kept: str, text: str) -> bool:
        self.verified.append(kept)
        return self.inner.verify(kept, text)

    def check_needs_rehash(self, kept: str) -> bool:
        return self.inner.check_needs_rehash(kept)


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingHasher]:
    made = CountingHasher()
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda: made)
    yield made
    passwords._nobodys.cache_clear()


@pytest.fixture
def anna(stage: Stage) -> str:
    """An operator with a password; her id."""
    accounts.set_password(stage.office, stage.operator("anna"), PASSWORD)
    return stage.operator("anna")


def logged_in(stage: Stage, user: str = "anna", password: str = PASSWORD, **more: str) -> Ticket:
    return accounts.login(stage.central, Login(user, password, **more))


def refusal(work: Callable[[], object]) -> BoError:
    with pytest.raises(BoError) as raised:
        work()
    return raised.value


def device(stage: Stage, name: str) -> Device:
    return stage.office.reader().get(Device, name)


def tokens(stage: Stage) -> list[tuple[object, ...]]:
    cursor = stage.office.database.session.cursor
    cursor.execute("SELECT operator, device, name, used_at, expires_at FROM token ORDER BY made_at, hash")
    return cursor.fetchall()


def standing(stage: Stage) -> tuple[object, ...]:
    """What a refused login must leave as it was."""
    return stage.office.data_version(), tokens(stage)


def everything(stage: Stage) -> str:
    """Every value of every table."""
    cursor = stage.office.database.session.cursor
    if stage.office.database.dialect == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'statement'")
    else:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    written = []
    for (name,) in cursor.fetchall():
        cursor.execute(f'SELECT * FROM "{name}"')
        written.append(repr(cursor.fetchall()))
    return "\n".join(written)


def noted(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> None:
    """Write down the key of every statement."""

    def noting(whole: Callable[..., object]) -> Callable[..., object]:
        def noted_and_done(own: Session, key: str, *rest: object) -> object:
            done.append(key)
            return whole(own, key, *rest)

        return noted_and_done

    for name in ("rows", "run"):
        monkeypatch.setattr(Session, name, noting(getattr(Session, name)))


def totp_of(uri: str) -> pyotp.TOTP:
    found = pyotp.parse_uri(uri)
    assert isinstance(found, pyotp.TOTP)
    return found


# -- passwords ---------------------------------------------------------------------------------------------------------


def test_a_login_gives_a_token_for_a_new_device(stage: Stage, anna: str) -> None:
    before = stage.office.data_version()

    ticket = logged_in(stage, name="anna's laptop")

    assert accounts.caller_of(stage.central, ticket.token) == Caller(anna, ticket.device)
    assert (ticket.operator, ticket.device_seq) == (anna, 0)
    assert (ticket.region, ticket.currency, ticket.zone) == ("CN", "CNY", "Asia/Shanghai")
    assert ticket.expires_at == stage.clock() + timedelta(days=90)
    made = device(stage, ticket.device)
    assert (made.operator, made.name, made.state) == (anna, "anna's laptop", "active")
    (registered,) = stage.office.operations(limit=1)
    assert (registered.seq, registered.name, registered.actor) == (before + 1, "devices.register", "system")


@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "no password", "not text"])
def test_whoever_does_not_come_in_is_told_the_same_at_the_same_cost(
    stage: Stage, anna: str, hasher: CountingHasher, case: str
) -> None:
    user, password = {
        "unknown": ("nobody", PASSWORD),
        "wrong": ("anna", OTHER),
        "disabled": ("anna", PASSWORD),
        "no password": ("bert", ""),
        "not text": ("an\0na", "\0" * 2000),
    }[case]
    if case == "disabled":
        stage.office.do("operators.disable", anna)
    before, compared = standing(stage), len(hasher.verified)

    error = refusal(lambda: logged_in(stage, user, password))

    assert type(error) is LoginRefused
    assert str(error) == "the login, the password or the code is wrong"
    assert error.facts == {}
    assert len(hasher.verified) == compared + 1
    assert (hasher.verified[-1] == passwords._nobodys()) == (case != "wrong")
    assert standing(stage) == before


def test_nobodys_hash_is_one_that_was_made_like_all() -> None:
    with pytest.raises(VerifyMismatchError):
        passwords._hasher().verify(passwords._nobodys(), "")
    assert not passwords.is_right("", "")
    assert not passwords.is_right(passwords._nobodys(), PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars", "", "a" * 40, "123456789012345678", "passwordpassword", "Password123456!!",
        "qwertyuiopasdfghjkl", "correct horse battery staple", "abcabcabcabcabcabc", "heron heron heron ",
        "my name is ANNA, you know",
        "woaini5201314woaini", "x" * 1001,
    ],
)  # fmt: skip
def test_a_password_that_is_easily_found_is_refused(stage: Stage, anna: str, password: str) -> None:
    error = refusal(lambda: accounts.set_password(stage.office, anna, password))

    assert isinstance(error, WeakPassword)
    assert not password or password not in f"{error!r} {error} {error.facts} {error.hint}"
    assert logged_in(stage).operator == anna


@pytest.mark.parametrize(
    "password", ["中文口令也可以很长的只要没有人想得到", "839284719283746", "Blue tractor, 2 pears"]
)
def test_a_password_of_any_letters_is_good(stage: Stage, anna: str, password: str) -> None:
    accounts.set_password(stage.office, anna, password)

    assert logged_in(stage, password=password).operator == anna


def test_the_same_letters_typed_otherwise_are_the_same_password(stage: Stage, anna: str) -> None:
    accounts.set_password(stage.office, anna, "cafe\u0301 am grossen Fluss")

    assert logged_in(stage, password="caf\u00e9 am grossen Fluss").operator == anna


def test_a_new_password_shuts_out_devices_and_not_programs(stage: Stage, anna: str) -> None:
    ticket, program = logged_in(stage), accounts.issue_token(stage.office, anna, "till")

    accounts.set_password(stage.office, anna, OTHER)

    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, ticket.token)
    assert accounts.caller_of(stage.central, program) == Caller(anna)
    assert refusal(lambda: logged_in(stage)).code == "login_refused"
    assert logged_in(stage, password=OTHER, device=ticket.device).device == ticket.device


def test_an_old_cheap_hash_is_made_anew_at_the_next_login(
    stage: Stage, anna: str, hasher: CountingHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hasher, "inner", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))

    logged_in(stage)

    with stage.office.database.reading() as session:
        account = credentials.account_of(session, anna)
    assert account is not None
    assert "t=2" in account.password
    assert logged_in(stage).operator == anna


def test_nobody_who_is_not_there_gets_a_password(stage: Stage) -> None:
    for work in (
        lambda: accounts.set_password(stage.office, "oper_none", PASSWORD),
        lambda: accounts.set_up_second_factor(stage.office, "oper_none"),
        lambda: accounts.issue_token(stage.office, "oper_none", "till"),
    ):
        assert isinstance(refusal(work), NotFound)
    assert "oper_none" not in everything(stage)


def test_a_device_decides_nothing_about_logins(stage: Stage, anna: str) -> None:
    laptop = stage.device("anna")

    with pytest.raises(Configuration):
        accounts.set_password(laptop.ws, anna, OTHER)


# -- guessing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["anna", "nobody"])
def test_who_guesses_has_to_wait_longer_and_longer(stage: Stage, anna: str, hasher: CountingHasher, user: str) -> None:
    for _try in range(TRIES_FREE):
        assert refusal(lambda: logged_in(stage, user, OTHER)).code == "login_refused"
    compared = len(hasher.verified)

    for waited in (30, 60, 120, 240, 480, 900, 900):
        error = refusal(lambda: logged_in(stage, user))
        assert isinstance(error, TooManyTries)
        assert (error.code, error.retryable, error.facts) == ("too_many", True, {"seconds": waited + 1})
        stage.clock.later(seconds=waited)
        assert refusal(lambda: logged_in(stage, user, OTHER)).code == "login_refused"

    assert len(hasher.verified) == compared + 7
    stage.clock.later(seconds=900)
    if user == "anna":
        assert logged_in(stage).operator == anna
        assert refusal(lambda: logged_in(stage, password=OTHER)).code == "login_refused"
        assert logged_in(stage).operator == anna


def test_a_thousand_guesses_at_once_are_no_more_than_ten(stage: Stage, anna: str, hasher: CountingHasher) -> None:
    compared = len(hasher.verified)
    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(lambda _try: refusal(lambda: logged_in(stage, password=OTHER)).code, range(40)))

    assert sorted(set(codes)) == ["login_refused", "too_many"]
    assert codes.count("login_refused") == TRIES_FREE == len(hasher.verified) - compared


def test_an_address_that_guesses_is_held_back_whomever_it_tries(
    stage: Stage, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "tries", AddressTries(Rate(0.001, 3)))
    guess, good = Login("nobody", OTHER), Login("anna", PASSWORD)

    for _time in range(5):
        accounts.login(stage.central, good, "203.0.113.9")
    for number in range(3):
        with pytest.raises(LoginRefused):
            accounts.login(stage.central, guess, f"2001:db8::{number}")

    with pytest.raises(TooManyTries):
        accounts.login(stage.central, good, "2001:db8::99")
    assert accounts.login(stage.central, good, "203.0.113.9").operator == anna
    assert accounts.login(stage.central, good, "2001:db8:1::99").operator == anna


# -- the second factor -------------------------------------------------------------------------------------------------


def test_with_a_second_factor_the_password_alone_is_not_enough(stage: Stage, anna: str) -> None:
    uri, codes = accounts.set_up_second_factor(stage.office, anna, issuer="bo acme")
    totp, before = totp_of(uri), standing(stage)
    assert (totp.name, totp.issuer, len(totp.secret), len(set(codes))) == ("anna", "bo acme", 32, 10)

    assert type(refusal(lambda: logged_in(stage))) is CodeWanted
    assert type(refusal(lambda: logged_in(stage, password=OTHER))) is LoginRefused
    assert type(refusal(lambda: logged_in(stage, otp="000000"))) is LoginRefused
    assert standing(stage) == before

    assert logged_in(stage, otp=totp.at(stage.clock())).operator == anna


def test_asking_for_the_code_counts_as_no_try(stage: Stage, anna: str) -> None:
    uri, _codes = accounts.set_up_second_factor(stage.office, anna)
    for _time in range(3 * TRIES_FREE):
        assert refusal(lambda: logged_in(stage)).code == "code_wanted"

    assert logged_in(stage, otp=totp_of(uri).at(stage.clock())).operator == anna


def test_a_code_is_good_once_and_none_before_it(stage: Stage, anna: str) -> None:
    totp = totp_of(accounts.set_up_second_factor(stage.office, anna)[0])
    now = stage.clock()
    before, present, after, far = (totp.at(now + timedelta(seconds=30 * step)) for step in (-1, 0, 1, 2))

    assert logged_in(stage, otp=f" {present[:3]} {present[3:]} ").operator == anna
    for code in (present, before, far):
        assert refusal(lambda code=code: logged_in(stage, otp=code)).code == "login_refused"  # type: ignore[misc]
    assert logged_in(stage, otp=after).operator == anna
    assert refusal(lambda: logged_in(stage, otp=after)).code == "login_refused"


@pytest.mark.parametrize("kind", ["telephone", "paper"])
def test_of_many_who_come_with_one_code_one_is_let_in(stage: Stage, anna: str, kind: str) -> None:
    uri, codes = accounts.set_up_second_factor(stage.office, anna)
    code = totp_of(uri).at(stage.clock()) if kind == "telephone" else codes[3]

    def come(_number: int) -> str:
        try:
            return logged_in(stage, otp=code).token[:3]
        except BoError as error:
            return error.code

    with ThreadPoolExecutor(THREADS) as pool:
        came = list(pool.map(come, range(THREADS)))

    assert came.count("bo_") == 1
    assert set(came) - {"bo_"} <= {"login_refused", "too_many"}
    assert len(tokens(stage)) == 1
    assert stage.office.reader().count("devices") == 1


def test_each_code_on_paper_is_good_once(stage: Stage, anna: str) -> None:
    _uri, codes = accounts.set_up_second_factor(stage.office, anna)

    assert logged_in(stage, otp=codes[0].upper().replace("-", " ")).operator == anna
    assert refusal(lambda: logged_in(stage, otp=codes[0])).code == "login_refused"
    assert logged_in(stage, otp=codes[9]).operator == anna
    accounts.set_up_second_factor(stage.office, anna)
    assert refusal(lambda: logged_in(stage, otp=codes[1])).code == "login_refused"
    accounts.drop_second_factor(stage.office, anna)
    assert logged_in(stage).operator == anna


def test_another_operators_code_on_paper_is_none(stage: Stage, anna: str) -> None:
    codes = second_factor.new_codes()
    kept = second_factor.kept(codes, anna)

    assert second_factor.without(kept, codes[0], "oper_other") is None
    assert second_factor.without(kept, "x" * 10_000, anna) is None
    left = second_factor.without(kept, codes[0], anna)
    assert left is not None
    assert len(left.split()) == 9


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_that_is_no_token_stands_for_nobody(stage: Stage, anna: str) -> None:
    ticket = logged_in(stage)
    for token in ("", "bo_", ticket.token[:-1], ticket.token + "x", "x" * 100_000, "\0", "\ud800", "' OR 1=1 --"):
        error = refusal(lambda token=token: accounts.caller_of(stage.central, token))  # type: ignore[misc]
        assert isinstance(error, LoggedOut)
        assert str(error) == "the token is not good any more"


def test_a_token_is_good_for_90_days_from_its_last_use(stage: Stage, anna: str) -> None:
    ticket = logged_in(stage)

    stage.clock.later(days=89)
    assert accounts.caller_of(stage.central, ticket.token).operator == anna
    stage.clock.later(days=89)
    assert accounts.caller_of(stage.central, ticket.token).operator == anna
    stage.clock.later(days=90)
    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, ticket.token)


def test_a_request_costs_one_read_and_once_an_hour_a_write(
    stage: Stage, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = logged_in(stage)
    accounts.caller_of(stage.central, ticket.token)
    done: list[str] = []
    noted(monkeypatch, done)

    stage.clock.later(minutes=59)
    accounts.caller_of(stage.central, ticket.token)
    assert done == ["sync:token:bearer"]
    stage.clock.later(minutes=1)
    accounts.caller_of(stage.central, ticket.token)
    assert done[1:] == ["sync:token:bearer", "sync:token:used:2"]
    accounts.caller_of(stage.central, ticket.token)
    assert done[3:] == ["sync:token:bearer"]


def test_who_is_switched_off_or_shut_out_is_so_at_the_next_request(stage: Stage, anna: str) -> None:
    first, second = logged_in(stage), logged_in(stage)

    stage.office.do("devices.revoke", first.device)
    assert accounts.caller_of(stage.central, first.token) == Caller(anna, first.device, revoked=True)
    assert accounts.caller_of(stage.central, second.token) == Caller(anna, second.device)

    stage.office.do("operators.disable", anna)
    for ticket in (first, second):
        with pytest.raises(LoggedOut):
            accounts.caller_of(stage.central, ticket.token)


def test_a_device_that_is_revoked_between_two_steps_gets_no_further(stage: Stage, anna: str) -> None:
    ticket = logged_in(stage)
    hello = Hello((1,), "1", SCHEMA_VERSION, 1, Cursor(), stage.clock())
    steps = [("hello", encode(hello)), ("snapshot", encode({"schema": SCHEMA_VERSION})), ("digest", b"{}")]
    for kind, body in steps:
        assert stage.central.answer(accounts.caller_of(stage.central, ticket.token), kind, body)

    stage.office.do("devices.revoke", ticket.device)

    for kind, body in steps:
        with pytest.raises(Revoked):
            stage.central.answer(accounts.caller_of(stage.central, ticket.token), kind, body)


def test_logging_out_ends_one_token(stage: Stage, anna: str) -> None:
    first, second = logged_in(stage), logged_in(stage)

    accounts.log_out(stage.central, first.token)
    accounts.log_out(stage.central, first.token)

    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, first.token)
    assert accounts.caller_of(stage.central, second.token).device == second.device


def test_a_device_logs_in_again_as_itself(stage: Stage, anna: str) -> None:
    first = logged_in(stage)
    cursor = stage.office.database.session
    cursor.script([f"INSERT INTO contact VALUES ('{first.device}', 41, 0, 0, 0, 0, '2026-11-02T02:00:00.000Z')"])
    before = stage.office.data_version()

    again = logged_in(stage, device=first.device)

    assert (again.device, again.device_seq) == (first.device, 41)
    assert stage.office.data_version() == before
    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, first.token)
    assert len(tokens(stage)) == 1


def test_nobody_logs_in_as_anothers_device_or_one_that_is_shut_out(stage: Stage, anna: str) -> None:
    accounts.set_password(stage.office, stage.operator("bert"), OTHER)
    berts, annas = logged_in(stage, "bert", OTHER), logged_in(stage)
    stage.office.do("devices.revoke", annas.device)
    before = standing(stage)

    for name in (berts.device, "dev_none", "\0", "x" * 999):
        error = refusal(lambda name=name: logged_in(stage, device=name))  # type: ignore[misc]
        assert (error.code, error.facts) == ("login_refused", {"login": "anna"})
    assert refusal(lambda: logged_in(stage, device=annas.device)).code == "revoked"

    assert standing(stage) == before


def test_a_programs_token_has_no_device_and_an_end(stage: Stage, anna: str) -> None:
    token = accounts.issue_token(stage.office, anna, "till", 30)

    assert accounts.caller_of(stage.central, token) == Caller(anna)
    assert isinstance(refusal(lambda: accounts.issue_token(stage.office, anna, "till")), UsageError)
    stage.clock.later(days=29)
    assert accounts.caller_of(stage.central, token) == Caller(anna)
    stage.clock.later(days=1)
    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, token)
    assert accounts.issue_token(stage.office, anna, "till")


def test_a_programs_token_is_taken_back(stage: Stage, anna: str) -> None:
    token = accounts.issue_token(stage.office, anna, "till")

    accounts.drop_token(stage.office, anna, "till")

    with pytest.raises(LoggedOut):
        accounts.caller_of(stage.central, token)
    with pytest.raises(NotFound):
        accounts.drop_token(stage.office, anna, "till")


@pytest.mark.parametrize(("name", "days"), [("till", 0), ("till", -1), ("till", 4000), (" ", 1), ("x" * 101, 1)])
def test_a_token_without_end_or_name_is_refused(stage: Stage, anna: str, name: str, days: int) -> None:
    with pytest.raises(UsageError):
        accounts.issue_token(stage.office, anna, name, days)
    assert tokens(stage) == []


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_kept_told_or_logged(stage: Stage, anna: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    uri, codes = accounts.set_up_second_factor(stage.office, anna)
    code = totp_of(uri).at(stage.clock())
    ticket, program = logged_in(stage, otp=code), accounts.issue_token(stage.office, anna, "till")
    errors = [
        refusal(lambda: logged_in(stage, password=OTHER)),
        refusal(lambda: logged_in(stage, otp=code)),
        refusal(lambda: logged_in(stage, otp=codes[0] + "x")),
        refusal(lambda: accounts.caller_of(stage.central, ticket.token + "x")),
        refusal(lambda: accounts.issue_token(stage.office, anna, "till")),
    ]
    with stage.office.database.reading() as session:
        account, bearer = credentials.account_of(session, anna), bearer_of(session, ticket.token)

    told = " ".join(f"{error!r} {error} {error.hint} {error.facts} {error.__cause__!r}" for error in errors)
    logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    shown = repr(account) + repr(bearer) + repr(people(stage.office))
    kept = everything(stage)
    for secret in (PASSWORD, OTHER, ticket.token, program, *codes, *(item.replace("-", "") for item in codes)):
        for place in (told, logged, shown, kept):
            assert secret not in place
    assert totp_of(uri).secret not in told + logged + shown
    assert "anna" not in logged
    assert "$argon2id$" in kept
    assert "$argon2id$" not in shown


def test_a_push_is_done_in_the_name_of_who_logged_in(stage: Stage, anna: str) -> None:
    ticket = logged_in(stage)
    caller = accounts.caller_of(stage.central, ticket.token)
    name = "op_" + "0123456789abcdefghjkmnpqrs"
    args = msgspec.Raw(encode({"name": "x", "phone": "13800138000"}))
    sent = Sent(name, 1, "leads.report", 1, "", args, name, stage.clock())

    answer = stage.central.answer(caller, "push", encode(Push(SCHEMA_VERSION, 1, stage.clock(), (sent,))))

    assert b'"applied"' in answer
    (done,) = stage.office.operations(limit=1)
    assert (done.id, done.actor, done.device) == (name, anna, ticket.device)
