"""A bundle: for each payee of a settlement the statement as PDF and CSV, and a draft of the mail that brings it.

Nothing is sent. The same settlement gives the same bytes each time; each payee is written to in their own language.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b
from typing import Final, NamedTuple

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.reader import Reader
from bo.core.kernel.text import _, speaking, visible
from bo.core.referrers.records import Referrer
from bo.core.settlement.documents import Statement, statement_csv, statement_pdf
from bo.core.settlement.queries import all_told, language_of, told
from bo.core.settlement.records import Settlement

PAYEES_AT_ONCE: Final = 10_000
OUTSIDE_NAMES: Final = '<>:"/\\|?*'


class Parcel(NamedTuple):
    """One file of a bundle: the payee's folder, its name and its bytes."""

    folder: str
    name: str
    content: bytes


def parcels(read: Reader, settlement: Settlement) -> Iterator[Parcel]:
    """The files for each payee, in the order of their codes. Raises NotAllowed without `settlements.read`."""
    read.require("settlements.read")
    made_at = settlement.approved_at or settlement.created_at
    payees = {item.id: item for item in _referrers(read)}
    for payout, lines in all_told(read, settlement):
        payee = payees[payout.referrer]
        with speaking(language_of(payee, read.context.region)):
            found = told(settlement, payout, lines, read.context.zone)
            papers = ((f"{found.number}.pdf", statement_pdf(found)), (f"{found.number}.csv", statement_csv(found)))
            folder = _folder(payout.payee_code)
            yield from (Parcel(folder, name, content) for name, content in papers)
            yield Parcel(folder, f"{found.number}.eml", _draft(found, payee, papers, made_at))


def _referrers(read: Reader) -> Iterator[Referrer]:
    after: str | None = None
    while True:
        info = read.info("referrers")
        page = read.page("referrers", fields=info.field_names, limit=PAYEES_AT_ONCE, after=after)
        yield from (item for row in page.rows if isinstance(item := info.load(row), Referrer))
        after = page.after
        if after is None:
            return


def _folder(code: str) -> str:
    """A payee's code as the name of a folder, on every system."""
    plain = "".join("_" if mark in OUTSIDE_NAMES else mark for mark in visible(code)).strip(" .")
    return plain or "_"


def _draft(found: Statement, payee: Referrer, papers: tuple[tuple[str, bytes], ...], made_at: datetime) -> bytes:
    """A mail that a mail program opens to be sent: nothing in it says who sends it."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = _("Statement {number}", number=found.number)
    if payee.email:
        mail["To"] = payee.email
    mail["Date"] = format_datetime(made_at)
    mail["X-Unsent"] = "1"
    mail.set_content(_letter(found), cte="base64")
    for name, content in papers:
        kind = ("application", "pdf") if name.endswith(".pdf") else ("text", "csv")
        mail.add_attachment(content, maintype=kind[0], subtype=kind[1], filename=name)
    mail.set_boundary(blake2b(found.number.encode(), digest_size=16).hexdigest())
    return mail.as_bytes()


def _letter(found: Statement) -> str:
    amount = f"{format_amount(found.paid or found.closing, found.currency)} {found.currency}"
    if found.held:
        said = _("Nothing is paid for this period: {reason}. What is due stays due.", reason=_(found.held))
    elif found.paid_on:
        said = _("We have paid you {amount} on {day}.", amount=amount, day=found.paid_on.isoformat())
    else:
        said = _("We are going to pay you {amount}.", amount=amount)
    greeting = _("Dear {name},", name=found.holder or found.payee)
    enclosed = _("The statement {number} is enclosed, as PDF and as a table.", number=found.number)
    return f"{greeting}\n\n{said}\n{enclosed}\n"
