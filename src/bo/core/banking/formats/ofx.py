"""OFX 1 (SGML, where most tags never close) and OFX 2 (XML), read by one small reader that knows which tags hold
others.

OFX has a closing balance and no opening one: where the balance is as of the end of the list, the opening is reckoned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from bo.core.banking.formats.document import Document, Hints
from bo.core.banking.formats.written import amount_of, currency_of, day_of
from bo.core.banking.formats.xml import Node
from bo.core.banking.statement import (
    FEE,
    INTEREST,
    PAYMENT,
    TRANSFER,
    NotAStatement,
    Statement,
    StatementLine,
)
from bo.core.kernel.errors import BadValue
from bo.core.kernel.text import _

NAME: Final = "ofx"
DEPTH_MOST: Final = 64
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9_.]*)[^<>]*>([^<]*)")
_HOLDS = re.compile(
    r"OFX|STATUS|FI|STMTTRN|CURRENCY|ORIGCURRENCY|PAYEE|BANKTRANLIST|LEDGERBAL|AVAILBAL|\w+(ACCTFROM|ACCTTO|V\d|RS|RQ)"
)
_KINDS: Final = {"FEE": FEE, "SRVCHG": FEE, "INT": INTEREST, "DIV": INTEREST, "XFER": TRANSFER}


def sniff(head: str) -> bool:
    return "<OFX>" in head.upper() or head.lstrip().upper().startswith("OFXHEADER")


def read(document: Document, hints: Hints) -> Iterator[Statement]:
    """Raises NotAStatement, naming the line."""
    tree = _tree(document)
    found = [node for tag in ("STMTRS", "CCSTMTRS") for node in _within(tree, tag)]
    for node in found:
        yield _statement(document.name, node, hints)
    if not found:
        what = _("a list of accounts") if _within(tree, "ACCTINFORS") else _("an OFX message")
        raise NotAStatement(
            "{name} is {what} without a statement in it",
            hint="Ask the bank for the transactions (a statement download).",
            name=document.name,
            what=what,
        )


def _tree(document: Document) -> Node:
    text = document.text()
    begin = text.upper().find("<OFX>")
    if "<!" in text[: max(begin, 0) + 4096].replace("<!--", ""):
        raise NotAStatement(
            "{name} declares a document type or entities, which no statement needs",
            hint="Ask who made the file; nothing of it was read.",
            name=document.name,
        )
    root = Node("", {})
    stack = [root]
    line, at = 1, 0
    for token in _TOKEN.finditer(text, max(begin, 0)):
        line, at = line + text.count("\n", at, token.start()), token.start()
        tag, said = token[2].upper(), token[3].strip()
        if token[1]:
            if any(node.tag == tag for node in stack[1:]):
                while stack.pop().tag != tag:
                    pass
            continue
        node = Node(tag, {}, line)
        node.text = unescape(said)
        stack[-1].children.append(node)
        if not said and _HOLDS.fullmatch(tag):
            stack.append(node)
            if len(stack) > DEPTH_MOST:
                raise NotAStatement("{name}, line {line}: nested too deeply", name=document.name, line=line)
    if len(stack) > 1:
        raise NotAStatement(
            "{name} breaks off: {tag} of line {line} never ends",
            hint="Fetch the file again.",
            name=document.name,
            tag=stack[-1].tag,
            line=stack[-1].line,
        )
    return root


def _within(node: Node, tag: str) -> list[Node]:
    found = [node] if node.tag == tag else []
    return found + [inner for child in node.children for inner in _within(child, tag)]


def _statement(name: str, node: Node, hints: Hints) -> Statement:
    entries = node.all("BANKTRANLIST/STMTTRN")
    currency = node.said("CURDEF") or next((text for entry in entries if (text := entry.said("CURRENCY/CURSYM"))), "")
    try:
        currency = currency_of(currency or hints.currency)
    except BadValue:
        raise NotAStatement(
            "{name}, line {line}: no currency is named", hint="Say it: --currency EUR.", name=name, line=node.line
        ) from None
    lines = [_line(name, entry, currency) for entry in entries]
    closing_text = node.said("LEDGERBAL/BALAMT")
    closing = _amount(name, node, closing_text, currency) if closing_text else None
    total = sum(line.amount for line in lines)
    reckoned = closing - total if closing is not None else None
    account = node.first("BANKACCTFROM", "CCACCTFROM")
    days = [node.said("BANKTRANLIST/DTSTART"), node.said("BANKTRANLIST/DTEND") or node.said("LEDGERBAL/DTASOF")]
    return Statement(
        format=NAME,
        account=account.said("ACCTID") if account is not None else "",
        currency=currency,
        lines=tuple(lines),
        from_day=day_of(days[0][:8], "") if days[0] else None,
        until_day=day_of(days[1][:8], "") if days[1] else None,
        opening=reckoned,
        closing=closing,
        notes=(_("the opening balance is reckoned from the closing one"),) if lines and closing is not None else (),
    )


def _line(name: str, node: Node, currency: str) -> StatementLine:
    stated = node.said("CURRENCY/CURSYM")
    if stated and stated.upper() != currency:
        raise NotAStatement(
            "{name}, line {line}: an entry in {found} in a statement in {currency}",
            hint="A statement has one currency: fetch it again from the bank.",
            name=name,
            line=node.line,
            found=stated,
            currency=currency,
        )
    try:
        day = day_of(node.said("DTPOSTED")[:8], "")
        value = node.said("DTAVAIL", "VALUEDATE")
        value_day = day_of(value[:8], "") if value else None
    except BadValue as error:
        raise _refusal(name, node, str(error)) from None
    balance = node.said("ACCTBAL")
    check = node.said("CHECKNUM")
    facts = {"type": node.said("TRNTYPE"), "cheque": check if check.strip("0") else ""}
    return StatementLine(
        day=day,
        amount=_amount(name, node, node.said("TRNAMT"), currency),
        place=f"line {node.line}",
        value_day=value_day,
        counterparty=node.said("NAME", "PAYEE/NAME"),
        counterparty_account=node.said("BANKACCTTO/ACCTID", "CCACCTTO/ACCTID"),
        reference=node.said("REFNUM"),
        bank_reference=node.said("FITID"),
        purpose=node.said("MEMO"),
        kind=_KINDS.get(node.said("TRNTYPE").upper(), PAYMENT),
        balance=_amount(name, node, balance, currency) if balance else None,
        facts={key: text for key, text in facts.items() if text},
    )


def _amount(name: str, node: Node, text: str, currency: str) -> int:
    try:
        return amount_of(text, currency, "," if "," in text and "." not in text else ".")
    except BadValue as error:
        raise _refusal(name, node, str(error)) from None


def _refusal(name: str, node: Node, reason: str) -> NotAStatement:
    return NotAStatement(
        "{name}, line {line}: {reason}",
        hint="Fetch the file again from the bank.",
        name=name,
        line=node.line,
        reason=reason,
    )
