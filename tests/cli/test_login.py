"""Logging in and out: a folder becomes a device, its token is renewed, its data is wiped."""

from __future__ import annotations

import os

import pytest

from bo.core.office import context_for, create
from bo.sync.device import open_device
from bo.sync.transport import Unreachable
from tests.cli.laptop import PASSWORD, URL, Door, Laptop, assigned
from tests.sync.stage import Stage

posix = pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")


def test_a_login_makes_a_device_and_brings_its_rows(stage: Stage, door: Door, laptop: Laptop) -> None:
    lead = assigned(stage)

    ran = laptop.login("anna", URL, "--name", "counter", "--token-file", str(laptop.token_file), "-o", "json")

    assert ran.code == 0, ran
    assert ran.thing()["rows"] == len([row for rows in laptop.rows().values() for row in rows])
    assert [(said.user, said.password, said.name, said.device) for said in door.logins] == [
        ("anna", PASSWORD, "counter", "")
    ]
    assert laptop.well("leads", "list", "-o", "ids").out == f"{lead}\n"
    settings = (laptop.folder / "bo.toml").read_text("utf-8")
    assert settings.splitlines() == [
        'operator = "anna"',
        f'central = "{URL}"',
        f'token_file = "{laptop.token_file}"',
    ]
    token = laptop.token_file.read_text("utf-8").strip()
    assert token not in settings + ran.out + ran.err
    assert PASSWORD not in settings + ran.out + ran.err


@posix
def test_the_token_is_for_its_owner_alone(laptop: Laptop) -> None:
    laptop.joined()

    assert laptop.token_file.stat().st_mode & 0o777 == 0o600


def test_an_office_of_its_own_is_not_made_a_device(door: Door, laptop: Laptop) -> None:
    create(laptop.folder, context_for("CN"), operator="ann").close()
    before = sorted((path.name, path.read_bytes()) for path in laptop.folder.iterdir())

    ran = laptop.login("anna", URL, "--token-file", str(laptop.token_file))

    assert ran.code == 78
    assert f"bo central org create NAME --from {laptop.folder}" in ran.err
    assert door.logins == []
    assert not laptop.token_file.exists()
    assert sorted((path.name, path.read_bytes()) for path in laptop.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http://central.example/acme",), "not https"),
        (("central.example",), "is no central store"),
        ((), "which central store?"),
        ((URL, "--lease-days", "0"), "--lease-days takes a whole number"),
    ],
)
def test_a_login_that_cannot_be_meant_does_nothing(
    door: Door, laptop: Laptop, words: tuple[str, ...], said: str
) -> None:
    ran = laptop.login("anna", *words, "--token-file", str(laptop.token_file))

    assert (ran.code, said in ran.err) == (2, True), ran
    assert door.logins == []
    assert not laptop.folder.exists()


def test_a_login_without_anybody_to_type_says_how(door: Door, laptop: Laptop) -> None:
    ran = laptop.bo("login", URL, "--user", "anna", "--token-file", str(laptop.token_file))

    assert ran.code == 2
    assert "--password-stdin" in ran.err
    assert not laptop.folder.exists()


def test_nobody_logs_in_where_the_token_could_not_be_kept(door: Door, laptop: Laptop) -> None:
    import keyring
    from keyring.backends import fail

    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    try:
        ran = laptop.login("anna", URL)
    finally:
        keyring.set_keyring(before)

    assert ran.code == 78
    assert "--token-file" in ran.err
    assert door.logins == []


def test_a_first_sync_that_is_cut_off_goes_on_with_the_next(door: Door, laptop: Laptop) -> None:
    door.trouble["snapshot"] = Unreachable("the line is cut")
    ran = laptop.login("anna", URL, "--token-file", str(laptop.token_file))
    assert ran.code == 69

    door.trouble.clear()
    ran = laptop.bo("sync", "-o", "json")

    assert ran.code == 0, ran
    assert int(str(ran.thing()["rows"])) > 0
    assert laptop.bo("stores", "list", "-o", "ids").code == 0


def test_a_first_copy_goes_on_where_it_was_cut(
    stage: Stage, door: Door, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bo.sync.feed.snapshot.__defaults__", (4,))  # rows of a page
    door.trouble_after["snapshot"] = 2
    assert laptop.login("anna", URL, "--token-file", str(laptop.token_file)).code == 69
    assert (laptop.folder / "snapshot.part").read_bytes().count(b"\n") == 2
    assert laptop.rows()["roles"] == []

    door.trouble.clear()
    ran = laptop.bo("sync", "-o", "json")

    assert ran.code == 0, ran
    pages = -(-int(str(ran.thing()["rows"])) // 4)
    assert door.calls.count("snapshot") == pages + 1  # the one that failed came twice
    assert not (laptop.folder / "snapshot.part").exists()


def test_logging_in_again_renews_the_token_and_keeps_everything(stage: Stage, door: Door, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)
    door.worthless.add(laptop.token_file.read_text().strip())
    assert laptop.bo("sync").code == 77
    waiting = laptop.pending()

    ran = laptop.login()

    assert ran.code == 0, ran
    assert len(waiting) == 1
    with open_device(laptop.folder) as ws:
        assert [(said.user, said.device) for said in door.logins] == [("anna", ""), ("anna", ws.device)]
    assert laptop.pending() == []
    assert laptop.well("sync", "status", "-o", "json").thing()["lease_days_left"] == 30


def test_somebody_else_cannot_take_a_device_over(stage: Stage, door: Door, laptop: Laptop) -> None:
    laptop.joined()
    before = laptop.token_file.read_text()

    ran = laptop.login("bert")

    assert ran.code == 78
    assert "in the name of anna" in ran.err
    assert laptop.token_file.read_text() == before
    assert len(door.worthless) == 1  # the token that was given out is given back
    assert laptop.bo("sync").code == 0


def test_the_central_store_may_have_moved(door: Door, laptop: Laptop) -> None:
    laptop.joined()

    ran = laptop.login("anna", "https://new.example/acme")

    assert ran.code == 0, ran
    assert "https://new.example/acme" in laptop.well("sync", "status").out
    assert 'central = "https://new.example/acme"' in (laptop.folder / "bo.toml").read_text("utf-8")


# -- bo logout ---------------------------------------------------------------------------------------------------------


def test_logging_out_makes_the_token_worthless_and_keeps_the_data(door: Door, laptop: Laptop) -> None:
    laptop.joined()
    token = laptop.token_file.read_text().strip()
    rows = laptop.rows()

    ran = laptop.bo("logout")

    assert ran.code == 0, ran
    assert door.worthless == {token}
    assert not laptop.token_file.exists()
    assert laptop.rows() == rows
    assert laptop.bo("leads", "list").code == 0


def test_wiping_asks_and_counts_what_would_be_lost(stage: Stage, door: Door, laptop: Laptop) -> None:
    lead = assigned(stage)
    laptop.joined()
    laptop.well("leads", "take", lead)
    (laptop.folder / "backups").mkdir()
    (laptop.folder / "backups" / "old.db").write_bytes(b"x")
    (laptop.folder / "snapshot.part").write_bytes(b"x")

    ran = laptop.bo("logout", "--wipe")
    assert ran.code == 2
    assert "1 operations never reached the central store" in ran.err
    assert len(laptop.pending()) == 1
    assert door.worthless == set()

    ran = laptop.bo("logout", "--wipe", "--yes", "-o", "json")
    assert ran.code == 0, ran
    assert ran.thing()["wiped"] == ["office.db", "snapshot.part", "backups"]
    assert [path.name for path in laptop.folder.iterdir() if path.name != "sync.lock"] == []
    assert not laptop.token_file.exists()


def test_wiping_goes_on_where_central_cannot_be_told_and_says_so(door: Door, laptop: Laptop) -> None:
    laptop.joined()
    door.trouble["logout"] = Unreachable("away")

    ran = laptop.bo("logout", "--wipe", "--yes")

    assert ran.code == 69
    assert "bo central device revoke" in ran.err
    assert not (laptop.folder / "office.db").exists()
    assert not laptop.token_file.exists()
