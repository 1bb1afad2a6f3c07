"""Where a device keeps its token: a file that nobody else can read, or the keyring of the operating system.

In this order: the file that is named (`--token-file`, remembered in bo.toml as `token_file`), the file `bo-token` in
`$CREDENTIALS_DIRECTORY` (systemd), `BO_TOKEN` (build servers; it is only read), the keyring. A keyring that drops what
it is given, or keeps it in plain sight, is refused. No token is ever written to bo.toml, a log or an error.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from bo.core.kernel.errors import BoError, Configuration

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

CREDENTIAL: Final = "bo-token"
CREDENTIALS_DIRECTORY: Final = "CREDENTIALS_DIRECTORY"
VARIABLE: Final = "BO_TOKEN"
SERVICE: Final = "bo"
TOKEN_BYTES_MOST: Final = 4096
# The system's own, each behind the login of the person; modules as the keyring library names them.
KEYRINGS: Final = frozenset(
    f"keyring.backends.{name}" for name in ("macOS", "Windows", "SecretService", "libsecret", "kwallet")
)


class NoToken(BoError):
    """This device has no token: it has never logged in, or has logged out."""

    code = "no_token"


class NoPlace(Configuration):
    """There is nowhere to keep a token, or what is there must not be trusted with one."""

    code = "no_secret_place"


class Place(Protocol):
    """Somewhere a device's token is kept. `name` is what people are told."""

    name: str

    def read(self, device: str) -> str: ...

    def keep(self, device: str, token: str) -> None: ...

    def forget(self, device: str) -> None: ...


def token_of(device: str, token_file: str = "") -> str:
    """The token of a device. Raises NoToken, NoPlace."""
    return kept_in(token_file).read(device)


def place_for(token_file: str = "") -> Place:
    """Where a new token would be kept. Asked before logging in, so that no token is given out and then lost. Raises
    NoPlace."""
    return _File(Path(token_file).expanduser().absolute()) if token_file else _Keyring()


def kept_in(token_file: str = "") -> Place:
    """Where the token is that is used now. Raises NoPlace."""
    if token_file:
        return _File(Path(token_file).expanduser())
    folder = os.environ.get(CREDENTIALS_DIRECTORY, "")
    if folder and (Path(folder) / CREDENTIAL).exists():
        return _Provided(Path(folder) / CREDENTIAL)
    return _Variable() if os.environ.get(VARIABLE) else _Keyring()


class _File:
    """A file for its owner alone (mode 0600; on Windows what the folder allows)."""

    forbidden = stat.S_IRWXG | stat.S_IRWXO

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def read(self, device: str) -> str:
        try:
            with self.path.open("rb") as file:
                self._require_private(os.fstat(file.fileno()))
                content = file.read(TOKEN_BYTES_MOST + 1)
        except FileNotFoundError:
            raise _no_token(self.name) from None
        except OSError as error:
            raise self._trouble("{file} cannot be read: {reason}", error) from None
        return _checked(content, self.name)

    def keep(self, device: str, token: str) -> None:
        """Put it in its place whole, never for a moment readable to others."""
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(token.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise self._trouble("{file} cannot be written: {reason}", error) from None

    def forget(self, device: str) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble("{file} cannot be removed: {reason}", error) from None

    def _require_private(self, found: os.stat_result) -> None:
        if os.name == "nt":
            return
        if stat.S_ISREG(found.st_mode) and found.st_mode & self.forbidden:
            raise NoPlace(
                "{file} holds a token, and others on this machine may read or change it",
                hint="chmod 600 {file}",
                file=self.name,
            )
        if found.st_uid not in (os.geteuid(), 0):
            raise NoPlace("{file} holds a token and belongs to somebody else", hint="Own it.", file=self.name)

    def _trouble(self, message: str, error: OSError) -> BoError:
        reason = error.strerror or str(error)
        return NoPlace(message, hint="Check its folder and your rights to it.", file=self.name, reason=reason)


class _Provided(_File):
    """A file that systemd puts there for one service, whom it lets in by an access list: that shows as rights of the
    group. Whoever wrote the unit keeps it."""

    forbidden = stat.S_IRWXO

    def keep(self, device: str, token: str) -> None:
        raise NoPlace("{file} is only read", hint="Name a file: --token-file FILE.", file=self.name)

    def forget(self, device: str) -> None:
        """It is not ours to take away."""


class _Variable:
    """BO_TOKEN: whoever set it keeps it."""

    name = VARIABLE

    def read(self, device: str) -> str:
        return _checked(os.environ.get(VARIABLE, "").encode("utf-8", "replace"), VARIABLE)

    def keep(self, device: str, token: str) -> None:
        raise NoPlace("{file} is only read", hint="Name a file: --token-file FILE.", file=VARIABLE)

    def forget(self, device: str) -> None:
        """It is not ours to take away."""


class _Keyring:
    """The keyring of the operating system. Raises NoPlace where there is none that can be trusted."""

    def __init__(self) -> None:
        self.backend = _backend()
        self.name = str(getattr(self.backend, "name", "") or type(self.backend).__module__)

    def read(self, device: str) -> str:
        try:
            found = self.backend.get_password(SERVICE, _entry(device))
        except Exception as error:  # backends raise what their systems raise
            raise self._trouble(error) from None
        if not found:
            raise _no_token(self.name)
        return _checked(found.encode(), self.name)

    def keep(self, device: str, token: str) -> None:
        try:
            self.backend.set_password(SERVICE, _entry(device), token)
            kept = self.backend.get_password(SERVICE, _entry(device))
        except Exception as error:
            raise self._trouble(error) from None
        if kept != token:
            raise NoPlace(
                "the keyring {name} does not keep what it is given",
                hint="Name a file: --token-file FILE.",
                name=self.name,
            )

    def forget(self, device: str) -> None:
        from keyring.errors import PasswordDeleteError

        try:
            self.backend.delete_password(SERVICE, _entry(device))
        except PasswordDeleteError:
            return  # it is not there
        except Exception as error:
            raise self._trouble(error) from None

    def _trouble(self, error: Exception) -> BoError:
        """In the words of its kind alone: a backend's own words may hold what it was given."""
        return NoPlace(
            "the keyring {name} cannot be used ({kind})",
            hint="Unlock it, or name a file: --token-file FILE.",
            name=self.name,
            kind=type(error).__name__,
        )


def _backend() -> KeyringBackend:
    import keyring

    found = keyring.get_keyring()
    # several at once are a chain: whatever is put in goes to the first that takes it, so only the trusted ones count
    offered: list[KeyringBackend] = list(getattr(found, "backends", [found]))
    trusted = [item for item in offered if type(item).__module__ in KEYRINGS]
    if trusted:
        return trusted[0]
    raise NoPlace(
        "there is no keyring of the system here that a token can be left to ({found})",
        hint="Name a file for it: --token-file FILE.",
        found=", ".join(type(item).__module__ for item in offered) or "none",
    )


def _entry(device: str) -> str:
    return f"{device}/token"


def _checked(content: bytes, where: str) -> str:
    """A token is one line of visible ASCII; what is not would break out of the header that it is sent in."""
    text = content.decode("ascii", "replace").strip()
    if not text:
        raise _no_token(where)
    if len(content) > TOKEN_BYTES_MOST or not (text.isascii() and text.isprintable() and " " not in text):
        raise NoPlace("{file} holds something else than a token", hint="Log in again: bo login.", file=where)
    return text


def _no_token(where: str) -> NoToken:
    return NoToken("this device is not logged in: {place} holds no token", hint="bo login", place=where)
