"""All that there is of one customer, who may be one, and how customers buy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec

from bo.core.customers.records import Address, Communication, ContactPoint, Customer
from bo.core.hub import scoring
from bo.core.hub.likeness import Person, pairs, person
from bo.core.kernel.command import query
from bo.core.kernel.errors import UsageError
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Facts, Moment, Primitive, Text, moment_of
from bo.core.kernel.parsing import email_key
from bo.core.kernel.reader import Reader, visible
from bo.core.kernel.record import Record, RecordInfo, info_of
from bo.core.kernel.tx import SEE_PERSONAL
from bo.core.leads.records import FollowUp, Lead
from bo.core.orders.records import CANCELLED, DRAFT, Order, OrderLine, Payment, Refund
from bo.core.returns.records import Credit, CustomerReturn

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement

NOUN: Final = "customers"
R = TypeVar("R", bound=Record)
WHAT: Final = ("order", "return", "refund", "credit", "lead", "follow_up", "call", "message", "mail", "visit", "note")
What = Annotated[str, ChoiceKind(*WHAT)]
SegmentName = Annotated[str, ChoiceKind(*scoring.SEGMENTS)]
SHOWN_MOST: Final = 10_000


class Alike(msgspec.Struct, frozen=True):
    """Another customer, what both have in common, and how much that says: 80 and more is as good as sure."""

    customer: Text
    name: Text
    points: Count
    common: Text


class Likely(msgspec.Struct, frozen=True):
    """Two customers who may be one. The first is known longer."""

    customer: Text
    name: Text
    other: Text
    other_name: Text
    points: Count
    common: Text


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened with a customer."""

    at: Moment
    what: What
    number: Text
    words: Text
    amount: Amount | None
    currency: Text
    id: Text


class Totals(msgspec.Struct, frozen=True):
    """What a customer ordered in one currency: `ordered` and `average` without cancelled orders and drafts."""

    currency: Currency
    orders: Count
    ordered: Amount
    paid: Amount
    refunded: Amount
    average: Amount
    first_order: Moment | None
    last_order: Moment | None
    cancelled: Count


class Segment(msgspec.Struct, frozen=True):
    """Customers who buy alike."""

    segment: SegmentName
    customers: Count
    orders: Count
    ordered: Amount
    currency: Currency


class Scored(msgspec.Struct, frozen=True):
    """How recently, how often and for how much a customer bought, each as a fifth: 5 is the best."""

    customer: Text
    name: Text
    segment: SegmentName
    recency: Count
    frequency: Count
    monetary: Count
    last_order: Moment
    orders: Count
    ordered: Amount
    currency: Currency


class Held(msgspec.Struct, frozen=True):
    """One record that says something of a person, as JSON."""

    noun: Text
    id: Text
    values: Facts


# -- who may be one ----------------------------------------------------------------------------------------------------


@query(needs="customers.read")
def alike(read: Reader, customer: Customer) -> list[Alike]:
    """Other customers who may be the same person: by phone, e-mail, or name and address."""
    customer = _kept(read, customer)
    near = {item.id: item for item in (customer, *_near(read, customer))}
    people = _people(read, tuple(near.values()))
    found = []
    for pair in pairs(people):
        if customer.id in (pair.one.id, pair.other.id):
            other = pair.other if pair.one.id == customer.id else pair.one
            found.append(Alike(other.id, other.shown, pair.points, ", ".join(pair.why)))
    return found


@query(needs="customers.read")
def duplicates(read: Reader, *, least: Count = 60, limit: Count = 200) -> list[Likely]:
    """Pairs of customers who may be one person, the likeliest first. `bo customers merge` makes one of them."""
    if limit > SHOWN_MOST:
        raise UsageError("at most {most} can be shown", most=SHOWN_MOST)
    found = [pair for pair in pairs(_people(read)) if pair.points >= least]
    return [
        Likely(pair.one.id, pair.one.shown, pair.other.id, pair.other.shown, pair.points, ", ".join(pair.why))
        for pair in found[:limit]
    ]


UNTOLD: Final = ("id", "revision", "scope")
COMPARED: Final = ("id", "name", "phone", "email", "city", "address")


def _people(read: Reader, some: Sequence[Customer] = ()) -> list[Person]:
    """Customers as they are compared, in the order in which they became known: these, or all.

    Masks would make strangers alike, so it is for who sees personal data. Raises NotAllowed.
    """
    read.require(SEE_PERSONAL)
    reached = _reached(read, [item.id for item in some])
    if some:
        rows: Iterator[Sequence[object]] = (
            [getattr(item, name) for name in COMPARED]
            for item in sorted(some, key=lambda item: (item.created_at, item.id))
        )
    else:
        _fields, parts = read.stream("customers", "merged_into:none sort:created_at", fields=COMPARED)
        rows = (row for part in parts for row in part)
    return [_person(row, reached) for row in rows]


def _person(row: Sequence[object], reached: dict[str, list[tuple[str, str]]]) -> Person:
    id, name, phone, email, city, address = (str(cell or "") for cell in row)
    keys = [("phone", phone), ("email", email_key(email) if email else ""), *reached.get(id, ())]
    return person(id, name or email or phone, name, (city, address), keys)


def _reached(read: Reader, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Phones and mailboxes of contacts, by customer: of these customers, or of all."""
    if not read.actor.may("contacts.read"):
        return {}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    if ids:
        for item in _of(read, ContactPoint, "customer", ids):
            found[item.customer].append((item.kind, item.key))
        return found
    _fields, parts = read.stream("contacts", "", fields=("customer", "kind", "key"))
    for customer, kind, key in (row for part in parts for row in part):
        found[customer].append((kind, key))
    return found


def _near(read: Reader, customer: Customer) -> Iterator[Customer]:
    """Customers who share a phone, a mailbox, or a city where an address is known."""
    own = [item.key for item in _of(read, ContactPoint, "customer", [customer.id])]
    keys = [key for key in (customer.phone, customer.email_key, *own) if key]
    sharing = {item.customer for item in _of(read, ContactPoint, "key", keys)}
    wanted = {"phone": keys, "email_key": keys, "id": sorted(sharing)}
    wanted["email"] = [customer.email] if customer.email else []
    if customer.city and customer.address:
        wanted["city"] = [customer.city]
    for name, values in wanted.items():
        yield from (item for item in _of(read, Customer, name, values) if not item.merged_into)


# -- one customer ------------------------------------------------------------------------------------------------------


@query(needs="customers.read")
def timeline(read: Reader, customer: Customer, *, limit: Count = 200) -> list[Happening]:
    """All that happened with a customer, newest first: orders, returns, refunds, credit, leads and talks."""
    ids = _ids(read, customer)
    orders = _of(read, Order, "customer", ids)
    leads = _of(read, Lead, "customer", ids)
    numbers = {item.id: item.number for item in orders} | {item.id: item.number or "" for item in leads}
    found = [*map(_of_order, orders), *map(_of_lead, leads)]
    order_ids, lead_ids = [item.id for item in orders], [item.id for item in leads]
    found += [_of_return(item) for item in _of(read, CustomerReturn, "order", order_ids)]
    found += [_of_refund(item, numbers[item.order]) for item in _of(read, Refund, "order", order_ids)]
    found += [_of_credit(item) for item in _of(read, Credit, "customer", ids)]
    found += [_of_follow_up(item, numbers[item.lead]) for item in _of(read, FollowUp, "lead", lead_ids)]
    found += [_of_talk(item) for item in _of(read, Communication, "customer", ids)]
    return sorted(found, key=lambda item: (item.at, item.id), reverse=True)[:limit]


@query(needs="orders.read", noun="customers")
def totals(read: Reader, customer: Customer) -> list[Totals]:
    """What a customer ordered, paid and got back, by currency."""
    by_currency: dict[str, list[Order]] = defaultdict(list)
    for order in _of(read, Order, "customer", _ids(read, customer)):
        by_currency[order.currency].append(order)
    return [_totals(currency, orders) for currency, orders in sorted(by_currency.items())]


def _totals(currency: str, orders: Sequence[Order]) -> Totals:
    counted = [item for item in orders if item.state not in (CANCELLED, DRAFT)]
    ordered = sum(item.total for item in counted)
    placed = [item.placed_at for item in counted]
    return Totals(
        currency, len(counted), ordered, sum(item.captured for item in orders), sum(item.refunded for item in orders),
        ordered // len(counted) if counted else 0, min(placed, default=None), max(placed, default=None),
        len(orders) - len(counted),
    )  # fmt: skip


def _of_order(item: Order) -> Happening:
    words = f"{item.state}, {item.payment}"
    return Happening(item.placed_at, "order", item.number, words, item.total, item.currency, item.id)


def _of_lead(item: Lead) -> Happening:
    words = " ".join(part for part in (item.state, item.category, item.source) if part)
    return Happening(item.reported_at or item.created_at, "lead", item.number or "", words, None, "", item.id)


def _of_return(item: CustomerReturn) -> Happening:
    words = " ".join(part for part in (item.state, item.reason, item.settled) if part)
    return Happening(item.created_at, "return", item.number, words, item.amount, item.currency, item.id)


def _of_refund(item: Refund, number: str) -> Happening:
    words = f"{item.state}: {item.reason}"
    return Happening(item.created_at, "refund", number, words, -item.amount, item.currency, item.id)


def _of_credit(item: Credit) -> Happening:
    return Happening(item.at, "credit", "", item.reason, item.amount, item.currency, item.id)


def _of_follow_up(item: FollowUp, number: str) -> Happening:
    words = " ".join(part for part in (item.kind, item.outcome, item.note) if part)
    return Happening(item.at, "follow_up", number, words, None, "", item.id)


def _of_talk(item: Communication) -> Happening:
    words = " / ".join(part for part in (item.summary, item.outcome) if part)
    return Happening(item.at, item.kind, "", words, None, "", item.id)


# -- how customers buy -------------------------------------------------------------------------------------------------


@query(needs="orders.read", noun="customers")
def segments(read: Reader, *, currency: Text = "") -> list[Segment]:
    """How many customers buy how: by how recently, how often and for how much they bought, each in fifths."""
    wanted = currency.upper() or read.context.currency
    sums: dict[str, list[int]] = {name: [0, 0, 0] for name in scoring.SEGMENTS}
    for score in scoring.scores(_buyers(read, wanted)):
        told = sums[score.segment]
        told[0], told[1], told[2] = told[0] + 1, told[1] + score.orders, told[2] + score.ordered
    return [Segment(name, told[0], told[1], told[2], wanted) for name, told in sums.items() if told[0]]


@query(needs="orders.read", noun="customers")
def rfm(read: Reader, *, segment: Text = "", currency: Text = "", limit: Count = 1_000) -> list[Scored]:
    """How recently, how often and for how much each customer bought, in fifths; the best first."""
    wanted = currency.upper() or read.context.currency
    if segment and segment not in scoring.SEGMENTS:
        raise UsageError("there is no segment {name}", hint="{names}", name=segment, names=", ".join(scoring.SEGMENTS))
    found = [item for item in scoring.scores(_buyers(read, wanted)) if segment in ("", item.segment)][:limit]
    names = {item.id: item.name for item in _of(read, Customer, "id", [item.customer for item in found])}
    return [
        Scored(
            item.customer, names.get(item.customer, ""), item.segment, item.recency, item.frequency, item.monetary,
            item.last, item.orders, item.ordered, wanted,
        )
        for item in found
    ]  # fmt: skip


def _buyers(read: Reader, currency: str) -> list[scoring.Buyer]:
    key = f"{info_of(Order).fingerprint}:buyers:{bool(read.eyes())}"
    rows = read.rows(key, lambda: _buyers_statement(read), currency=currency, **read.eyes())
    return [scoring.Buyer(str(id), moment_of(last), int(count), int(ordered)) for id, last, count, ordered in rows]


def _buyers_statement(read: Reader) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    info = info_of(Order)
    made = table(info)
    columns = (made.c.customer, sa.func.max(made.c.placed_at), sa.func.count(), sa.func.sum(made.c.total))
    wanted = sa.select(*columns).where(
        made.c.customer.is_not(None), made.c.currency == sa.bindparam("currency"),
        made.c.state != str(CANCELLED), made.c.state != str(DRAFT), *visible(info, read.actor),
    )  # fmt: skip
    return wanted.group_by(made.c.customer).order_by(made.c.customer)


# -- personal data -----------------------------------------------------------------------------------------------------


@query(needs="customers.export_personal", noun="customers")
def export_personal(read: Reader, customer: Customer) -> list[Held]:
    """Everything that is kept about one person, record by record, as far as you may read it: -o json."""
    ids = _ids(read, customer)
    found: list[Record] = list(_of(read, Customer, "id", ids))
    own: tuple[type[Record], ...] = (Address, ContactPoint, Communication, Credit)
    for cls in own:
        found += _of(read, cls, "customer", ids)
    orders, leads = _of(read, Order, "customer", ids), _of(read, Lead, "customer", ids)
    found += orders
    of_order: tuple[type[Record], ...] = (OrderLine, Payment, Refund, CustomerReturn)
    for cls in of_order:
        found += _of(read, cls, "order", [item.id for item in orders])
    found += leads
    found += _of(read, FollowUp, "lead", [item.id for item in leads])
    return [_held(item, read.context.currency) for item in found]


def _held(item: Record, currency: str) -> Held:
    info = info_of(type(item))
    own = str(getattr(item, "currency", "") or currency)
    values: dict[str, Primitive] = {}
    for field in info.fields:
        value = getattr(item, field.name)
        if field.name not in UNTOLD and (value or value is False):
            told = field.kind.wire(value, own)
            values[field.name] = told if isinstance(told, (str, int)) else field.kind.show(value, own)
    return Held(info.noun, item.id, values)


# -- inside ------------------------------------------------------------------------------------------------------------


def _kept(read: Reader, customer: Customer) -> Customer:
    """The customer who is kept, as far as they may be seen."""
    kept = _of(read, Customer, "id", [customer.merged_into]) if customer.merged_into else []
    return kept[0] if kept else customer


def _ids(read: Reader, customer: Customer) -> list[str]:
    """A customer and those who were merged into them."""
    kept = _kept(read, customer)
    return [kept.id, *(item.id for item in _of(read, Customer, "merged_into", [kept.id]))]


def _of(read: Reader, cls: type[R], field: str, values: Sequence[str]) -> list[R]:
    """Records that have one of these values in a field, as far as they may be seen."""
    info = info_of(cls)
    if not values or not read.actor.may(f"{info.noun}.read"):
        return []
    key = f"{info.fingerprint}:hub:{field}:{bool(read.eyes())}"
    rows = read.rows(
        key, lambda: _of_statement(read, info, field), values=read.session.array(list(values)), **read.eyes()
    )
    return [record for row in rows if isinstance(record := _seen(read, info, row), cls)]


def _seen(read: Reader, info: RecordInfo, row: Sequence[object]) -> Record:
    record = info.load(row)
    read.veil(info, record)
    return record


def _of_statement(read: Reader, info: RecordInfo, field: str) -> ClauseElement:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, table

    made = table(info)
    columns = [made.c[name] for name in info.field_names]
    return (
        sa.select(*columns)
        .where(in_list(made.c[field], sa.bindparam("values")), *visible(info, read.actor))
        .order_by(made.c.n)
    )
