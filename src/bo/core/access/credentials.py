"""How operators prove who they are: what is read and written of the table `credential`, each in one statement.

The rows are written past the journal, in whatever transaction the caller has open: a password's hash does not belong
into a history that is copied to devices. A code for paper comes in as it is and is kept as a hash.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.record import EPOCH

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bo.core.kernel.database import Session

TEXT_LONGEST: Final = 200


class Account:
    """What is known of who wants to come in. No Struct: those show what they hold."""

    __slots__ = ("active", "login", "operator", "password", "recovery", "totp")

    def __init__(
        self, operator: str, login: str = "", active: object = False, password: str | None = None,
        totp: str | None = None, recovery: str | None = None,
    ) -> None:  # fmt: skip
        self.operator = operator
        self.login = login
        self.active = bool(active)
        self.password = password or ""
        self.totp = totp or ""
        self.recovery = recovery or ""


def account_called(session: Session, login: str) -> Account | None:
    """The operator of that login."""
    rows = session.rows("access:account:login", lambda: _account("login"), {"wanted": readable(login)})
    return Account(*rows[0]) if rows else None


def account_of(session: Session, operator: str) -> Account | None:
    """The operator of that id."""
    rows = session.rows("access:account:id", lambda: _account("id"), {"wanted": readable(operator)})
    return Account(*rows[0]) if rows else None


def require_row(session: Session, operator: str, now: datetime) -> None:
    """Every operator who tries has a row to be counted in."""
    values = {
        "operator": operator, "password": "", "totp": "", "totp_step": 0, "recovery": "", "failures": 0,
        "locked_until": EPOCH, "changed_at": now,
    }  # fmt: skip
    session.run("access:credential:new", lambda: _new_credential(sqlite=session.is_sqlite), values)


def tries_of(session: Session, operator: str) -> tuple[int, datetime]:
    """The wrong tries of an operator and until when there are no more; the row is held for this transaction."""
    rows = session.rows("access:credential:lock", _tries, {"wanted": operator})
    return (int(rows[0][0]), moment(rows[0][1])) if rows else (0, EPOCH)


def set_credential(session: Session, operator: str, **values: object) -> None:
    """Set columns of an operator's row, which is there."""
    names = tuple(values)
    bound = {f"new_{name}": value for name, value in values.items()}
    session.run(
        f"access:credential:set:{','.join(names)}", lambda: _set_credential(names), {"wanted": operator, **bound}
    )


def spend_step(session: Session, operator: str, step: int) -> bool:
    """Move the last half minute that was used up to this one; whether nobody was faster."""
    values = {"wanted": operator, "new_step": step, "most": step}
    return session.run("access:credential:step", _spend_step, values) == 1


def spend_recovery(session: Session, operator: str, held: str, left: str) -> bool:
    """Put the codes that are left in the place of those that were held; whether nobody was faster."""
    values = {"wanted": operator, "held": held, "new_recovery": left}
    return session.run("access:credential:recovery", _spend_recovery, values) == 1


def readable(text: str) -> str:
    """What a stranger sent, as a database can compare it."""
    return text[:TEXT_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


# -- statements --------------------------------------------------------------------------------------------------------


def _credential() -> sa.Table:
    from bo.core.kernel.tables import credential

    return credential


def _bound(name: str) -> sa.BindParameter[Any]:
    import sqlalchemy as sa

    return sa.bindparam(name)


def _account(key: str) -> sa.Select[Any]:
    import sqlalchemy as sa

    from bo.core.access.records import Operator
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    credential, operator = _credential(), table(info_of(Operator))
    kept = credential.c
    wanted = sa.select(operator.c.id, operator.c.login, operator.c.active, kept.password, kept.totp, kept.recovery)
    joined = operator.outerjoin(credential, kept.operator == operator.c.id)
    return wanted.select_from(joined).where(operator.c[key] == _bound("wanted"))


def _new_credential(*, sqlite: bool) -> sa.Insert:
    from bo.core.kernel.tables import upsert

    return upsert(_credential(), "operator", sqlite=sqlite)


def _tries() -> sa.Select[Any]:
    import sqlalchemy as sa

    kept = _credential().c
    return sa.select(kept.failures, kept.locked_until).where(kept.operator == _bound("wanted")).with_for_update()


def _set_credential(names: tuple[str, ...]) -> sa.Update:
    credential = _credential()
    new = {name: _bound(f"new_{name}") for name in names}
    return credential.update().where(credential.c.operator == _bound("wanted")).values(new)


def _spend_step() -> sa.Update:
    credential = _credential()
    mine = credential.update().where(credential.c.operator == _bound("wanted"))
    return mine.where(credential.c.totp_step < _bound("most")).values(totp_step=_bound("new_step"))


def _spend_recovery() -> sa.Update:
    credential = _credential()
    mine = credential.update().where(credential.c.operator == _bound("wanted"))
    return mine.where(credential.c.recovery == _bound("held")).values(recovery=_bound("new_recovery"))
