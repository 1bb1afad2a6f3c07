"""Proving who one is once more: a code of the second factor before a command that is declared with `step_up`.

Whether an operator has a second factor, and the codes that are left, stand in the office's own table of credentials. On
a device and in an office without logins nobody has one: there an operator is a name. It holds back who guesses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bo.core.access import credentials
from bo.core.access.credentials import Account
from bo.core.kernel.database import Database, Session
from bo.core.kernel.errors import BoError, NotAllowed
from bo.core.kernel.record import EPOCH

TRIES_FREE: Final = 10
LOCK_LEAST: Final = timedelta(seconds=30)
LOCK_MOST: Final = timedelta(minutes=15)


class WrongCode(NotAllowed):
    """It is no code of this operator's second factor, or it was used before."""

    code = "wrong_code"


class TooManyTries(BoError):
    """So many were wrong that the next one has to wait; `seconds` in the facts says how long."""

    code = "too_many"
    retryable = True


class SecondFactors:
    """Who has a second factor, and the use of its codes, as the kernel asks for both."""

    def is_on(self, session: Session, operator: str) -> bool:
        account = credentials.account_of(session, operator)
        return account is not None and bool(account.totp)

    def spend(self, database: Database, operator: str, code: str, now: datetime) -> None:
        """Use a code up, in transactions of its own: a wrong one counts as a try, whatever it was meant for.

        Raises WrongCode, TooManyTries.
        """
        with database.writing() as session:
            count_try(session, operator, now)
        with database.writing() as session:
            account = credentials.account_of(session, operator)
            if account is None or not account.active or not account.totp or not spend_code(session, account, code, now):
                raise WrongCode("the code is wrong, or it was used before", hint="Wait for the next one.")
            credentials.set_credential(session, operator, failures=0, locked_until=EPOCH)


def count_try(session: Session, operator: str, now: datetime) -> None:
    """Count a try before it is made. Raises TooManyTries."""
    credentials.require_row(session, operator, now)
    failures, locked_until = credentials.tries_of(session, operator)
    if locked_until > now:
        raise held_back(int((locked_until - now).total_seconds()) + 1)
    beyond = failures + 1 - TRIES_FREE
    pause = min(LOCK_MOST, LOCK_LEAST * 2 ** min(beyond, 16)) if beyond >= 0 else None
    credentials.set_credential(
        session, operator, failures=failures + 1, locked_until=now + pause if pause else EPOCH
    )  # fmt: skip


def spend_code(session: Session, account: Account, code: str, now: datetime) -> bool:
    """Use a code up: each is good once, whoever comes with it at the same time. Whether it was right."""
    from bo.core.access import second_factor

    step = second_factor.step_of(account.totp, code, now)
    if step:
        return credentials.spend_step(session, account.operator, step)
    left = second_factor.without(account.recovery, code, account.operator)
    return left is not None and credentials.spend_recovery(session, account.operator, account.recovery, left)


def held_back(seconds: int) -> TooManyTries:
    return TooManyTries("too many wrong tries", hint="Try again in {seconds} s.", seconds=seconds)
