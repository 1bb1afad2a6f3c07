"""ISO 20022 account messages: camt.053 (statement), camt.052 (report of the day) and camt.054 (advice), every version.

An entry becomes one line; where it gathers several transactions whose amounts make up its own, one line for each. Only
what is booked counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from bo.core.banking.formats.document import Document, Hints
from bo.core.banking.formats.written import amount_of
from bo.core.banking.formats.xml import Node, elements
from bo.core.banking.statement import FEE, INTEREST, PAYMENT, RETURNED, NotAStatement, Statement, StatementLine
from bo.core.kernel.errors import BadValue
from bo.core.kernel.text import _

NAME: Final = "camt"
STATEMENTS: Final = frozenset(("Stmt", "Rpt", "Ntfctn"))
OPENING: Final = ("OPBD", "PRCD")
CLOSING: Final = ("CLBD",)
_MESSAGE = re.compile(r"camt\.05[234]\.\d{3}\.\d{2}")


def sniff(head: str) -> bool:
    return bool(re.search(r"<(\w+:)?(BkToCstmrStmt|BkToCstmrAcctRpt|BkToCstmrDbtCdtNtfctn)\b", head)) or bool(
        "<" in head[:200] and _MESSAGE.search(head) and "schema" not in head[:400].casefold().split("xmlns")[0]
    )


def read(document: Document, _hints: Hints) -> Iterator[Statement]:
    """Raises NotAStatement, naming the entry."""
    message = _MESSAGE.search(document.head)
    format = message[0][:8] if message else "camt.053"
    count = 0
    reading = _Reading(document.name, format)
    for node in elements(document.blocks(), document.name, STATEMENTS | {"Acct", "Bal", "Ntry"}):
        if node.tag in STATEMENTS:
            count += 1
            yield reading.statement(node)
            reading = _Reading(document.name, format)
        else:
            reading.take(node)
    if not count:
        raise NotAStatement(
            "{name} is a {format} message without a statement in it",
            hint="Fetch the file again from the bank.",
            name=document.name,
            format=format,
        )


class _Reading:
    """One statement while it is read, element by element."""

    def __init__(self, name: str, format: str) -> None:
        self.name, self.format = name, format
        self.currency = self.account = self.place = ""
        self.balances: dict[str, Node] = {}
        self.found: list[StatementLine] = []
        self.entries = self.not_booked = 0

    def take(self, node: Node) -> None:
        if node.tag == "Acct":
            self.currency = node.said("Ccy")
            self.account = node.said("Id/IBAN", "Id/Othr/Id", "Id/PrtryAcct/Id")
        elif node.tag == "Bal":
            self.balances.setdefault(node.said("Tp/CdOrPrtry/Cd"), node)
        else:
            self.entries += 1
            self.place = f"Ntry {self.entries} (line {node.line})"
            if _is_booked(node):
                self.found += self.lines(node)
            else:
                self.not_booked += 1

    def statement(self, node: Node) -> Statement:
        opening, closing = self.balance(OPENING), self.balance(CLOSING)
        lines, notes = self.found, []
        if self.not_booked:
            notes.append(_("entries that are not booked yet, left out: {count}", count=self.not_booked))
        if not self.currency:
            raise self.refusal(_("no currency is named"))
        return Statement(
            format=self.format,
            account=self.account,
            number=node.said("Id", "ElctrncSeqNb"),
            currency=self.currency,
            lines=tuple(lines),
            from_day=_day(node, "FrToDt/FrDtTm", "FrToDt/FrDt") if not lines else None,
            until_day=self.closed_on(node),
            opening=opening,
            closing=closing,
            notes=tuple(notes),
        )

    def balance(self, codes: tuple[str, ...]) -> int | None:
        """The first balance of these types; its day is the bank's, and is not always that of the entries."""
        for code in codes:
            if code in self.balances:
                self.place = code
                return self.amount(self.balances[code])
        return None

    def closed_on(self, node: Node) -> date | None:
        """The day of the closing balance; that of the message where it has none and no entries."""
        for code in CLOSING:
            if code in self.balances:
                return _day(self.balances[code], "Dt/Dt", "Dt/DtTm")
        return None if self.found else _day(node, "FrToDt/ToDtTm", "FrToDt/ToDt", "CreDtTm")

    def lines(self, entry: Node) -> Iterator[StatementLine]:
        amount = self.amount(entry)
        details = entry.all("NtryDtls/TxDtls")
        parts = [self.part(entry, detail) for detail in details] if len(details) > 1 else []
        if parts and None not in parts and sum(part or 0 for part in parts) == amount:
            for index, (detail, part) in enumerate(zip(details, parts, strict=True), 1):
                yield self.line(entry, detail, part or 0, f"/{index}")
        else:
            yield self.line(entry, details[0] if len(details) == 1 else None, amount, "", len(details))

    def part(self, entry: Node, detail: Node) -> int | None:
        """A transaction's own amount, or None where it is in another currency or not said."""
        for path in ("Amt", "AmtDtls/TxAmt/Amt"):
            found = detail.first(path)
            if found is not None and found.attributes.get("Ccy") == self.currency:
                sign = detail.said("CdtDbtInd") or entry.said("CdtDbtInd")
                return (1 if sign == "CRDT" else -1) * self.read_amount(found)
        return None

    def line(self, entry: Node, detail: Node | None, amount: int, suffix: str, details: int = 1) -> StatementLine:
        about = detail if detail is not None else Node("", {})
        value_day = _day(entry, "ValDt/Dt", "ValDt/DtTm")
        day = _day(entry, "BookgDt/Dt", "BookgDt/DtTm") or value_day
        if day is None:
            raise self.refusal(_("the entry has no day"))
        sides = ("Dbtr", "Cdtr") if amount >= 0 else ("Cdtr", "Dbtr")
        reference = about.said("Refs/AcctSvcrRef") or entry.said("AcctSvcrRef")
        end_to_end = about.said("Refs/EndToEndId")
        return StatementLine(
            day=day,
            amount=amount,
            place=self.place,
            value_day=value_day,
            counterparty=_of_sides(about, sides, "{0}/Nm", "{0}/Pty/Nm", "Ultmt{0}/Nm", "Ultmt{0}/Pty/Nm"),
            counterparty_account=_of_sides(about, sides, "{0}Acct/Id/IBAN", "{0}Acct/Id/Othr/Id"),
            reference=about.said("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef", "Refs/InstrId",
                                 "Refs/PmtInfId") or entry.said("NtryDtls/Btch/PmtInfId", "NtryRef"),
            end_to_end_id="" if end_to_end.upper() in ("NOTPROVIDED", "NONREF") else end_to_end,
            bank_reference=reference + suffix if reference else "",
            purpose=_purpose(entry, about),
            kind=_kind(entry, about),
            facts=_facts(entry, about, details),
        )  # fmt: skip

    def amount(self, node: Node) -> int:
        found = node.first("Amt")
        if found is None:
            raise self.refusal(_("there is no amount"))
        currency = found.attributes.get("Ccy", "")
        self.currency = self.currency or currency
        if currency != self.currency:
            raise NotAStatement(
                "{name}, {place}: an amount in {found} in a statement in {currency}",
                hint="A statement has one currency: fetch it again from the bank.",
                name=self.name,
                place=self.place,
                found=currency or "?",
                currency=self.currency,
            )
        sign = node.said("CdtDbtInd")
        if sign not in ("CRDT", "DBIT"):
            raise self.refusal(_("it is neither credit nor debit"))
        return (1 if sign == "CRDT" else -1) * self.read_amount(found)

    def read_amount(self, node: Node) -> int:
        try:
            amount = amount_of(node.text, self.currency)
        except BadValue as error:
            raise self.refusal(str(error)) from None
        if amount < 0:
            raise self.refusal(_("an amount below zero, where CdtDbtInd gives the sign"))
        return amount

    def refusal(self, reason: str) -> NotAStatement:
        return NotAStatement(
            "{name}, {place}: {reason}",
            hint="Fetch the file again from the bank.",
            name=self.name,
            place=self.place or "statement",
            reason=reason,
        )


def _is_booked(entry: Node) -> bool:
    return (entry.said("Sts/Cd") or entry.said("Sts") or "BOOK") == "BOOK"


def _day(node: Node, *paths: str) -> date | None:
    text = node.said(*paths)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _of_sides(detail: Node, sides: tuple[str, str], *paths: str) -> str:
    """Of the other side: who paid what came in, who got what went out."""
    return next(
        (text for side in sides for path in paths if (text := detail.said("RltdPties/" + path.format(side)))), ""
    )


def _purpose(entry: Node, detail: Node) -> str:
    texts = [" ".join(node.text.split()) for node in detail.all("RmtInf/Ustrd")]
    texts += [" ".join(node.text.split()) for node in detail.all("RmtInf/Strd/AddtlRmtInf")]
    return " ".join(text for text in texts if text) or detail.said("AddtlTxInf") or entry.said("AddtlNtryInf")


def _kind(entry: Node, detail: Node) -> str:
    code = detail.first("BkTxCd/Domn/Fmly") or entry.first("BkTxCd/Domn/Fmly")
    sub = code.said("SubFmlyCd") if code is not None else ""
    if detail.first("RtrInf") is not None or sub in ("RRTN", "RPCR", "UPDD") or entry.said("RvslInd") == "true":
        return RETURNED
    if sub in ("CHRG", "COMM", "FEES"):
        return FEE
    return INTEREST if sub == "INTR" else PAYMENT


def _facts(entry: Node, detail: Node, details: int) -> dict[str, str]:
    code = detail.first("BkTxCd/Domn") or entry.first("BkTxCd/Domn")
    parts = [code.said("Cd"), code.said("Fmly/Cd"), code.said("Fmly/SubFmlyCd")] if code is not None else []
    found = {
        "code": "/".join(part for part in parts if part) or entry.said("BkTxCd/Prtry/Cd"),
        "batch": entry.said("NtryDtls/Btch/MsgId"),
        "mandate": detail.said("Refs/MndtId"),
        "transactions": str(details) if details > 1 else "",
        "batch_of": entry.said("NtryDtls/Btch/NbOfTxs"),
        "return_reason": detail.said("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        "return_text": detail.said("RtrInf/AddtlInf"),
        "reversal": "yes" if entry.said("RvslInd") == "true" else "",
        "counter_value": detail.said("AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt"),
        "rate": detail.said("AmtDtls/CntrValAmt/CcyXchg/XchgRate", "AmtDtls/InstdAmt/CcyXchg/XchgRate"),
    }
    return {name: text for name, text in found.items() if text}
