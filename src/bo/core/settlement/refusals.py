"""What settlement refuses, each with a code that does not change."""

from __future__ import annotations

from bo.core.kernel.errors import Refused
from bo.core.rewards.disputing import LineDisputed as LineDisputed


class PeriodSettled(Refused):
    """A period that has a settlement which is submitted or further."""

    code = "period_settled"


class NothingDue(Refused):
    """A period in which nobody is owed anything that could be paid."""

    code = "nothing_due"


class NotInSettlement(Refused):
    """A line of another settlement, or of none."""

    code = "not_in_settlement"


class LineNotDue(Refused):
    """A line that this settlement cannot take."""

    code = "line_not_due"


class PayoutHeld(Refused):
    """A payee who cannot be paid now."""

    code = "payout_held"


class ContentChanged(Refused):
    """The settlement is not what was shown to the approver."""

    code = "content_changed"


class NotAPerson(Refused):
    """A decision that only a person may take."""

    code = "not_a_person"


class OtherFile(Refused):
    """A file that is not the payout file of this settlement."""

    code = "other_file"


class NoPayingAccount(Refused):
    """A payout file without the account of ours that pays it."""

    code = "no_paying_account"


class CannotBeWritten(Refused):
    """A name or an account that a payout file cannot have."""

    code = "cannot_be_written"


class PaymentsOpen(Refused):
    """A settlement with payments of which nobody knows how they went."""

    code = "payments_open"


class NotYet(Refused):
    """A payment in the future."""

    code = "not_yet"


class NoStatement(Refused):
    """A payee of whom the settlement says nothing, or nothing any more."""

    code = "no_statement"


class NotApproved(Refused):
    """A payout file of what nobody has approved."""

    code = "not_approved"


class SettlementClosed(Refused):
    """A closed settlement, whose payments are not taken back any more."""

    code = "settlement_closed"
