"""ISO 20022 credit transfers: pain.001.001.03 and pain.001.001.09, for any currency and any account number.

The libraries that write these files know SEPA alone (IBAN and euro); ours has cards in CNY too, and is this page.
Payments in euro between IBANs are SEPA ones and take its small set of characters; others take what UTF-8 has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Final
from unicodedata import normalize
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bo.core.kernel.amounts import format_amount
from bo.core.kernel.kinds import moment_text
from bo.core.referrers.numbers import is_bic, is_iban
from bo.core.settlement.records import Payout, Settlement
from bo.core.settlement.refusals import CannotBeWritten
from bo.core.settlement.rules import END_TO_END_LONGEST

VERSIONS: Final = ("pain.001.001.03", "pain.001.001.09")
NAME_LONGEST: Final = 140
SEPA_NAME_LONGEST: Final = 70
ACCOUNT_LONGEST: Final = 34
OUTSIDE_SEPA: Final = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
OUTSIDE_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CNAPS: Final = re.compile(r"[0-9]{12}")
WORN: Final = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
                             "Đ": "D", "þ": "th", "Þ": "TH", "œ": "oe", "Œ": "OE", "&": "+", "’": "'", "–": "-",
                             "_": "-", "·": "."})  # fmt: skip


def credit_transfers(
    version: str, settlement: Settlement, payouts: Sequence[Payout], *, payer: str, account: str, bank_code: str,
    made_at: datetime, pay_on: date,
) -> bytes:  # fmt: skip
    """The payments of a settlement as one file with one payment instruction.

    Raises:
        CannotBeWritten: a name or an account that the file cannot have.
    """
    sepa = settlement.currency == "EUR" and is_iban(account) and all(is_iban(item.account) for item in payouts)
    writer = _Writer(version, sepa)
    total = format_amount(sum(item.amount for item in payouts), settlement.currency)
    root = Element("Document", xmlns=f"urn:iso:std:iso:20022:tech:xsd:{version}")
    body = SubElement(root, "CstmrCdtTrfInitn")
    head = SubElement(body, "GrpHdr")
    writer.texts(head, MsgId=_id(settlement), CreDtTm=moment_text(made_at), NbOfTxs=str(len(payouts)), CtrlSum=total)
    writer.name(SubElement(head, "InitgPty"), payer)
    group = SubElement(body, "PmtInf")
    writer.texts(group, PmtInfId=_id(settlement), PmtMtd="TRF", NbOfTxs=str(len(payouts)), CtrlSum=total)
    if sepa:
        writer.texts(SubElement(SubElement(group, "PmtTpInf"), "SvcLvl"), Cd="SEPA")
    writer.day(group, pay_on)
    writer.name(SubElement(group, "Dbtr"), payer)
    writer.account(SubElement(group, "DbtrAcct"), account, settlement.currency)
    writer.bank(SubElement(group, "DbtrAgt"), bank_code, "")
    writer.texts(group, ChrgBr="SLEV" if sepa else "SHAR")
    for item in payouts:
        writer.payment(SubElement(group, "CdtTrfTxInf"), item, settlement.number)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written + b"\n"


class _Writer:
    """Writes the parts that differ between the versions, or between SEPA and the rest."""

    def __init__(self, version: str, sepa: bool) -> None:
        self.newer, self.sepa = version.endswith(".09"), sepa

    def payment(self, parent: Element, item: Payout, number: str) -> None:
        try:
            self.texts(SubElement(parent, "PmtId"), InstrId=item.reference, EndToEndId=item.reference)
            amount = SubElement(SubElement(parent, "Amt"), "InstdAmt", Ccy=item.currency)
            amount.text = format_amount(item.amount, item.currency)
            if item.bank_code or item.bank:
                self.bank(SubElement(parent, "CdtrAgt"), item.bank_code, item.bank)
            self.name(SubElement(parent, "Cdtr"), item.holder)
            self.account(SubElement(parent, "CdtrAcct"), item.account, "")
            self.texts(SubElement(parent, "RmtInf"), Ustrd=number)
        except CannotBeWritten as error:
            error.facts["payee"] = item.payee_code
            raise

    def texts(self, parent: Element, **texts: str) -> None:
        for name, text in texts.items():
            SubElement(parent, name).text = text

    def name(self, parent: Element, name: str) -> None:
        self.texts(parent, Nm=sepa_text(name)[:SEPA_NAME_LONGEST] if self.sepa else _plain(name)[:NAME_LONGEST])

    def day(self, parent: Element, day: date) -> None:
        made = SubElement(parent, "ReqdExctnDt")
        if self.newer:
            made = SubElement(made, "Dt")
        made.text = day.isoformat()

    def account(self, parent: Element, number: str, currency: str) -> None:
        within = SubElement(parent, "Id")
        if is_iban(number):
            self.texts(within, IBAN=number)
        else:
            if len(number) > ACCOUNT_LONGEST:
                raise CannotBeWritten("{payee}: the account {text} is too long", hint=MEND, payee="", text=number)
            self.texts(SubElement(within, "Othr"), Id=_plain(number))
        if currency:
            self.texts(parent, Ccy=currency)

    def bank(self, parent: Element, code: str, name: str) -> None:
        """The bank by its BIC, by its number in China's clearing, or by its name; one that nobody knows says so."""
        within = SubElement(parent, "FinInstnId")
        if is_bic(code):
            self.texts(within, **{"BICFI" if self.newer else "BIC": code})
        elif code:
            member = SubElement(within, "ClrSysMmbId")
            if CNAPS.fullmatch(code):
                self.texts(SubElement(member, "ClrSysId"), Prtry="CNAPS")
            self.texts(member, MmbId=_plain(code)[:END_TO_END_LONGEST])
        elif not name:
            self.texts(SubElement(within, "Othr"), Id="NOTPROVIDED")
        if name and not self.sepa:
            self.texts(within, Nm=_plain(name)[:NAME_LONGEST])


MEND: Final = "Change the payee's account: bo payee-accounts change."


def sepa_text(text: str) -> str:
    """A name in the characters that every SEPA bank takes: accents go, ligatures are written out.

    Raises:
        CannotBeWritten: it has characters that no Latin letter stands for.
    """
    plain = "".join(mark for mark in normalize("NFKD", text.translate(WORN)) if not "\u0300" <= mark <= "\u036f")
    if found := OUTSIDE_SEPA.search(plain):
        raise CannotBeWritten(
            "{payee}: {text} cannot be written in the letters of SEPA",
            hint="Write the holder in Latin letters, as the bank has it: bo payee-accounts change.",
            payee=text,
            text=found[0],
        )
    return " ".join(plain.split()).lstrip("/")


def _plain(text: str) -> str:
    return OUTSIDE_XML.sub("", text)


def _id(settlement: Settlement) -> str:
    """The number of the settlement; where that is too long for a bank, its beginning and a hash of the whole."""
    if len(settlement.number) <= END_TO_END_LONGEST:
        return settlement.number
    digest = blake2b(settlement.number.encode(), digest_size=5).hexdigest()
    return f"{settlement.number[:24]}-{digest}"
