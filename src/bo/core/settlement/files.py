"""The payout file: which layout, which account of ours pays, and the bytes that come of it.

Pure, and bound to what was frozen: once a settlement is exported its order is kept, so that the file asked for again
has the same bytes, whatever has become of the templates and of our accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Struct

from bo.core.kernel.kinds import ChoiceKind, Day, Field, Note
from bo.core.ledger.days import day_of
from bo.core.settlement.pain import VERSIONS, credit_transfers
from bo.core.settlement.records import BankAccount, PaymentFile, Payout, Settlement
from bo.core.settlement.refusals import NoPayingAccount
from bo.core.settlement.tables import payment_table, read_template, shipped

LAYOUTS: Final = ("csv", "cn_bank", *VERSIONS)
LayoutName = Annotated[
    str,
    ChoiceKind(*LAYOUTS, labels=("a table", "a table for Chinese banks", *VERSIONS)),
    Field(help="what the bank takes"),
]
Template = Annotated[Note, Field(help="the columns of a table of your own, as TOML, in place of the layout's")]
PayOn = Annotated[Day, Field(help="the day on which the bank is to pay; the day of the approval if not said")]


class Order(Struct, frozen=True):
    """What beside the payments the bytes of a payout file depend on."""

    layout: str
    template: str
    pay_on: date
    payer: str = ""
    account: str = ""
    bank_code: str = ""

    @classmethod
    def again(cls, file: PaymentFile) -> Order:
        """The order of a file that has left already; the first ones were all of one layout, and said nothing of it."""
        template = file.template or ("" if file.layout in VERSIONS else shipped(file.layout))
        day = file.pay_on or file.created_at.date()
        return cls(file.layout, template, day, file.payer, file.payer_account, file.payer_bank_code)


def order_of(
    settlement: Settlement, layout: str, template: str, account: BankAccount | None, pay_on: date | None, zone: str
) -> Order:
    """The order for a first export.

    Raises:
        NoPayingAccount: the layout names the account that pays, and there is none, or none in this currency.
        BadValue: the template cannot be read.
    """
    if account is None and layout in VERSIONS:
        raise NoPayingAccount(
            "a {layout} file says which account of ours pays", layout=layout,
            hint="Name it: --bank-account CODE. bo bank-accounts list shows ours, bo bank-accounts add adds one.",
        )  # fmt: skip
    if account is not None and (
        not account.active or account.kind != "bank" or account.currency != settlement.currency
    ):
        raise NoPayingAccount(
            "{account} does not pay {currency}: it is in {own}, no bank's, or not in use", account=account.code,
            currency=settlement.currency, own=account.currency, hint="bo bank-accounts list shows ours.",
        )  # fmt: skip
    text = "" if layout in VERSIONS else template or shipped(layout)
    if text:
        read_template(text)
    assert settlement.approved_at is not None
    day = pay_on or day_of(settlement.approved_at, zone)
    if account is None:
        return Order(layout, text, day)
    return Order(layout, text, day, account.holder, account.number, account.bic)


def payment_file(settlement: Settlement, payouts: Sequence[Payout], order: Order) -> bytes:
    """The payments of a settlement for the bank, one for each payee, in the order of their codes.

    Payouts keep what the file says, so that it does not change when some of them are paid or have failed.

    Raises:
        CannotBeWritten: a name or an account does not go into that layout.
    """
    ordered = sorted(payouts, key=lambda item: (item.payee_code, item.reference))
    if order.layout not in VERSIONS:
        return payment_table(settlement, ordered, order.template, order.pay_on.isoformat())
    assert settlement.approved_at is not None
    return credit_transfers(
        order.layout, settlement, ordered, payer=order.payer, account=order.account, bank_code=order.bank_code,
        made_at=settlement.approved_at, pay_on=order.pay_on,
    )  # fmt: skip


def payout_file_name(settlement: Settlement, layout: str) -> str:
    return f"{settlement.number}.{'xml' if layout in VERSIONS else 'csv'}"


def file_hash_of(content: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return sha256(content).hexdigest()
