"""The second factor: six digits that a person's telephone makes from the time (TOTP, RFC 6238), and codes on paper for
when it is lost.

Of the codes on paper only hashes are kept. The telephone's secret has to be kept as it is, for central makes the same
digits: whoever can read the central store's file could make them too, and still lacks the password.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from bo.core.kernel.errors import Configuration
from bo.core.kernel.ids import ALPHABET

SECRET_LETTERS: Final = 32  # of base32: 160 bits
STEP_S: Final = 30
DIGITS: Final = 6
EITHER_SIDE: Final = 1  # steps that a telephone's clock may be off
CODES: Final = 10
CODE_LETTERS: Final = 16  # of base32: 80 bits
CODE_LONGEST: Final = 60


def new_secret() -> str:
    """160 random bits, as telephones read them. Raises Configuration where the library is not there."""
    try:
        import pyotp
    except ImportError:
        raise Configuration(
            "what a central store needs is not installed", hint="pip install 'bo-office[server]'"
        ) from None
    return pyotp.random_base32(SECRET_LETTERS)


def uri(secret: str, login: str, issuer: str) -> str:
    """What a telephone reads, as text or as a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime) -> int:
    """The number of the half minute whose digits these are, 0 for no such."""
    import pyotp

    digits = plain(code)
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return 0
    totp, found = pyotp.TOTP(secret), 0
    for aside in range(-EITHER_SIDE, EITHER_SIDE + 1):
        at = now + timedelta(seconds=STEP_S * aside)
        if hmac.compare_digest(totp.at(at), digits):  # all are compared, so that time does not tell which it was
            found = int(at.timestamp()) // STEP_S
    return found


def new_codes() -> list[str]:
    """Codes for paper, each good once: four groups of four."""
    made = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS)) for _ in range(CODES)]
    return ["-".join(code[place : place + 4] for place in range(0, CODE_LETTERS, 4)) for code in made]


def kept(codes: list[str], operator: str) -> str:
    """Codes as they are kept: hashes with a space between."""
    return " ".join(_hash(code, operator) for code in codes)


def without(held: str, code: str, operator: str) -> str | None:
    """The kept codes without this one; None where it is not among them."""
    if len(code) > CODE_LONGEST:
        return None
    wanted, hashes = _hash(code, operator), held.split()
    left = [item for item in hashes if not hmac.compare_digest(item, wanted)]
    return " ".join(left) if len(left) < len(hashes) else None


def plain(code: str) -> str:
    """A code without what people put between."""
    return code[:CODE_LONGEST].replace(" ", "").replace("-", "").lower()


def _hash(code: str, operator: str) -> str:
    """80 random bits need no slow hash: nobody tries them all."""
    return sha256(f"{operator}\n{plain(code)}".encode("utf-8", "replace")).hexdigest()
