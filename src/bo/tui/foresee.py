"""What a command would do, before it does it: run in a transaction that is rolled back, and told in words.

For several records it tells what they come to, and how many would be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.source import Foresight
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.dispatch import Call
    from bo.core.kernel.dispatch import Outcome as Done
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.unit import Change
    from bo.core.kernel.workspace import Workspace

TRIED_MOST: Final = 500
LINES_MOST: Final = 12
FIELDS_MOST: Final = 4
SUMMED: Final = ("total", "amount")
# What a command only promises, and the command that keeps it: what follows from that is told too.
KEPT_BY: Final[Mapping[str, str]] = {"orders.refund": "refunds.execute", "returns.refund": "refunds.execute"}
# How a change of these is told follows from that of others.
DERIVED: Final = frozenset({"ledger_balances", "entries", "postings"})


def foresee(workspace: Workspace, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Foresight:
    """Changes nothing. Raises what opening a transaction raises; a refusal is told, not raised."""
    from bo.core.kernel.dispatch import Call

    subjects: Sequence[str | None] = ids or [None]
    calls = [Call(command, subject, dict(arguments)) for subject in subjects]
    reader = workspace.reader()
    if len(ids) > 1:
        lines = _together(reader, command.partition(".")[0], ids)
        done = workspace.run(calls, dry_run=True) if len(calls) <= TRIED_MOST else []
        together = [_("{amounts} altogether", amounts=", ".join(lines))] if lines else []
        return Foresight((*together, *_refusals(done)), _codes(done))
    outcomes, later = _tried(workspace, calls[0], KEPT_BY.get(command, ""))
    lines = [*_told(workspace, reader, outcomes), *(
        _("once it is paid back: {what}", what=line) for line in _told(workspace, reader, later, only_else=True)
    )]  # fmt: skip
    return Foresight(tuple(lines[:LINES_MOST]), _codes(outcomes))


def _together(reader: Reader, noun: str, ids: Sequence[str]) -> list[str]:
    """What records come to, by currency; nothing for those that have no amount, or none that may be seen."""
    from bo.core.kernel.amounts import money
    from bo.core.kernel.totals import totals

    try:
        info = reader.info(noun)
        name = next((each for each in SUMMED if each in info.by_name and info.by_name[each].kind.name == "amount"), "")
        if not name or "currency" not in info.by_name or info.by_name[name] in reader.actor.hidden(info):
            return []
        return [money(summed, currency) for currency, summed in totals(reader, noun, ids, name)]
    except BoError:
        return []


def _tried(workspace: Workspace, call: Call, keeps: str) -> tuple[list[Done], list[Done]]:
    """What became of the call, and of the one that keeps what it promised."""
    from bo.core.kernel.dispatch import Call

    later: list[Done] = []
    with workspace.transaction(dry_run=True) as perform:
        outcomes = perform([call])
        noun = keeps.partition(".")[0]
        made = [change.row for change in outcomes[0].changes if change.noun == noun and change.was is None]
        if made and workspace.authority:
            later = perform([Call(keeps, row) for row in made])
    return outcomes, later


def _refusals(outcomes: Sequence[Done]) -> Iterator[str]:
    counted = Counter(error_words(outcome.error) for outcome in outcomes if outcome.error is not None)
    for words, count in counted.most_common(2):
        yield _("{count} would be refused: {why}", count=count, why=words)


def _codes(outcomes: Sequence[Done]) -> Mapping[str, int]:
    return Counter(outcome.error.code for outcome in outcomes if outcome.error is not None)


# -- changes in words --------------------------------------------------------------------------------------------------


def _told(workspace: Workspace, reader: Reader, outcomes: Sequence[Done], *, only_else: bool = False) -> Iterator[str]:
    """Every change; with `only_else` those of records that are no money of the order itself."""
    changes = [
        change for outcome in outcomes for change in outcome.changes
        if change.noun not in DERIVED and reader.actor.may(f"{change.noun}.read")
    ]  # fmt: skip
    granted = [change for change in changes if change.noun == "refunds" and change.was is None]
    if granted and not only_else:
        yield from _refunds(reader, granted)
    said = ("orders", "payments", "refunds", "returns") if only_else else ("refunds", "payments") if granted else ()
    for change in changes:
        new = change.was is None
        if new and change.noun == "orders":
            yield _new_order(change)
        elif change.noun in said or (new and change.noun == "order_lines"):
            continue
        elif words := _change(workspace, reader, change):
            yield words


def _new_order(change: Change) -> str:
    """An order that is made on the way, such as for an exchange: what is left to pay of it."""
    from bo.core.kernel.amounts import format_amount, money

    image = _image(change)
    currency = str(image.get("currency") or "")
    total, paid = (int(str(image.get(name) or 0)) for name in ("total", "captured"))
    return _(
        "new order {number}: {total}, paid {paid}, still to be paid {due}",
        number=image.get("number"), total=money(total, currency), paid=format_amount(paid, currency),
        due=money(max(0, total - paid), currency),
    )  # fmt: skip


def _refunds(reader: Reader, granted: Sequence[Change]) -> Iterator[str]:
    """What is left of the payments before and after, and which of them it goes back to."""
    from bo.core.kernel.amounts import format_amount, money
    from bo.core.orders.records import Order, Payment
    from bo.core.orders.rules import refundable

    images = [_image(change) for change in granted]
    order = reader.get(Order, str(images[0]["order"]))
    payments = {item.id: item for item in reader.records(Payment, f"order:{order.id}")}
    shares = [(str(image["payment"]), int(str(image["amount"]))) for image in images if image["order"] == order.id]
    left, taken = sum(refundable(item) for item in payments.values()), sum(amount for _payment, amount in shares)
    before = {
        "paid": order.captured, "back": order.refunded, "granted": sum(item.granted for item in payments.values()),
    }  # fmt: skip
    yield _(
        "paid {paid}, given back {back}, granted and on its way {granted}",
        **{name: format_amount(value, order.currency) for name, value in before.items()},
    )
    yield _("could be given back: {left}; after this {after}",
            left=money(left, order.currency), after=money(left - taken, order.currency))  # fmt: skip
    for payment_id, amount in shares:
        payment = payments.get(payment_id)
        words = " ".join(part for part in (payment.method, payment.reference or "") if part) if payment else payment_id
        yield _("{amount} is taken from the payment {payment}", amount=money(amount, order.currency), payment=words)


def _image(change: Change) -> dict[str, object]:
    import msgspec

    return msgspec.json.decode(change.after or change.before or b"{}", type=dict[str, object])


def _change(workspace: Workspace, reader: Reader, change: Change) -> str:
    from bo.core.kernel.journal import differences
    from bo.tui.shown import Shown, name_field

    info = reader.info(change.noun)
    shown = Shown(reader, info, workspace.clock)
    image = _image(change)
    shown.currency = str(image.get("currency") or reader.context.currency)
    hidden = {item.name for item in reader.actor.hidden(info)}
    parts = []
    for item in differences(change):
        field = info.by_name.get(item.field)
        if field is None or field.meta.internal or item.field in hidden or item.field == "currency":
            continue
        before, after = (shown.plain(field, value) if value not in (None, "", [], {}) else "" for value in
                         (item.before, item.after))  # fmt: skip
        if change.was is None and after and item.field in info.columns:
            parts.append(f"{_(field.label)} {after}")
        elif change.was is not None:
            parts.append(f"{_(field.label)} {before or '-'} > {after or '-'}")
    if not parts:
        return ""
    name = str(image.get(name_field(info)) or "")
    title = _(info.name.replace("_", " "))
    head = _("new {record}", record=title) if change.was is None else f"{title} {name}".strip()
    return f"{head}: {', '.join(parts[: FIELDS_MOST + (2 if change.was is None else 0)])}"
