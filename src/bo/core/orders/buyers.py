"""Whose an order is: the customer with its phone or e-mail address, else a new one.

An order without either has no customer, unless it names one. Who buys has not said that they may be written to.
"""

from __future__ import annotations

from typing import Final

from bo.core.access.settings import Setting
from bo.core.customers.records import Customer
from bo.core.customers.registering import known_customer, register_customer
from bo.core.kernel.kinds import FlagKind
from bo.core.kernel.tx import Tx
from bo.core.orders.records import Order

MAKES_CUSTOMERS: Final = Setting(
    "orders.make_customers", FlagKind(), True, "an order with a phone or e-mail that nobody has makes a customer"
)


def find_buyer(tx: Tx, order: Order) -> None:
    """Link an order that says no customer to the one with its phone or e-mail address, or to a new one."""
    if order.customer is not None or not (order.phone or order.email):
        return
    if not MAKES_CUSTOMERS.of(tx) and known_customer(tx, phone=order.phone, email=order.email) is None:
        return
    wanted = Customer(
        name=order.name, phone=order.phone, email=order.email, company=order.company, country=order.country,
        province=order.province, city=order.city, postcode=order.postcode, address=order.address, store=order.store,
        consent=False,
    )  # fmt: skip
    order.customer = register_customer(tx, wanted)[0].id


def hand_over(tx: Tx, customer: str, other: str) -> None:
    """The orders of one customer are another's."""
    for order in tx.select(Order, customer=customer):
        order.customer = other
