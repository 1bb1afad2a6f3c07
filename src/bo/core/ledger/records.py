"""Entries and their postings, the accounts, the periods of the books, and the balances that are kept up."""

from typing import Annotated, Final

from bo.core.kernel.errors import BadValue, Refused
from bo.core.kernel.kinds import Amount, ChoiceKind, Context, Count, Currency, Day, Field, Kind, RefKind, Text
from bo.core.kernel.record import Record, record

ASSET, LIABILITY, EQUITY, INCOME, EXPENSE = "asset", "liability", "equity", "income", "expense"
ACCOUNT_TYPES: Final = {
    "reward_expense": EXPENSE,
    "reward_payable": LIABILITY,  # party: the payee
    "clearing": ASSET,  # money that has left one place and not reached the next
    "bank": ASSET,  # party: the bank account
    "fees": EXPENSE,
    "tax_withheld": LIABILITY,  # party: the payee
    "write_off": EXPENSE,
    "sales": INCOME,
    "receivable": ASSET,
    "store_credit": LIABILITY,
    "suspense": LIABILITY,  # bank money that nobody has explained yet
    "channel": ASSET,  # party: the payment channel that still holds it
    "other_income": INCOME,
    "opening": EQUITY,
    "fx_difference": EXPENSE,
}
ACCOUNTS: Final = tuple(ACCOUNT_TYPES)
# Each posting on these belongs to a record of another module; by hand only those post there who may adjust the ledger.
OWNED: Final = frozenset(
    ("reward_expense", "reward_payable", "clearing", "bank", "tax_withheld", "sales", "receivable", "store_credit",
     "channel")
)  # fmt: skip
LABELS: Final = {
    "clearing": "money under way",
    "suspense": "bank money not explained yet",
    "channel": "held by payment channels",
    "opening": "opening balances",
    "fx_difference": "exchange differences",
}
ACCOUNT: Final = ChoiceKind(*ACCOUNTS, labels=tuple(LABELS.get(name, name.replace("_", " ")) for name in ACCOUNTS))
AccountName = Annotated[str, ACCOUNT]

POSTED, PENDING, VOID = "posted", "pending", "void"
Phase = Annotated[str, ChoiceKind(POSTED, PENDING, VOID)]

OPEN, CLOSED = "open", "closed"


class LegAmountKind(Kind):
    """Money whose currency stands beside it in the row: text in major units is kept until that is known."""

    name = "amount"
    column = "integer"

    def decode(self, value: object, context: Context) -> int | str:
        if type(value) is int or isinstance(value, str):
            return value
        raise BadValue("{value} is not an amount", hint="Write it as text, like 12.50.", value=str(value)[:40])


class EmptyPosting(Refused):
    """A posting of nothing."""

    code = "empty_posting"


@record(
    "entries",
    prefix="entry",
    append_only=True,
    columns=("number", "day", "phase", "text", "source", "fact_day", "reverses"),
)
class Entry(Record, kw_only=True):
    """One money fact. `source` names what caused it, and is unique.

    A pending entry reserves and moves nothing; another entry `resolves` it, once: a posted one with what came of it, or
    a void one without legs.
    """

    number: Annotated[Count, Field(lookup=True, unique=True)]
    day: Annotated[Day, Field(index=True)]
    text: Annotated[Text, Field(search=True)]
    source: Annotated[Text, Field(lookup=True, unique=True)]
    reverses: Annotated[str, RefKind("entries"), Field(lookup=True, unique=True)] | None = None
    phase: Annotated[Phase, Field(index=True)] = POSTED
    resolves: Annotated[str, RefKind("entries"), Field(lookup=True, unique=True)] | None = None
    fact_day: (
        Annotated[Day, Field(label="late for", help="the day of the fact, where its period was closed")] | None
    ) = None

    def held_by(self) -> str:
        return "hq"


@record("postings", prefix="post", append_only=True, columns=("entry", "account", "party", "amount", "currency"))
class Posting(Record, kw_only=True):
    """One leg of an entry: debits are positive, credits negative, in minor units."""

    entry: Annotated[str, RefKind("entries"), Field(lookup=True)]
    account: Annotated[AccountName, Field(index=True)]
    party: Annotated[Text, Field(index=True)] = ""
    amount: Amount
    currency: Currency

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if self.amount == 0:
            raise EmptyPosting("a posting of nothing says nothing")


@record(
    "ledger_balances",
    prefix="bal",
    columns=("month", "account", "party", "debit", "credit", "reserved", "currency", "postings"),
)
class LedgerBalance(Record, kw_only=True):
    """What the entries of one month have moved on an account for a party, kept up by whatever posts.

    An ordinary record, so that replay, sync and both databases need nothing of their own for it; its id is derived from
    what it is the balance of.
    """

    account: AccountName
    party: Text = ""
    currency: Currency
    month: Annotated[Text, Field(index=True, help="such as 2026-11")]
    debit: Amount = 0
    credit: Amount = 0
    reserved: Annotated[Amount, Field(help="of pending entries that are not resolved; debits above zero")] = 0
    postings: Count = 0

    def held_by(self) -> str:
        return "hq"


@record(
    "periods",
    prefix="per",
    append_only=True,
    columns=("number", "label", "state", "opens", "done_by", "created_at", "last_number", "note"),
)
class LedgerPeriod(Record, kw_only=True):
    """That a month of the books was closed, or opened again. The newest says which day is the first that is open.

    Final, so that nobody opens a month by an undo, which asks for no right of its own.
    """

    number: Annotated[Count, Field(lookup=True, unique=True)]
    label: Annotated[Text, Field(lookup=True, label="month of the books", help="such as 2026-11")]
    state: Annotated[str, ChoiceKind(OPEN, CLOSED, labels=("opened again", "closed month"))]
    opens: Annotated[Day, Field(label="first open day")]
    done_by: Text = ""
    last_number: Annotated[Count, Field(label="last entry", help="the newest entry at that time")] = 0
    note: Text = ""

    def held_by(self) -> str:
        return "hq"
