"""Where tokens are kept, and where they are not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringError, PasswordDeleteError

from bo.sync.secrets import NoPlace, NoToken, kept_in, place_for, token_of

DEVICE = "dev_01k9z7m5qkf3v8r2x4t6y8w0ab"
TOKEN = "bo_3Jt7yQ2v9mXk4LwZ"
posix = pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")


class Ring(KeyringBackend):
    """A keyring of the system, as far as its name says."""

    priority = 5

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


class SecretServiceRing(Ring):
    pass


class PlainRing(Ring):
    pass


class LockedRing(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringError(f"locked while looking for {TOKEN}")


SecretServiceRing.__module__ = LockedRing.__module__ = "keyring.backends.SecretService"
PlainRing.__module__ = "keyrings.alt.file"


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No secret of whoever runs the tests, and their keyring back at the end."""
    for name in ("CREDENTIALS_DIRECTORY", "BO_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


# -- a file ------------------------------------------------------------------------------------------------------------


@posix
def test_a_token_in_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    place_for(str(file)).keep(DEVICE, TOKEN)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token_of(DEVICE, str(file)) == TOKEN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["token"]


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)

    with pytest.raises(NoPlace, match="others on this machine") as raised:
        token_of(DEVICE, str(file))

    assert TOKEN not in f"{raised.value}{raised.value.facts}"
    file.chmod(0o600)
    assert token_of(DEVICE, str(file)) == TOKEN


@posix
def test_a_file_with_open_rights_is_closed_when_a_new_token_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    file.chmod(0o666)

    place_for(str(file)).keep(DEVICE, TOKEN)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_not_there_means_that_nobody_is_logged_in(tmp_path: Path) -> None:
    with pytest.raises(NoToken) as raised:
        token_of(DEVICE, str(tmp_path / "none"))

    assert raised.value.hint == "bo login"


@pytest.mark.parametrize("content", [b"two words", b"a\nb", b"\xff\xfe", b"a\x00b", b"x" * 5000])
def test_what_cannot_be_a_token_is_not_sent_as_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(NoPlace, match="something else than a token"):
        token_of(DEVICE, str(file))


def test_a_folder_that_is_not_there_is_told_before_anybody_logs_in_for_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoPlace, match="cannot be written"):
        place_for(str(tmp_path / "nowhere" / "token")).keep(DEVICE, TOKEN)


def test_forgetting_takes_the_file_away_and_is_done_twice_without_harm(tmp_path: Path) -> None:
    file = tmp_path / "token"
    place_for(str(file)).keep(DEVICE, TOKEN)

    kept_in(str(file)).forget(DEVICE)
    kept_in(str(file)).forget(DEVICE)

    assert not file.exists()


# -- systemd and build servers -----------------------------------------------------------------------------------------


@posix
def test_a_credential_of_systemd_is_read_although_its_access_list_shows_as_group_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bo-token").write_text(TOKEN + "\n")
    (tmp_path / "bo-token").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert token_of(DEVICE) == TOKEN
    kept_in().forget(DEVICE)
    assert (tmp_path / "bo-token").exists()


def test_a_named_file_counts_before_a_credential_and_that_before_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bo-token").write_text("bo_credential")
    (tmp_path / "bo-token").chmod(0o400)
    named = tmp_path / "named"
    place_for(str(named)).keep(DEVICE, "bo_named")
    monkeypatch.setenv("BO_TOKEN", "bo_variable")

    assert token_of(DEVICE) == "bo_variable"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert token_of(DEVICE) == "bo_credential"
    assert token_of(DEVICE, str(named)) == "bo_named"


# -- keyrings ----------------------------------------------------------------------------------------------------------


def test_a_keyring_of_the_system_keeps_it() -> None:
    ring = SecretServiceRing()
    keyring.set_keyring(ring)

    place_for().keep(DEVICE, TOKEN)

    assert token_of(DEVICE) == TOKEN
    assert list(ring.held) == [("bo", f"{DEVICE}/token")]
    kept_in().forget(DEVICE)
    kept_in().forget(DEVICE)
    with pytest.raises(NoToken):
        token_of(DEVICE)


@pytest.mark.parametrize("ring", [null.Keyring(), fail.Keyring(), PlainRing()])  # type: ignore[no-untyped-call]
def test_a_keyring_that_drops_or_shows_what_it_is_given_is_refused(ring: KeyringBackend) -> None:
    keyring.set_keyring(ring)

    with pytest.raises(NoPlace, match="no keyring of the system") as raised:
        place_for()

    assert "--token-file" in raised.value.hint
    with pytest.raises(NoPlace):
        token_of(DEVICE)


def test_a_keyring_that_keeps_nothing_is_noticed_at_once() -> None:
    class Forgetful(SecretServiceRing):
        def set_password(self, service: str, username: str, password: str) -> None:
            return

    Forgetful.__module__ = "keyring.backends.SecretService"
    keyring.set_keyring(Forgetful())

    with pytest.raises(NoPlace, match="does not keep"):
        place_for().keep(DEVICE, TOKEN)


def test_what_a_keyring_says_when_it_fails_is_not_repeated() -> None:
    keyring.set_keyring(LockedRing())

    with pytest.raises(NoPlace, match="cannot be used") as raised:
        token_of(DEVICE)

    assert TOKEN not in f"{raised.value}{raised.value.facts}"
    assert raised.value.__cause__ is None
