"""Entries and their postings."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import Amount, ChoiceKind, Count, Currency, Day, Field, RefKind, Text
from bo.core.kernel.record import Record, record

ACCOUNTS = ("reward_expense", "reward_payable", "clearing", "bank", "fees", "tax_withheld", "write_off")
AccountName = Annotated[str, ChoiceKind(*ACCOUNTS)]


class EmptyPosting(Refused):
    """A posting of nothing."""

    code = "empty_posting"


@record("entries", prefix="entry", append_only=True, columns=("number", "day", "text", "source", "reverses"))
class Entry(Record, kw_only=True):
    """One money fact. `source` names what caused it, and is unique."""

    number: Annotated[Count, Field(lookup=True, unique=True)]
    day: Annotated[Day, Field(index=True)]
    text: Annotated[Text, Field(search=True)]
    source: Annotated[Text, Field(lookup=True, unique=True)]
    reverses: Annotated[str, RefKind("entries"), Field(lookup=True, unique=True)] | None = None

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
