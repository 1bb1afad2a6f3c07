"""The second look at who somebody is: a proof that a code of their second factor was just spent, and who asks for it.

A command that is declared with `step_up` wants one where the word is final. The kernel knows no codes: what a second
factor is, the access module says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from bo.core.kernel.database import Database, Session
from bo.core.kernel.errors import ProofWanted

LASTS: Final = timedelta(minutes=5)


class Factors(Protocol):
    """The second factors of operators."""

    def is_on(self, session: Session, operator: str) -> bool: ...

    def spend(self, database: Database, operator: str, code: str, now: datetime) -> None: ...


class Proof(msgspec.Struct):
    """That an operator has just spent a code. The transaction that needs it uses it up."""

    actor: str
    until: datetime
    used: bool = False


class Gate(msgspec.Struct, frozen=True):
    """What a transaction asks before it runs what wants a proof. In a dry run, and where nobody has a second factor,
    it has no `factors`."""

    session: Session
    factors: Factors | None
    proof: Proof | None

    def pass_through(self, actor: str, now: datetime) -> None:
        """Raise ProofWanted where this actor has a second factor and has not just shown it."""
        if self.factors is None or not self.factors.is_on(self.session, actor):
            return
        proof = self.proof
        if proof is None or proof.actor != actor or proof.until <= now:
            raise ProofWanted(
                "this wants a fresh code of your second factor",
                hint="Give it with --code (on a device: bo sync --code), or in the header Bo-Code.",
            )
        proof.used = True
