"""Registering referrers and keeping the accounts they are paid to."""

from typing import Annotated

from bo.core.kernel.command import command
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Currency, Email, Facts, Field, Note, PersonName, Phone, Rate, RefKind, Text
from bo.core.kernel.standard import edits
from bo.core.kernel.tx import Tx
from bo.core.referrers.numbers import bank_number, plain_number
from bo.core.referrers.records import (
    AccountKind,
    AccountNumber,
    Language,
    PayeeAccount,
    Referrer,
    ReferrerKind,
    TaxTreatment,
)

edit = edits(Referrer, needs="referrers.edit", without=("active", "blocked_reason", "store", "tax", "tax_rate"))


class AlreadySo(Refused):
    """What is asked for is the case already."""

    code = "already_so"


class StoreHasPayee(Refused):
    """A second payee of one store."""

    code = "store_has_payee"


class AccountExists(Refused):
    """A second active account of one referrer in one currency."""

    code = "account_exists"


class WrongTax(Refused):
    """A tax treatment and a rate that do not go together."""

    code = "wrong_tax"


class AccountRetired(Refused):
    """An account that is not in use any more."""

    code = "account_retired"


@command(needs="referrers.register")
def register(
    tx: Tx,
    *,
    code: Annotated[Text, Field(aliases=("推荐人编号", "referrer code"))],
    name: PersonName = "",
    kind: ReferrerKind = "other",
    phone: Phone | None = None,
    email: Email | None = None,
    company: Text = "",
    store: Annotated[str, RefKind("stores"), Field(help="the store that is paid its share through this one")]
    | None = None,
    language: Language | None = None,
    note: Note = "",
    extra: Facts | None = None,
) -> Referrer:
    """Register somebody who reports leads and is rewarded for it, or the payee of a store's share.

    Raises:
        StoreHasPayee: the store is paid through another one.
    """
    if store is not None:
        _require_no_payee(tx, store)
    made = Referrer(code=code, name=name, kind="store" if store else kind, phone=phone, email=email, company=company)
    made.note, made.store, made.language, made.extra = note, store, language, extra or {}
    return tx.add(made)


def _require_no_payee(tx: Tx, store: str) -> None:
    known = tx.find(Referrer, store=store)
    if known is not None:
        raise StoreHasPayee(
            "the store is paid through {code} already", hint="See bo referrers show {code}.", code=known.code
        )


@command(needs="referrers.block", confirm="many")
def block(tx: Tx, referrer: Referrer, *, reason: Text) -> None:
    """Block a referrer: what was earned waits, and is not paid.

    Raises:
        AlreadySo: the referrer is blocked already.
    """
    if not referrer.active:
        raise AlreadySo("{code} is blocked already: {reason}", code=referrer.code, reason=referrer.blocked_reason)
    referrer.active, referrer.blocked_reason = False, reason


@command(needs="referrers.block")
def unblock(tx: Tx, referrer: Referrer) -> None:
    """Let a blocked referrer be paid again."""
    referrer.active, referrer.blocked_reason = True, ""


@command(needs="payee_accounts.edit", confirm="many")
def set_tax(
    tx: Tx,
    referrer: Referrer,
    *,
    tax: TaxTreatment,
    rate: Annotated[Rate, Field(help="for a flat rate, such as 5%")] = 0,
) -> None:
    """Say what is withheld for the tax office of what a referrer is paid. Settlements made from now on go by it.

    Raises:
        WrongTax: a flat rate without a rate, one of more than all, or a rate that another treatment has itself.
    """
    if (tax == "flat") != (rate > 0) or rate > 10_000:
        raise WrongTax(
            "the treatment {tax} does not go with a rate of {rate}",
            hint="A flat rate is above 0 and at most 100%: bo referrers set-tax CODE --tax flat --rate 5%.",
            tax=tax,
            rate=f"{rate / 100:.2f}%",
        )
    referrer.tax, referrer.tax_rate = tax, rate


@command(needs="payee_accounts.edit")
def add(
    tx: Tx,
    *,
    referrer: Referrer,
    holder: PersonName,
    number: AccountNumber,
    kind: AccountKind = "bank",
    bank: Text = "",
    bank_code: Text = "",
    currency: Currency | None = None,
) -> PayeeAccount:
    """Add the account a referrer is paid to; one in each currency.

    Raises:
        AccountExists: there is one; change or retire it.
        BadValue: an IBAN or a card number with a wrong digit.
    """
    wanted = currency or tx.context.currency
    for other in tx.find_all(PayeeAccount, referrer=referrer.id):
        if other.active and other.currency == wanted:
            raise AccountExists(
                "{code} has an account in {currency} already", hint="Change or retire it: bo payee-accounts list.",
                code=referrer.code, currency=wanted,
            )  # fmt: skip
    account = PayeeAccount(
        referrer=referrer.id,
        kind=kind,
        holder=holder,
        number=_number(kind, number),
        bank=bank,
        bank_code=bank_code,
        currency=wanted,
        changed_at=tx.now,
        changed_by=tx.actor.id,
    )
    return tx.add(account)


@command(needs="payee_accounts.edit", confirm="always")
def change(
    tx: Tx,
    account: PayeeAccount,
    *,
    holder: PersonName | None = None,
    number: AccountNumber | None = None,
    kind: AccountKind | None = None,
    bank: Text | None = None,
    bank_code: Text | None = None,
) -> None:
    """Change where a referrer is paid to. Nothing is paid to a changed account for seven days.

    Raises:
        AccountRetired: the account is not in use any more.
        BadValue: an IBAN or a card number with a wrong digit.
    """
    if not account.active:
        raise AccountRetired("this account is retired", hint="Add a new one: bo payee-accounts add.")
    before = (account.holder, account.number, account.kind, account.bank, account.bank_code)
    account.holder = account.holder if holder is None else holder
    account.kind = account.kind if kind is None else kind
    account.number = account.number if number is None else _number(account.kind, number)
    account.bank = account.bank if bank is None else bank
    account.bank_code = account.bank_code if bank_code is None else bank_code
    if before != (account.holder, account.number, account.kind, account.bank, account.bank_code):
        account.changed_at, account.changed_by = tx.now, tx.actor.id


@command(needs="payee_accounts.edit", confirm="many")
def retire(tx: Tx, account: PayeeAccount) -> None:
    """Take an account out of use."""
    if account.active:
        account.active, account.changed_at, account.changed_by = False, tx.now, tx.actor.id


def _number(kind: str, number: str) -> str:
    return bank_number(number) if kind == "bank" else plain_number(number)
