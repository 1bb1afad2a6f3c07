"""Bank statements, their lines, and what each line was matched with."""

from typing import Annotated, Final

from bo.core.banking.statement import LINE_KINDS
from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Day,
    Field,
    Flag,
    Note,
    PersonName,
    RefKind,
    Text,
    TextKind,
)
from bo.core.kernel.record import Record, State, record
from bo.core.ledger.records import AccountName

TAKEN, WITHDRAWN = State("taken"), State("withdrawn")
STATEMENT_STATES: Final = (TAKEN, WITHDRAWN)
StatementState = Annotated[str, ChoiceKind(*STATEMENT_STATES, labels=("taken in", "withdrawn"))]

OPEN, PART_MATCHED, MATCHED, IGNORED = State("open"), State("part_matched"), State("matched"), State("ignored")
LINE_STATES: Final = (OPEN, PART_MATCHED, MATCHED, IGNORED)
LineState = Annotated[
    str, ChoiceKind(*LINE_STATES, labels=("not matched yet", "matched in part", "matched", "set aside"))
]
LINE_KIND: Final = ChoiceKind(
    *LINE_KINDS,
    labels=("payment", "fee", "refund", "chargeback", "payout of a channel", "reserve", "conversion", "transfer",
            "interest", "returned payment", "adjustment"),
)  # fmt: skip
LineKind = Annotated[str, LINE_KIND]
LineNote = Annotated[
    str,
    ChoiceKind("", "over", "again", "currency",
               labels=("nothing", "more than was open", "what it names is settled", "in another currency")),
]  # fmt: skip
MATCH_KINDS: Final = ("payout", "payment", "refund", "entry", "fee", "write_off", "transfer", "booking")
MatchKind = Annotated[
    str,
    ChoiceKind(*MATCH_KINDS, labels=("payout", "payment", "refund", "ledger entry", "fee", "write-off", "transfer",
                                     "account of the ledger")),
]  # fmt: skip
Purpose = Annotated[str, TextKind(4_000, lines=True)]


class OverMatched(Refused):
    """A line of which more would be explained than it is."""

    code = "over_matched"


@record(
    "bank_statements",
    prefix="stmt",
    key=("reference",),
    states=STATEMENT_STATES,
    columns=(
        "reference", "account", "state", "from_day", "until_day", "currency", "opening", "closing", "lines", "known",
        "gap", "format", "file_name",
    ),
)  # fmt: skip
class BankStatement(Record, kw_only=True):
    """What a bank or channel told of one account for a while. Its facts are final; `gap` is what lies between the
    balance before and this one, and goes away when the statement between comes in."""

    reference: Annotated[Text, Field(label="statement", lookup=True, unique=True)]
    account: Annotated[str, RefKind("bank_accounts"), Field(label="bank account", lookup=True)]
    state: StatementState = TAKEN
    number: Annotated[Text, Field(label="number at the bank", search=True)] = ""
    from_day: Annotated[Day, Field(label="from")] | None = None
    until_day: Annotated[Day, Field(label="until", index=True, help="the last day it covers")] | None = None
    currency: Currency
    opening: Annotated[Amount, Field(label="opening balance")] | None = None
    closing: Annotated[Amount, Field(label="closing balance")] | None = None
    entries: Annotated[Count, Field(label="entries in the file")] = 0
    lines: Annotated[Count, Field(label="new lines")] = 0
    known: Annotated[Count, Field(label="lines known before")] = 0
    total: Annotated[Amount, Field(label="sum of the new lines")] = 0
    gap: Annotated[Amount, Field(help="what is missing since the statement before; blank: not known")] | None = None
    format: Text = ""
    file_name: Text = ""
    file_hash: Annotated[Text, Field(lookup=True)] = ""
    opening_entry: Annotated[str, RefKind("entries"), Field(internal=True)] | None = None
    once: Annotated[Text, Field(internal=True, lookup=True, unique=True)] | None = None

    def held_by(self) -> str:
        return "hq"


@record(
    "bank_lines",
    prefix="bln",
    states=LINE_STATES,
    columns=(
        "day", "account", "state", "amount", "currency", "matched", "kind", "counterparty", "reference",
        "end_to_end_id", "purpose", "note",
    ),
)  # fmt: skip
class BankLine(Record, kw_only=True):
    """One entry of a statement: above zero what came in, below what went out. `once` is what it is known by, so that
    no export of the bank brings it a second time."""

    statement: Annotated[str, RefKind("bank_statements"), Field(lookup=True)]
    account: Annotated[str, RefKind("bank_accounts"), Field(label="bank account", lookup=True)]
    position: Annotated[Count, Field(label="place in the statement")] = 0
    day: Annotated[Day, Field(index=True)]
    value_day: Annotated[Day, Field(label="value date")] | None = None
    state: LineState = OPEN
    amount: Amount
    currency: Currency
    matched: Annotated[Amount, Field(label="matched amount")] = 0
    fee: Annotated[
        Amount, Field(label="fee kept by the channel", help="above zero what it cost; amount is without it")
    ] = 0
    kind: LineKind = "payment"
    counterparty: Annotated[PersonName, Field(search=True)] = ""
    counterparty_account: Annotated[PersonName, Field(label="account of the counterparty", lookup=True)] = ""
    reference: Annotated[Text, Field(label="payment reference", search=True, lookup=True)] = ""
    end_to_end_id: Annotated[Text, Field(label="end-to-end id", search=True, lookup=True)] = ""
    bank_reference: Annotated[Text, Field(label="bank's reference", lookup=True)] = ""
    purpose: Annotated[Purpose, Field(search=True)] = ""
    balance: Annotated[Amount, Field(label="balance after")] | None = None
    reason: Annotated[Text, Field(label="why it is set aside")] = ""
    note: Annotated[LineNote, Field(label="what to look at")] = ""
    once: Annotated[Text, Field(internal=True, lookup=True, unique=True)]

    def held_by(self) -> str:
        return "hq"

    @property
    def left(self) -> int:
        """What is not matched yet, with the line's sign."""
        return self.amount - self.matched

    def check(self) -> None:
        if self.matched and (abs(self.matched) > abs(self.amount) or (self.matched > 0) != (self.amount > 0)):
            raise OverMatched(
                "{matched} of a bank line of {amount} cannot be matched", matched=self.matched, amount=self.amount
            )


@record(
    "bank_matches",
    prefix="match",
    columns=("line", "kind", "target", "amount", "currency", "how", "day", "matched_by", "reason"),
)
class BankMatch(Record, kw_only=True):
    """What a bank line, or a part of it, was for: `amount` of it, with its sign, was moved out of `suspense` to the
    account `ledger` of `party`. One entry may stand for many matches of a day; unmatching posts the mirror of its own.
    """

    line: Annotated[str, RefKind("bank_lines"), Field(label="bank line", lookup=True)]
    kind: Annotated[MatchKind, Field(label="matched with")]
    target: Annotated[Text, Field(label="id of what it was matched with", lookup=True)] = ""
    amount: Amount
    currency: Currency
    fee: Annotated[Amount, Field(label="fee kept by the channel")] = 0
    day: Day
    how: Annotated[Text, Field(label="matched by rule", help="id, reference, amount, kind or hand")] = ""
    matched_by: Text = ""
    reason: Note = ""
    ledger: Annotated[AccountName, Field(label="account of the ledger")]
    party: Annotated[Text, Field(internal=True)] = ""
    decided: Annotated[Flag, Field(internal=True, help="what it was matched with is paid because of it")] = False
    counterparty: Annotated[str, RefKind("counterparties"), Field(label="remembered counterparty")] | None = None
    entry: Annotated[str, RefKind("entries"), Field(label="ledger entry", lookup=True)] | None = None

    def held_by(self) -> str:
        return "hq"


@record(
    "counterparties",
    prefix="cpty",
    columns=("name", "account", "means", "words", "matches"),
)
class Counterparty(Record, kw_only=True):
    """What money of a counterparty was matched with before, by hand. Forgotten with the last of those matches."""

    key: Annotated[Text, Field(lookup=True, unique=True, internal=True)]
    name: PersonName = ""
    account: Annotated[PersonName, Field(label="account of the counterparty")] = ""
    means: Annotated[Text, Field(lookup=True, internal=True, help="whose it is: a referrer, a customer, an account")]
    words: Annotated[Text, Field(label="what it means")] = ""
    matches: Annotated[Count, Field(label="matches by hand")] = 0

    def held_by(self) -> str:
        return "hq"


@record(
    "reconciliations",
    prefix="rec",
    columns=("account", "until", "lines", "matched", "proposed", "left", "run_by", "created_at"),
)
class Reconciliation(Record, kw_only=True):
    """One automatic run: how many bank lines it looked at, and what became of them."""

    account: Annotated[str, RefKind("bank_accounts"), Field(label="bank account", help="blank: all of them")] | None = (
        None
    )
    since: Annotated[Day, Field(label="from")] | None = None
    until: Annotated[Day, Field(label="until")] | None = None
    lines: Annotated[Count, Field(label="bank lines looked at")] = 0
    matched: Annotated[Count, Field(label="bank lines matched")] = 0
    proposed: Annotated[Count, Field(label="bank lines to be decided", help="something fits, and nobody has asked")] = 0
    left: Annotated[Count, Field(label="bank lines that nothing fits")] = 0
    run_by: Text = ""

    def held_by(self) -> str:
        return "hq"
