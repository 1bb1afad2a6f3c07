"""Settlements, the payouts in them (one for each payee), their payment files, and our own accounts that pay."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Day,
    Facts,
    Field,
    Flag,
    Moment,
    Note,
    PersonName,
    RefKind,
    Tags,
    Text,
    TextKind,
)
from bo.core.kernel.record import Record, State, record

DRAFT, SUBMITTED, APPROVED, EXPORTED = State("draft"), State("submitted"), State("approved"), State("exported")
PAID, PART_PAID, CLOSED, CANCELLED = State("paid"), State("part_paid"), State("closed"), State("cancelled")
SETTLEMENT_STATES = (DRAFT, SUBMITTED, APPROVED, EXPORTED, PART_PAID, PAID, CLOSED, CANCELLED)
SettlementState = Annotated[str, ChoiceKind(*SETTLEMENT_STATES)]

PLANNED, HELD, SENT, FAILED = State("planned"), State("held"), State("sent"), State("failed")
RETURNED = State("returned")
PAYOUT_STATES = (PLANNED, HELD, SENT, PAID, FAILED, RETURNED, CANCELLED)
UNPAID = (HELD, CANCELLED)  # nothing is paid by these, and no file has them
PayoutState = Annotated[str, ChoiceKind(*PAYOUT_STATES)]
OwnNumber = Annotated[str, TextKind(64)]


class WrongPayout(Refused):
    """A payout that does not add up, or pays nothing."""

    code = "wrong_payout"


@record(
    "settlements",
    prefix="setl",
    key=("number",),
    states=SETTLEMENT_STATES,
    columns=(
        "number",
        "state",
        "period_from",
        "period_until",
        "currency",
        "total",
        "tax",
        "lines",
        "payees",
        "created_by",
        "approved_by",
    ),
)
class Settlement(Record, kw_only=True):
    """What is paid for a period in one currency. Approval binds `content_hash`; any edit makes it a draft again."""

    number: Annotated[Text, Field(lookup=True, unique=True)]
    state: SettlementState = DRAFT
    period_from: Annotated[Day, Field(index=True)]
    period_until: Annotated[Day, Field(help="the first day that no longer belongs to it")]
    currency: Currency
    total: Annotated[Amount, Field(help="the sum of its lines")] = 0
    tax: Annotated[Amount, Field(label="tax withheld")] = 0
    lines: Count = 0
    payees: Count = 0
    content_hash: Annotated[Text, Field(internal=True)] = ""
    created_by: Text = ""
    editors: Annotated[Tags, Field(internal=True)] = ()
    submitted_by: Text = ""
    approvers: Annotated[Tags, Field(internal=True, help="who has approved what it is now")] = ()
    approved_by: Text = ""
    approved_hash: Annotated[Text, Field(internal=True)] = ""
    approved_at: Moment | None = None
    file_name: Text = ""
    file_hash: Text = ""
    exported_at: Moment | None = None
    payments_open: Annotated[Count, Field(help="sent to the bank, and not known how they went")] = 0
    payments_paid: Count = 0
    payments_lost: Annotated[Count, Field(help="failed, or returned by the bank")] = 0
    note: Note = ""

    def held_by(self) -> str:
        return "hq"


@record(
    "payouts",
    prefix="pay",
    key=("reference",),
    states=PAYOUT_STATES,
    columns=(
        "reference",
        "settlement",
        "referrer",
        "state",
        "amount",
        "tax",
        "currency",
        "holder",
        "account",
        "reason",
    ),
)
class Payout(Record, kw_only=True):
    """What one payee gets in one settlement. `reference` goes to the bank, so that the statement matches exactly."""

    reference: Annotated[Text, Field(lookup=True, unique=True)]
    settlement: Annotated[str, RefKind("settlements"), Field(lookup=True)]
    referrer: Annotated[str, RefKind("referrers"), Field(lookup=True)]
    once: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None  # settlement, payee, currency
    state: PayoutState = PLANNED
    amount: Annotated[Amount, Field(help="what the bank pays: what is due without the tax")]
    currency: Currency
    earned: Amount = 0
    clawed_back: Amount = 0
    adjusted: Amount = 0
    carried: Annotated[Amount, Field(help="brought in from earlier periods; below zero a debt")] = 0
    tax: Annotated[Amount, Field(label="tax withheld")] = 0
    tax_month: Annotated[Text, Field(internal=True, help="the month whose payments are taxed together")] = ""
    tax_words: Annotated[Text, Field(internal=True, help="the arithmetic of the tax; a text to be translated")] = ""
    tax_facts: Annotated[Facts, Field(internal=True)] = {}
    lines: Count = 0
    account_id: Annotated[str, RefKind("payee_accounts")] | None = None
    payee_code: Text = ""
    holder: PersonName = ""
    account_kind: Text = ""
    account: Annotated[PersonName, Field(help="where it is paid to, frozen at approval")] = ""
    bank: Text = ""
    bank_code: Text = ""
    reason: Annotated[Text, Field(help="why it is held or failed")] = ""
    paid_on: Day | None = None
    approvals: Annotated[Count, Field(internal=True, help="how often it was owed again after it came back")] = 0
    sendings: Annotated[Count, Field(internal=True, help="how often its payment was taken back")] = 0

    def held_by(self) -> str:
        return "hq"

    @property
    def gross(self) -> int:
        """The sum of its lines, before tax, in minor units."""
        return self.amount + self.tax

    def check(self) -> None:
        if self.gross != self.carried + self.earned - self.clawed_back + self.adjusted or self.tax < 0:
            raise WrongPayout("payout {reference} is not the sum of its parts", reference=self.reference)
        if self.amount <= 0 and self.state not in UNPAID:
            raise WrongPayout("payout {reference} would pay {amount}", reference=self.reference, amount=self.amount)


@record(
    "payment_files",
    prefix="file",
    append_only=True,
    columns=("settlement", "file_name", "payments", "total", "currency", "exported_by", "file_hash"),
)
class PaymentFile(Record, kw_only=True):
    """That a settlement's payout file has left the office. Final: what a bank may have received cannot be undone."""

    settlement: Annotated[str, RefKind("settlements"), Field(lookup=True, unique=True)]
    file_name: Text
    file_hash: Annotated[Text, Field(lookup=True)]
    payments: Count
    total: Amount
    currency: Currency
    exported_by: Text
    layout: Text = "csv"
    template: Annotated[Note, Field(internal=True, help="the columns of a file that is a table, as TOML")] = ""
    pay_on: Annotated[Day, Field(help="the day on which the bank is to pay")] | None = None
    bank_account: Annotated[str, RefKind("bank_accounts"), Field(label="paying account")] | None = None
    payer: PersonName = ""
    payer_account: Annotated[OwnNumber, Field(internal=True)] = ""
    payer_bank_code: Annotated[Text, Field(internal=True)] = ""

    def held_by(self) -> str:
        return "hq"


AccountSort = Annotated[str, ChoiceKind("bank", "channel", labels=("bank", "payment channel"))]


@record(
    "bank_accounts",
    prefix="bank",
    key=("code",),
    create="bank_accounts.add",
    edit="bank_accounts.edit",
    columns=("code", "holder", "number", "bic", "bank", "currency", "active"),
)
class BankAccount(Record, kw_only=True):
    """An account of ours at a bank: payments leave it, and its statements come in. Its code is the ledger's party."""

    code: Annotated[Text, Field(lookup=True, unique=True, help="a short name, such as CMB or MAIN")]
    holder: Annotated[PersonName, Field(help="as the bank has it")]
    number: Annotated[OwnNumber, Field(lookup=True, aliases=("IBAN", "账号"))]
    bic: Annotated[Text, Field(help="BIC, or the bank's number in its clearing system", aliases=("BIC", "联行号"))] = ""
    bank: Annotated[Text, Field(aliases=("开户行",))] = ""
    kind: Annotated[AccountSort, Field(label="kind of account")] = "bank"
    currency: Currency
    active: Flag = True

    def held_by(self) -> str:
        return "hq"
