"""The chapters of the money: a payment file, the bank's statement, what each of its lines was for, and books that
hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from bo.core.kernel.text import _
from bo.demo.stage import Stage

SHANGHAI: Final = timedelta(hours=8)  # the office's day is the day of these statements
OPENING: Final = Decimal("50000.00")
OWN: Final = "6225880112345674"
ORDER, PAID_BY_TRANSFER, FEE = "W2001", Decimal("558.00"), Decimal("15.00")
STATEMENT: Final = "bank.xml"
HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><Othr><Id>{own}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>
{opening}{closing}
"""
TAIL: Final = "</Stmt></BkToCstmrStmt></Document>\n"
BALANCE: Final = (
    '<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{amount}</Amt>'
    "<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
)
ENTRY: Final = (
    '<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts>'
    "<BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls><TxDtls>{refs}"
    "<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr><Cdtr><Nm>{name}</Nm></Cdtr></RltdPties>"
    "<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
)


class Sent(msgspec.Struct):
    """A payout that is under way."""

    id: str
    reference: str
    amount: str
    holder: str
    referrer: str
    clawed_back: Decimal


class Entry(msgspec.Struct, frozen=True):
    """A line of the bank's statement: below zero what went out."""

    amount: Decimal
    name: str
    text: str
    reference: str = ""


def tell(stage: Stage, settlement: str) -> None:
    """All three chapters. Raises Damaged where the story is not as it is told."""
    payouts = pay(stage, settlement)
    reconcile(stage, settlement, payouts[0])
    trace(stage, settlement, payouts[-1])


def pay(stage: Stage, settlement: str) -> list[Sent]:
    """The file that the bank takes, and what the bank says afterwards. The first payout came back, of the last a reward
    was taken back before."""
    stage.chapter(
        _("To the bank, and back"),
        _("Each payment carries the id of its payout. The same file again is the same bytes."),
    )
    stage.quiet(f"bank-accounts add --code MAIN --holder 良木家居 --number {OWN} --bic 308584000013 --bank 招商银行")
    more = "--layout pain.001.001.09 --bank-account MAIN"
    stage.bo(f"settlements export {settlement} --to pay.xml {more} --yes", who="fang", show=0)
    lines = (stage.files / "pay.xml").read_text("utf-8").splitlines()
    first = next(place for place, line in enumerate(lines) if "CdtTrfTxInf" in line)
    stage.say("\n".join(lines[first : first + 8]))
    fields = "id,reference,amount,holder,referrer,clawed_back"
    asked = f"payouts list 'settlement:{settlement} state:sent sort:reference' --fields {fields} -o jsonl"
    payouts = sorted(stage.quiet(asked, who="fang").rows(Sent), key=lambda item: item.clawed_back)
    day = (datetime.now(UTC) + SHANGHAI).date().isoformat()
    stage.quiet(
        f"orders record --number {ORDER} --channel web --name 陈晓 --total {PAID_BY_TRANSFER} --placed-at {day}"
    )
    (stage.files / STATEMENT).write_text(statement(entries(payouts), day), "utf-8")
    stage.say(_("The bank's statement: one payment came back, a customer paid without a number, and a fee."))
    stage.bo(f"bank-statements import {STATEMENT} -o table", who="fang")
    stage.say(_("From now on the ledger holds what the bank says; what nobody has explained waits in suspense:"))
    stage.bo("ledger balance -o table", who="fang")
    return payouts


def entries(payouts: list[Sent]) -> list[Entry]:
    """What the bank did: every payment, of which the first came back."""
    made = [Entry(-Decimal(item.amount), item.holder, "奖励", item.reference) for item in payouts]
    back = payouts[0]
    return [
        *made,
        Entry(Decimal(back.amount), back.holder, "退汇 账号已销户", back.reference),
        Entry(PAID_BY_TRANSFER, "杭州晓光设计有限公司", "货款"),
        Entry(-FEE, "招商银行", "账户管理费"),
    ]


def statement(made: list[Entry], day: str) -> str:
    """A camt.053 statement of these entries."""

    def balance(code: str, amount: Decimal) -> str:
        sign = "DBIT" if amount < 0 else "CRDT"
        return BALANCE.format(code=code, amount=abs(amount), sign=sign, day=day)

    closing = OPENING + sum(each.amount for each in made)
    head = HEAD.format(own=OWN, opening=balance("OPBD", OPENING), closing=balance("CLBD", closing))
    return head + "".join(_entry(each, day) for each in made) + TAIL


def _entry(each: Entry, day: str) -> str:
    refs = f"<Refs><EndToEndId>{each.reference}</EndToEndId></Refs>" if each.reference else ""
    sign = "DBIT" if each.amount < 0 else "CRDT"
    return ENTRY.format(
        amount=abs(each.amount), sign=sign, day=day, refs=refs, name=escape(each.name), text=escape(each.text)
    )


def reconcile(stage: Stage, settlement: str, lost: Sent) -> None:
    """By id for all that has one; the two that are left are a person's."""
    stage.chapter(
        _("Reconciliation"), _("By id, then by number in the text. An amount alone decides nothing: it asks.")
    )
    stage.bo("reconciliations run -o jsonl", who="fang", show=1)
    stage.bo("reconciliations list --fields lines,matched,proposed,left -o table", who="fang")
    stage.bo("bank-lines list state:open --fields day,amount,counterparty,purpose -o table", who="fang")
    (paid,) = stage.ids("bank-lines", "state:open amount>0", 1)
    stage.bo(f"bank-lines candidates {paid} --fields kind,label,name,amount,points,why -o table", who="fang")
    stage.bo(f"bank-lines match {paid} --items {ORDER} --reason 公司代付", who="fang", show=0)
    (fee,) = stage.ids("bank-lines", "state:open amount<0", 1)
    stage.bo(f"bank-lines fee {fee} --reason 账户管理费 --yes", who="fang", show=0)
    stage.say(_("The payment that came back: its rewards are due again, and the next settlement finds them."))
    stage.bo(f"payouts list id:{lost.id} --fields reference,state,amount,reason -o table", who="fang")
    stage.bo(f"settlements close {settlement} --yes", who="fang", show=0)
    stage.say(_("The proof: from the bank's opening balance to the ledger's, with nothing left over."))
    stage.bo("reconciliations report --fields account,line,number,amount,agrees -o table", who="fang")
    stage.bo("reconciliations report --to proof.pdf", who="fang", show=0)
    stage.bo("ledger balance -o table", who="fang")
    stage.bo("ledger check -o json", who="fang", show=12)


def trace(stage: Stage, settlement: str, payout: Sent) -> None:
    """From a line of the bank to the lead that it pays for."""
    stage.chapter(_("Where did that money go?"), _("From a line of the bank to the lead, one step at a time."))
    (line,) = stage.ids("bank-lines", f"end_to_end_id:{payout.reference}", 1)
    stage.bo(f"bank-lines list id:{line} --fields day,amount,counterparty,end_to_end_id,state -o table", who="fang")
    stage.bo(f"bank-matches list line:{line} --fields kind,target,amount,how,matched_by,ledger -o table", who="fang")
    fields = "reference,settlement,referrer,state,amount,paid_on"
    stage.bo(f"payouts list id:{payout.id} --fields {fields} -o table", who="fang")
    fields = "kind,event,cause,rule_code,amount,state"
    stage.bo(f"rewards list payout:{payout.id} --fields {fields} -o table", who="fang")
    (reward,) = stage.ids("rewards", f"payout:{payout.id} kind:reward event:won", 1)
    stage.bo(f"rewards explain {reward} -o table", who="fang", show=26)
    lead = stage.quiet(f"rewards list id:{reward} --fields cause -o jsonl", who="fang").first()["cause"]
    stage.bo(f"leads list id:{lead} --fields number,name,state,referrer,store,order_number -o table", who="fang")
    for form in ("pdf", "csv"):
        words = f"settlements statement-file {settlement} --referrer {payout.referrer} --form {form}"
        stage.bo(f"{words} --to statement.{form}", who="fang", show=0)
