"""Orders that need a person: found by rules, handled by somebody, resolved by themselves when their cause is gone.

An exception holds its key (order and rule) while its cause lasts, also when somebody has dismissed it, so that the same
cause is told once. One that was resolved by hand gives the key free: if the cause is still there, it is told again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import moment_of
from bo.core.kernel.query import Filter, clauses
from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.record import info_of
from bo.core.kernel.tx import OPEN_SCOPES, SYSTEM, Tx
from bo.core.orders.looks import LOOKS, Few, Found, found_by
from bo.core.orders.records import OPEN, RESOLVED, ExceptionRule, Order, OrderException

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

GONE: Final = "the cause is gone"
PART: Final = 10_000  # records that are loaded at once
FEW: Final = 500  # orders that are looked at alone


class NoFilter(Refused):
    """A rule that means every order."""

    code = "no_filter"


def require_filter(tx: Tx, rule: ExceptionRule) -> None:
    """Raise NoFilter for a rule that neither has a look nor says which orders it means, and UsageError or BadValue for
    one whose filter cannot be understood."""
    if not tx.filter(Order, rule.filter).conditions and not rule.look:
        raise NoFilter("a rule needs a filter that says which orders it means", hint="Such as: risk:high total>500")


def rule_changed(tx: Tx, rule: ExceptionRule, _given: Mapping[str, object]) -> None:
    """After an edit."""
    require_filter(tx, rule)


def add_standard(tx: Tx) -> ExceptionRule:
    """The rules of the built-in looks; what is there stays as it is tuned. The first of them."""
    rules = []
    for code, look in LOOKS.items():
        known = tx.find(ExceptionRule, code=code)
        made = ExceptionRule(
            code=code, name=look.name, look=code, after_hours=look.hours, priority=look.priority,
        )  # fmt: skip
        rules.append(known or tx.add(made))
    return rules[0]


def scan(tx: Tx, scope: str) -> None:
    """Open what the rules find among the orders of a filter (blank: all) and resolve what they find no more.

    Raises UsageError, BadValue for a filter that cannot be understood.
    """
    rules = tx.select(ExceptionRule, active=True, order="code")
    few = _few_of(tx, scope)
    found = {f"{item.order}/{rule.id}": (rule, item) for rule in rules for item in found_by(tx, rule, scope, few)}
    held = _held(tx, scope)
    tx.fetch(OrderException, "key", (key for key in found if key not in held))
    for key, (rule, item) in found.items():
        if key not in held:
            tx.add(_opened(key, rule, item))
    told = {number: found[key][1][2:] for key, (number, *before) in held.items()
            if key in found and tuple(before) != found[key][1][2:]}  # fmt: skip
    gone = [number for key, (number, *_before) in held.items() if key not in found]
    for exception in _loaded(tx, [*told, *gone]):
        if exception.id in told:
            exception.reason, exception.detail = told[exception.id]
            continue
        exception.key = None
        if exception.state == OPEN:
            exception.state, exception.resolution = RESOLVED, GONE


def hand_to(exception: OrderException, operator: str) -> None:
    """Somebody sees to it. Raises Refused where nobody is at the keyboard."""
    if operator == SYSTEM.id:
        raise Refused("the system takes nothing on", hint="Say who acts with --as.")
    exception.owner = operator


def _opened(key: str, rule: ExceptionRule, item: Found) -> OrderException:
    return OrderException(
        order=item.order, store=item.store, rule=rule.id, key=key, reason=item.reason, detail=item.detail,
        priority=rule.priority,
    )  # fmt: skip


def _few_of(tx: Tx, scope: str) -> Few | None:
    """The orders that a filter finds, where they are few; then nothing goes through the tables for them."""
    if not scope:
        return None
    narrowed = tx.filter(Order, scope)
    rows = tx.rows("exceptions:few", partial(_ids, narrowed, tx.on_sqlite), Order, narrowed=narrowed)
    if len(rows) > FEW:
        return None
    placed = sorted(moment_of(at) for _order, at in rows) or [tx.now]
    return Few(tuple(str(order) for order, _at in rows), placed[0], placed[-1])


def _ids(narrowed: Filter, sqlite: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info_of(Order))
    found = clauses(info_of(Order), narrowed, sqlite=sqlite)
    return sa.select(made.c.id, made.c.placed_at).where(*found).limit(FEW + 1)


def _held(tx: Tx, scope: str) -> dict[str, tuple[str, ...]]:
    """Exceptions whose cause lasted at the last scan, of the orders that a filter finds: by key, (id, reason,
    detail)."""
    narrowed = tx.filter(Order, scope)
    rows = tx.rows("exceptions:held", partial(_keyed, narrowed, tx.on_sqlite), OrderException, Order, narrowed=narrowed)
    return {str(key): tuple(map(str, told)) for key, *told in rows}


def _keyed(narrowed: Filter, sqlite: bool) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made, order = table(info_of(OrderException)), table(info_of(Order))
    wanted = sa.select(made.c.key, made.c.id, made.c.reason, made.c.detail).where(made.c.key.is_not(None))
    if narrowed.conditions or narrowed.words:
        wanted = wanted.join(order, order.c.id == made.c.order)
        wanted = wanted.where(*clauses(info_of(Order), narrowed, sqlite=sqlite))
    return wanted.order_by(made.c.n)


def _loaded(tx: Tx, ids: list[str]) -> list[OrderException]:
    parts = (tuple(ids[start : start + PART]) for start in range(0, len(ids), PART))
    return [item for part in parts for item in tx.select(OrderException, id=part)]


# -- what is open ------------------------------------------------------------------------------------------------------


def open_by_rule(read: Reader) -> list[tuple[str, str, int]]:
    """How many exceptions are open by the rule that found them: (code, name, count), the most first."""
    scopes = read.actor.scopes
    values = {} if scopes is None else {"scopes": read.session.array(sorted({*OPEN_SCOPES, *scopes}))}
    key = f"{info_of(OrderException).fingerprint}:open:by_rule:{'' if scopes is None else 'scoped'}"
    rows = read.rows(key, lambda: _open_by_rule(read), **values)
    return [(str(code), str(name or code), int(count)) for code, name, count in rows]


def _open_by_rule(read: Reader) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    info = info_of(OrderException)
    made, rule = table(info), table(info_of(ExceptionRule))
    count = sa.func.count().label("count")
    wanted = sa.select(rule.c.code, rule.c.name, count).select_from(made.join(rule, rule.c.id == made.c.rule))
    wanted = wanted.where(made.c.state == str(OPEN), *visible(info, read.actor)).group_by(rule.c.code, rule.c.name)
    return wanted.order_by(count.desc(), rule.c.code)
