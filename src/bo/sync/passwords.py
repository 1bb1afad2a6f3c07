"""Passwords: which are good enough, and how one is kept and compared.

At least 15 characters, not what everybody takes, not the login; nobody is made to change one. Only argon2id hashes are
kept. Whoever does not exist costs as much time as who does, and only a few hashes are made at once: each takes 64 MiB.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import Busy, Configuration, Refused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LENGTH_LEAST: Final = 15
LENGTH_MOST: Final = 1000
REST_LEAST: Final = 8  # characters beside what everybody takes
LETTERS_LEAST: Final = 5  # different ones
LOGIN_LEAST: Final = 4  # letters of a login that is looked for: three are in many words, as eve is in seven
AT_ONCE: Final = 4
PATIENCE_S: Final = 10.0
# What people take when they are asked for a long one, in lower case.
USUAL: Final = (
    "correcthorsebatterystaple", "correct horse battery staple", "correct-horse-battery-staple", "administrator",
    "thisismypassword", "mypassword", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "changeme",
    "letmein", "welcome", "iloveyou", "woaini", "5201314", "trustno1", "monkey", "dragon", "football", "baseball",
    "sunshine", "princess", "superman", "qwertyuiop", "qwertz", "qwerty", "1qaz2wsx", "1q2w3e4r5t", "1q2w3e4r",
    "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "abcdefgh", "abc123", "abcdef", "12345678901234567890",
    "1234567890", "0123456789", "123456789", "12345678", "1234567", "123456", "87654321", "111111", "000000",
    "888888", "666666", "admin", "secret", "default", "office", "login",
)  # fmt: skip
_USUAL: Final = re.compile("|".join(map(re.escape, sorted(USUAL, key=len, reverse=True))))
_room = threading.BoundedSemaphore(AT_ONCE)


class WeakPassword(Refused):
    """A password that is easily found."""

    code = "weak_password"


def require_good(password: str, login: str) -> None:
    """Raise WeakPassword that says what is wrong with a password, and never which it was."""
    text = _plain(password)
    if len(text) < LENGTH_LEAST:
        raise WeakPassword(
            "a password has at least {least} characters", hint="Several words are easy to keep.", least=LENGTH_LEAST
        )
    if len(password) > LENGTH_MOST:
        raise WeakPassword("a password has at most {most} characters", most=LENGTH_MOST)
    folded, name = text.casefold(), _plain(login).casefold()
    if len(name) >= LOGIN_LEAST and name in folded:
        raise WeakPassword("the password has the login in it", hint="Take words that have nothing to do with it.")
    is_usual = len(_USUAL.sub("", folded.replace(name, "") if name else folded)) < REST_LEAST
    is_repeated = folded in (folded + folded)[1:-1]
    if is_usual or is_repeated or len(set(folded)) < LETTERS_LEAST:
        raise WeakPassword("everybody tries this password first", hint="Take several words that nobody puts together.")


def hashed(password: str) -> str:
    """A password as it is kept. Raises Busy where too many are being compared."""
    with _Room():
        return _hasher().hash(_plain(password))


def is_right(kept: str, password: str) -> bool:
    """Whether a password is the one whose hash is kept. A blank hash takes as long, and is never right."""
    from argon2.exceptions import InvalidHashError, VerificationError

    nobodys = _nobodys()
    with _Room():
        try:
            _hasher().verify(kept or nobodys, _plain(password[:LENGTH_MOST]))
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept) and len(password) <= LENGTH_MOST


def is_outdated(kept: str) -> bool:
    """Whether a hash was made more cheaply than is usual now."""
    return _hasher().check_needs_rehash(kept)


class _Room:
    """A place among the few that hash at once."""

    def __enter__(self) -> None:
        if not _room.acquire(timeout=PATIENCE_S):
            raise Busy("too many people are logging in", hint="Try again in a moment.")

    def __exit__(self, *_error: object) -> None:
        _room.release()


def _plain(text: str) -> str:
    """The same characters however a keyboard made them."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError:
        raise Configuration(
            "what a central store needs is not installed", hint="pip install 'bo-office[server]'"
        ) from None
    return PasswordHasher()


@cache
def _nobodys() -> str:
    """A hash that no password has, made as all are."""
    import secrets

    return _hasher().hash(secrets.token_urlsafe(32))
