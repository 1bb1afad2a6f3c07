"""`bo central`: organisations, who may log in, devices, copies, from the command line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher

from bo.cli import builtin
from bo.cli.completion import offered
from bo.core.kernel.errors import BoError
from bo.core.kernel.workspace import Workspace
from bo.core.office import open_office
from bo.sync import accounts, passwords, push
from bo.sync.organisations import Organisations
from bo.sync.protocol import Login
from tests.cli.running import ROLES, Desk, Ran

PASSWORD: Final = "two herons over the marsh"
OTHER: Final = "seven lanterns in a boat"
MONDAY: Final = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
_numbers = count(1)


class Bench(Desk):
    """A central store, and `bo central` run on it."""

    place: tuple[Path | None, str] = (None, "")

    def central(self, *words: str, stdin: str = "") -> Ran:
        return self.bo("central", *words, stdin=stdin)

    def done(self, *words: str, stdin: str = "") -> Ran:
        return self.well("central", *words, stdin=stdin)

    def organisations(self) -> Organisations:
        return Organisations(*self.place)

    def login(self, user: str, password: str, otp: str = "", org: str = "acme") -> str:
        """Who comes in with that, or why not."""
        with closing(self.organisations()) as held:
            try:
                central = held.central(org)
                return accounts.caller_of(
                    central, accounts.login(central, Login(user, password, otp)).token
                ).operator  # fmt: skip
            except BoError as error:
                return error.code


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    made = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda: made)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """A place without organisations, named by the environment."""
    made = Bench(tmp_path / "nowhere", capsys, monkeypatch)
    if request.param == "sqlite":
        made.place = (tmp_path / "data", "")
        monkeypatch.setenv("BO_DATA", str(tmp_path / "data"))
        yield made
        return
    import psycopg

    url, name = request.getfixturevalue("postgres_url"), f"bo_cli_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as door:
        door.execute(f'CREATE DATABASE "{name}"')
        base, mark, rest = url.partition("?")
        address = f"{base.rpartition('/')[0]}/{name}{mark}{rest}"
        made.place = (None, address)
        monkeypatch.setenv("BO_DATABASE", address.replace("postgresql://", "postgresql+psycopg://", 1))
        yield made
        door.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def bench(empty: Bench) -> Bench:
    """With the organisation acme, whose administrator is ann, and eve, a reviewer with a password."""
    empty.done("org", "create", "acme", "--operator", "ann", "-q")
    empty.done("user", "add", "acme", "eve", "--role", "reviewer", "--password-stdin", "-q", stdin=PASSWORD + "\n")
    return empty


@pytest.fixture
def files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The same on disk alone."""
    made = Bench(tmp_path / "nowhere", capsys, monkeypatch)
    made.place = (tmp_path / "data", "")
    monkeypatch.setenv("BO_DATA", str(tmp_path / "data"))
    made.done("org", "create", "acme", "--operator", "ann", "-q")
    return made


def person(bench: Bench, login: str) -> dict[str, object]:
    people = bench.done("user", "list", "acme", "--fields", "all", "-o", "json").things()
    (found,) = (item for item in people if item["login"] == login)
    return found


# -- organisations -----------------------------------------------------------------------------------------------------


def test_organisations_are_made_and_listed(empty: Bench) -> None:
    assert empty.done("org", "list", "-o", "json").things() == []

    made = empty.done("org", "create", "acme", "--operator", "ann", "--region", "US", "-o", "json").thing()
    empty.done("org", "create", "bolt-2", "-q")

    assert made == {
        "name": "acme", "region": "US", "currency": "USD", "zone": "America/New_York", "operator": "ann",
    }  # fmt: skip
    listed = empty.done("org", "list", "-o", "json").things()
    assert [(item["name"], item["operations"], item["operators"], item["devices"]) for item in listed] == [
        ("acme", ROLES + 1, 1, 0),
        ("bolt-2", ROLES + 1, 1, 0),
    ]
    assert empty.done("org", "list", "-o", "ids").out == "acme\nbolt-2\n"
    assert empty.done("org", "list", "--fields", "name").out == "name\nacme\nbolt-2\n"


def test_an_organisation_is_made_once_and_under_a_plain_name(bench: Bench) -> None:
    assert bench.central("org", "create", "acme").code == 76
    assert bench.central("org", "create", "../acme").code == 65
    assert bench.central("user", "list", "nobody").code == 66

    assert bench.done("org", "list", "-o", "ids").out == "acme\n"


def test_an_office_becomes_an_organisation(files: Bench, office: Path) -> None:
    with open_office(office) as ws:
        ws.do("stores.add", code="S1", name="浦东店")
        before = ws.data_version()

    made = files.done("org", "create", "bolt", "--from", str(office), "-o", "json").thing()

    assert (made["region"], made["operator"]) == ("CN", "")
    assert [item["login"] for item in files.done("user", "list", "bolt", "-o", "json").things()] == ["ann"]
    assert files.well("stores", "count", "-w", str(_folder(files, "bolt")), "--as", "ann").out == "1\n"
    assert files.central("org", "create", "cord", "--from", str(office), "--region", "US").code == 2
    with open_office(office) as ws:
        assert ws.data_version() == before


def test_a_place_has_to_be_named_and_its_password_is_not_repeated(desk: Desk) -> None:
    assert desk.bo("central", "org", "list").code == 2
    refused = desk.bo("central", "org", "list", "--database", "postgresql://ann:kingfisher@127.0.0.1:1/x")

    assert refused.code == 78
    assert "kingfisher" not in refused.err


def _folder(bench: Bench, org: str) -> Path:
    data = bench.place[0]
    assert data is not None
    return data / org


# -- operators ---------------------------------------------------------------------------------------------------------


def test_an_operator_who_is_added_may_log_in(bench: Bench) -> None:
    bench.done("user", "add", "acme", "bob", "--role", "store", "--role", "auditor", "--name", "Bob",
               "--password-stdin", stdin=OTHER + "\nnot this\n")  # fmt: skip

    found = person(bench, "bob")
    assert bench.login("bob", OTHER) == found["id"]
    assert bench.login("bob", PASSWORD) == "login_refused"
    assert (found["name"], found["kind"], found["roles"]) == ("Bob", "person", ["auditor", "store"])
    assert (found["password"], found["second_factor"], found["tokens"]) == (True, False, [])
    assert PASSWORD not in bench.done("user", "list", "acme", "--fields", "all", "-o", "json").out


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (("--role", "store", "--password-stdin"), "short\n", 76),
        (("--role", "store", "--password-stdin"), "", 76),
        (("--role", "store"), "", 2),
        (("--role", "nothing", "--password-stdin"), OTHER, 76),
        (("--role", "store", "--store", "S9", "--password-stdin"), OTHER, 66),
    ],
)
def test_an_operator_who_is_refused_is_not_added(bench: Bench, words: tuple[str, ...], stdin: str, code: int) -> None:
    refused = bench.central("user", "add", "acme", "bob", *words, stdin=stdin)

    assert refused.code == code
    assert "short" not in refused.err + refused.out
    assert bench.login("bob", OTHER) == "login_refused"
    assert bench.done("user", "list", "acme", "--fields", "login").out == "login\nann\neve\n"


def test_the_operators_of_a_shop_see_that_shop(files: Bench) -> None:
    files.well("stores", "add", "--code", "S1", "--name", "浦东店", "-w", str(_folder(files, "acme")), "-q")

    files.done("user", "add", "acme", "bob", "--role", "store", "--store", "S1", "--password-stdin", stdin=OTHER)

    assert (person(files, "bob")["store"], person(files, "ann")["store"]) == ("S1", "")


def test_an_operator_who_is_switched_off_is_out_and_comes_back_without_tokens(bench: Bench) -> None:
    token = bench.done("user", "token", "acme", "eve", "--name", "till").out.strip()
    assert bench.central("user", "disable", "acme", "eve").code == 2
    assert bench.login("eve", PASSWORD) == person(bench, "eve")["id"]

    bench.done("user", "disable", "acme", "eve", "--yes")
    assert bench.login("eve", PASSWORD) == "login_refused"
    bench.done("user", "enable", "acme", "eve")

    assert bench.login("eve", PASSWORD) == person(bench, "eve")["id"]
    with closing(bench.organisations()) as held, pytest.raises(BoError) as refusal:
        accounts.caller_of(held.central("acme"), token)
    assert refusal.value.code == "logged_out"


def test_a_password_is_set_from_stdin(bench: Bench) -> None:
    assert bench.central("user", "password", "acme", "eve", "--password-stdin", stdin="short").code == 76
    assert bench.central("user", "password", "acme", "nobody", "--password-stdin", stdin=OTHER).code == 66
    assert bench.central("user", "password", "acme", "eve").code == 2
    assert bench.login("eve", PASSWORD) == person(bench, "eve")["id"]

    said = bench.done("user", "password", "acme", "eve", "--password-stdin", stdin=OTHER + "\r\n")

    assert OTHER not in said.out + said.err
    assert bench.login("eve", OTHER) == person(bench, "eve")["id"]
    assert bench.login("eve", PASSWORD) == "login_refused"


def test_a_second_factor_is_shown_once(bench: Bench) -> None:
    shown = bench.done("user", "second-factor", "acme", "eve", "-o", "json").thing()
    uri, codes = str(shown["uri"]), shown["recovery_codes"]
    assert isinstance(codes, list)
    assert uri.startswith("otpauth://totp/bo%20acme:eve?secret=")
    assert len(codes) == 10

    assert bench.login("eve", PASSWORD) == "code_wanted"
    assert bench.login("eve", PASSWORD, codes[0]) == person(bench, "eve")["id"]
    assert bench.login("eve", PASSWORD, codes[0]) == "login_refused"
    assert person(bench, "eve")["second_factor"] is True
    assert bench.central("user", "second-factor", "acme", "eve", "--off").code == 2
    bench.done("user", "second-factor", "acme", "eve", "--off", "--yes")
    assert bench.login("eve", PASSWORD) == person(bench, "eve")["id"]


def test_a_program_gets_a_token_once_and_loses_it(bench: Bench) -> None:
    bench.done("user", "add", "acme", "shop", "--service", "--role", "cron", "-q")
    token = bench.done("user", "token", "acme", "shop", "--name", "till", "--days", "7").out

    assert (token.count("\n"), len(token.strip()) > 40) == (1, True)
    with closing(bench.organisations()) as held:
        assert accounts.caller_of(held.central("acme"), token.strip()).operator == person(bench, "shop")["id"]
    assert (person(bench, "shop")["tokens"], person(bench, "shop")["kind"]) == (["till"], "service")
    for wrong in (("--name", "till"), (), ("--name", "x", "--days", "9999"), ("--name", "x", "--days", "-1")):
        assert bench.central("user", "token", "acme", "shop", *wrong).code == 2
    bench.done("user", "token", "acme", "shop", "--name", "till", "--drop")
    assert person(bench, "shop")["tokens"] == []
    assert bench.central("user", "token", "acme", "shop", "--name", "till", "--drop").code == 66


def test_who_acts_in_a_name_needs_its_rights(bench: Bench) -> None:
    for words in (
        ("user", "list", "acme"),
        ("user", "add", "acme", "bob", "--service"),
        ("user", "disable", "acme", "ann", "--yes"),
        ("user", "token", "acme", "ann", "--name", "till"),
        ("user", "second-factor", "acme", "ann"),
        ("device", "list", "acme"),
        ("quarantine", "list", "acme"),
        ("backup", "acme"),
    ):
        assert bench.central(*words, "--as", "eve").code == 77, words
    assert bench.central("user", "password", "acme", "ann", "--password-stdin", "--as", "eve", stdin=OTHER).code == 77
    assert bench.central("user", "list", "acme", "--as", "nobody").code == 66

    bench.done("user", "add", "acme", "bob", "--service", "--as", "ann")
    assert bench.central("user", "disable", "acme", "ann", "--yes", "--as", "ann").code == 76
    with closing(bench.organisations()) as held, held.central("acme").workspace() as ws:
        assert [(item.name, item.actor) for item in ws.operations(limit=1)] == [
            ("operators.add", person(bench, "ann")["id"])
        ]


# -- devices, copies, quarantine ---------------------------------------------------------------------------------------


def _device(bench: Bench) -> tuple[str, str]:
    """A device of eve's; its id and token."""
    with closing(bench.organisations()) as held:
        ticket = accounts.login(held.central("acme"), Login("eve", PASSWORD, name="laptop"))
    return ticket.device, ticket.token


def test_a_device_is_listed_and_shut_out(bench: Bench) -> None:
    device, token = _device(bench)
    (listed,) = bench.done("device", "list", "acme", "--fields", "all", "-o", "json").things()
    assert (listed["id"], listed["name"], listed["operator"], listed["state"]) == (device, "laptop", "eve", "active")
    assert (listed["device_seq"], listed["pushed_at"]) == (0, None)
    assert str(listed["used_at"]).endswith("Z")
    assert bench.done("device", "list", "acme", "-o", "ids").out == f"{device}\n"
    assert bench.central("device", "revoke", "acme", device[-6:]).code == 2
    assert bench.central("device", "revoke", "acme", "nothing", "--yes").code == 66

    bench.done("device", "revoke", "acme", device[-6:], "--reason", "lost", "--yes")

    with closing(bench.organisations()) as held:
        assert accounts.caller_of(held.central("acme"), token).revoked
    (listed,) = bench.done("device", "list", "acme", "--fields", "state,revoked_reason", "-o", "json").things()
    assert listed == {"state": "revoked", "revoked_reason": "lost"}
    assert bench.central("device", "revoke", "acme", device, "--yes").code == 76
    assert person(bench, "eve")["devices"] == 0


def test_a_copy_of_a_store_is_verified_and_told_to_devices(files: Bench, tmp_path: Path) -> None:
    made = files.done("backup", "acme", "-o", "json").thing()

    assert Path(str(made["path"])).parent == _folder(files, "acme") / "backups"
    assert made["operations"] == ROLES + 1 == _stable(files)
    target = tmp_path / "copy.db"
    files.done("user", "add", "acme", "bob", "--service", "-q")
    files.done("backup", "acme", str(target), "-q")
    assert (target.is_file(), _stable(files)) == (True, ROLES + 2)
    assert files.central("backup", "acme", str(target)).code == 2
    shutil.copytree(_folder(files, "acme"), tmp_path / "again")
    files.well("backup", "restore", str(target), "-w", str(tmp_path / "again"), "--yes", "-q")
    assert files.well("operators", "count", "-w", str(tmp_path / "again"), "--as", "ann").out == "2\n"


def test_a_copy_of_ones_own_is_declared(bench: Bench) -> None:
    last = ROLES + 2
    if bench.place[1]:
        refused = bench.central("backup", "acme")
        assert (refused.code, "pg_dump" in refused.err) == (2, True)
    for wrong in ("0", "-1", "x", str(last + 1)):
        assert bench.central("backup", "acme", "--confirm-seq", wrong).code == 2
    assert bench.central("backup", "acme", "x.db", "--confirm-seq", "1").code == 2
    assert _stable(bench) == 0

    assert bench.done("backup", "acme", "--confirm-seq", "5", "-o", "json").thing() == {"org": "acme", "stable": 5}

    assert _stable(bench) == 5


def _stable(bench: Bench) -> int:
    from bo.sync.feed import stable_of

    with closing(bench.organisations()) as held, held.central("acme").workspace() as ws:
        return stable_of(ws.database.session)


def test_what_is_in_quarantine_is_shown_whole(bench: Bench) -> None:
    with closing(bench.organisations()) as held, held.central("acme").workspace() as ws:
        _put_away(ws, "op_00000000000000000000000001", '{"name":"leads.report","args":{"name":"李雷"}}', MONDAY)
        _put_away(ws, "last_dev_0000000000000000000001", '{"n":0}', MONDAY + timedelta(days=1))

    listed = bench.done("quarantine", "list", "acme", "-o", "json").things()
    assert [(item["id"], item["operator"], item["reason"]) for item in listed] == [
        ("op_00000000000000000000000001", "oper_gone", "KeyError"),
        ("last_dev_0000000000000000000001", "oper_gone", "KeyError"),
    ]
    shown = bench.done("quarantine", "show", "acme", "op_00000000000000000000000001", "-o", "json").thing()
    assert shown["body"] == {"name": "leads.report", "args": {"name": "李雷"}}
    assert bench.central("quarantine", "show", "acme", "000001").code == 2
    assert bench.central("quarantine", "show", "acme", "nothing").code == 66


def _put_away(ws: Workspace, name: str, body: str, at: datetime) -> None:
    with ws.database.writing() as session:
        push.quarantine(session, name, "dev_x", "oper_gone", "KeyError", body, session.moment(at))


# -- three words -------------------------------------------------------------------------------------------------------


def test_a_command_of_three_words_is_found_helped_and_completed(desk: Desk) -> None:
    help_page = desk.well("central", "org", "create", "--help").out
    assert help_page.startswith("Usage: bo central org create ")
    assert desk.well("help", "central", "org", "create").out.strip() == help_page.strip()
    assert "second-factor" in desk.well("help", "central", "user").out
    assert desk.well("help", "central").out.startswith("Usage: bo central ")

    wrong = desk.bo("central", "org", "crate", "-o", "json")
    assert (wrong.code, wrong.error()["message"]) == (2, "there is no command bo central org crate")
    missing = desk.bo("central", "org", "create", "-o", "json")
    assert (missing.code, missing.error()["command"]) == (2, "central.org.create")

    assert list(offered(["central"], "")) == ["org", "user", "device", "backup", "webhook", "quarantine"]
    assert list(offered(["central", "org"], "c")) == ["create"]
    assert "--from" in offered(["central", "org", "create"], "--f")
    assert offered(["central", "nothing"], "") == {}


def test_lists_take_fields_and_say_which_there_are(bench: Bench) -> None:
    wrong = bench.central("user", "list", "acme", "--fields", "login,hash")
    assert (wrong.code, "Fields: id, login, name" in wrong.err) == (2, True)
    assert bench.done("user", "list", "acme", "--template", "{login}:{active}").out == "ann:true\neve:true\n"
    for path, leaf in builtin.CENTRAL.items():
        assert leaf.command == ".".join(path).replace("-", "_")
        assert {"data", "database"} <= {option.name for option in leaf.options}
