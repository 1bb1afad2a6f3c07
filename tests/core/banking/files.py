"""Statements made for the tests, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bo.core.banking.formats import Hints
from bo.core.banking.statement import Statement
from bo.core.exchange.statements import read_file

IBAN: Final = "DE89370400440532013000"


def read(folder: Path, content: str | bytes, name: str = "file", *, format: str = "", **hints: str) -> list[Statement]:
    """The statements in a file of this content; its name says nothing."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_file(path, Hints(**hints), format=format).statements)  # type: ignore[arg-type]  # names of hints


def camt(*entries: str, opening: str = "100.00", closing: str = "100.00", version: str = "053.001.02") -> str:
    """A camt.053 statement of these entries."""

    def balance(code: str, amount: str, day: str) -> str:
        sign = "DBIT" if amount.startswith("-") else "CRDT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount.lstrip('-')}</Amt>"
            f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{version}'>"
        f"<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id>"
        f"<Ccy>EUR</Ccy></Acct>{balance('OPBD', opening, '2026-11-01')}{balance('CLBD', closing, '2026-11-30')}"
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    )


def entry(amount: str, sign: str = "CRDT", details: str = "", *, day: str = "2026-11-05", more: str = "") -> str:
    """An entry of a camt statement."""
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>{more}"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(amount: str = "", end_to_end: str = "", name: str = "", text: str = "", more: str = "") -> str:
    """A transaction within an entry."""
    money = f"<Amt Ccy='EUR'>{amount}</Amt>" if amount else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>{money}<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>"
        f"<Cdtr><Nm>us</Nm></Cdtr></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf>{more}</TxDtls>"
    )
