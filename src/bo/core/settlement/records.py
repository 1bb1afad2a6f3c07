"""Settlements, and the payouts in them: one for each payee and currency."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Day,
    Field,
    Moment,
    Note,
    PersonName,
    RefKind,
    Tags,
    Text,
)
from bo.core.kernel.record import Record, State, record

DRAFT, SUBMITTED, APPROVED, EXPORTED = State("draft"), State("submitted"), State("approved"), State("exported")
PAID, PART_PAID, CLOSED, CANCELLED = State("paid"), State("part_paid"), State("closed"), State("cancelled")
SETTLEMENT_STATES = (DRAFT, SUBMITTED, APPROVED, EXPORTED, PART_PAID, PAID, CLOSED, CANCELLED)
SettlementState = Annotated[str, ChoiceKind(*SETTLEMENT_STATES)]

PLANNED, HELD, SENT, FAILED = State("planned"), State("held"), State("sent"), State("failed")
PAYOUT_STATES = (PLANNED, HELD, SENT, PAID, FAILED, CANCELLED)
PayoutState = Annotated[str, ChoiceKind(*PAYOUT_STATES)]


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
    total: Amount = 0
    lines: Count = 0
    payees: Count = 0
    content_hash: Annotated[Text, Field(internal=True)] = ""
    created_by: Text = ""
    editors: Annotated[Tags, Field(internal=True)] = ()
    submitted_by: Text = ""
    approved_by: Text = ""
    approved_hash: Annotated[Text, Field(internal=True)] = ""
    approved_at: Moment | None = None
    file_name: Text = ""
    file_hash: Text = ""
    exported_at: Moment | None = None
    note: Note = ""

    def held_by(self) -> str:
        return "hq"


@record(
    "payouts",
    prefix="pay",
    key=("reference",),
    states=PAYOUT_STATES,
    columns=("reference", "settlement", "referrer", "state", "amount", "currency", "holder", "account", "reason"),
)
class Payout(Record, kw_only=True):
    """What one payee gets in one settlement. `reference` goes to the bank, so that the statement matches exactly."""

    reference: Annotated[Text, Field(lookup=True, unique=True)]
    settlement: Annotated[str, RefKind("settlements"), Field(lookup=True)]
    referrer: Annotated[str, RefKind("referrers"), Field(lookup=True)]
    state: PayoutState = PLANNED
    amount: Amount
    currency: Currency
    earned: Amount = 0
    clawed_back: Amount = 0
    adjusted: Amount = 0
    carried: Annotated[Amount, Field(help="brought in from earlier periods; below zero a debt")] = 0
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

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if self.amount != self.carried + self.earned - self.clawed_back + self.adjusted:
            raise WrongPayout("payout {reference} is not the sum of its parts", reference=self.reference)
        if self.amount <= 0 and self.state not in (HELD, CANCELLED):
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

    def held_by(self) -> str:
        return "hq"
