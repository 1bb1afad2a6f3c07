"""SWIFT MT940 as banks write it: with and without the envelope, structured by `?20`, `>20` or `/REMI/`, and with tags
in between that the standard has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from bo.core.banking.formats.document import Document, Hints
from bo.core.banking.formats.written import amount_of, currency_of
from bo.core.banking.statement import FEE, INTEREST, PAYMENT, RETURNED, NotAStatement, Statement, StatementLine
from bo.core.kernel.errors import BadValue
from bo.core.kernel.text import _

NAME: Final = "mt940"
_TAG = re.compile(r":(\d{2,3}[A-Z]?):")
_END = re.compile(r"-(\}.*|X{0,3})?\s*$")
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d[\d.]*,\d{0,3})\s*$")
_ENTRY = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?(?P<amount>\d+,\d{0,3})"
    r"(?P<type>[NFS][A-Z0-9]{3})?(?P<own>[^\n]*?)(?://(?P<bank>[^\n]*))?(?:\n(?P<more>.*))?$",
    re.DOTALL,
)
_FIELD = re.compile(r"[?>](\d{2})")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC|COAM|OAMT|RTRN|PURP)\+")
_SLASHED = re.compile(
    r"/(EREF|KREF|MARF|BENM|ORDP|NAME|REMI|IBAN|CSID|ISDT|TRTP|RTRN|BIC|PREF|ADDR|ID|CNTP|USTD|PURP)/"
)
_RETURN_WORDS = re.compile(r"\b(RETOURE|R.CKGABE|R.CKLASTSCHRIFT|RETURN|STORNO)\b", re.IGNORECASE)
_NO_REFERENCE: Final = frozenset(("", "NONREF", "NOTPROVIDED", "KREF+", "EREF"))
_RETURN_CODES: Final = frozenset(("059", "108", "109", "159", "181", "182", "183", "184"))


class _Field(NamedTuple):
    tag: str
    text: str
    line: int


def sniff(head: str) -> bool:
    return re.search(r"^\s*(\{1:.*)?:(20|25|28C?|60[FM]|940):", head, re.MULTILINE) is not None and (
        re.search(r"^(\{.*)?:(60[FM]|61|62[FM]|20):", head, re.MULTILINE) is not None
    )


def read(document: Document, _hints: Hints) -> Iterator[Statement]:
    """Raises NotAStatement, naming the line."""
    count = 0
    for fields in _messages(document.text()):
        if any(field.tag.startswith("62") for field in fields) and any(field.tag == "25" for field in fields):
            count += 1
            yield _Reading(document.name, fields).statement()
    if not count:
        raise NotAStatement(
            "{name} has tags of MT940, but no statement with an account (:25:) and a closing balance (:62F:)",
            hint="Fetch the file again from the bank.",
            name=document.name,
        )


def _messages(text: str) -> Iterator[list[_Field]]:
    """The fields of each message; it ends at a line with a dash, at the next envelope or at the next :20:."""
    fields: list[_Field] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        found = _TAG.match(line)
        if line.startswith("{1:") or _END.match(line) or (found and found[1] == "20" and _has(fields, "62")):
            if fields:
                yield fields
            fields = []
        if found is not None:
            fields.append(_Field(found[1], line[found.end() :], number))
        elif fields and not _END.match(line) and line.strip():
            last = fields[-1]
            fields[-1] = last._replace(text=f"{last.text}\n{line}")
    if fields:
        yield fields


def _has(fields: list[_Field], tag: str) -> bool:
    return any(field.tag.startswith(tag) for field in fields)


class _Reading:
    """One message while it is read."""

    def __init__(self, name: str, fields: list[_Field]) -> None:
        self.name, self.fields = name, fields

    def statement(self) -> Statement:
        currency = ""
        opening = closing = None
        first = last = None
        lines: list[StatementLine] = []
        told = ""
        for index, field in enumerate(self.fields):
            if field.tag in ("60F", "60M"):
                opening, first, currency = self.balance(field)
            elif field.tag in ("62F", "62M"):
                closing, last, other = self.balance(field)
                if currency and other != currency:
                    raise self.refusal(field, _("the balances are in {one} and {other}", one=currency, other=other))
                currency = other
            elif field.tag == "61":
                if not currency:
                    raise self.refusal(field, _("an entry before the opening balance (:60F:)"))
                after = self.fields[index + 1] if index + 1 < len(self.fields) else None
                lines.append(self.line(field, after.text if after and after.tag == "86" else "", currency))
            elif field.tag in ("28C", "28"):
                told = field.text.strip()
        account = next(field.text for field in self.fields if field.tag == "25")
        return Statement(
            format=NAME,
            account=account.strip(),
            number=told,
            currency=currency,
            lines=tuple(lines),
            from_day=first if not lines else None,
            until_day=last,
            opening=opening,
            closing=closing,
        )

    def balance(self, field: _Field) -> tuple[int, date, str]:
        found = _BALANCE.match(field.text.strip())
        if found is None:
            raise self.refusal(field, _("{text} is not a balance", text=field.text.strip()[:40]))
        amount = self.amount(field, found[4], found[3])
        return (amount if found[1] == "C" else -amount), self.day(field, found[2]), currency_of(found[3])

    def line(self, field: _Field, about: str, currency: str) -> StatementLine:
        found = _ENTRY.match(field.text)
        if found is None:
            raise self.refusal(field, _("{text} is not an entry", text=field.text[:40]))
        value_day = self.day(field, found["value"])
        sign = 1 if found["mark"] in ("C", "RD") else -1
        own, bank = (found["own"] or "").strip(), (found["bank"] or "").strip()
        info = _info(about)
        return_code = info.get("code", "")
        end_to_end = info.get("EREF", "")
        returned = found["mark"].startswith("R") or return_code in _RETURN_CODES or _RETURN_WORDS.search(
            info.get("text", "")
        )  # fmt: skip
        facts = {"type": found["type"] or "", "code": return_code, "text": info.get("text", ""),
                 "more": " ".join((found["more"] or "").split()), "mandate": info.get("MREF", "")}  # fmt: skip
        return StatementLine(
            day=_booked(value_day, found["entry"]),
            amount=sign * self.amount(field, found["amount"], currency),
            place=f"line {field.line}",
            value_day=value_day,
            counterparty=info.get("name", ""),
            counterparty_account=info.get("account", ""),
            reference="" if own in _NO_REFERENCE else own,
            end_to_end_id="" if end_to_end.upper() in _NO_REFERENCE else end_to_end,
            bank_reference="" if bank in _NO_REFERENCE else bank,
            purpose=info.get("purpose", ""),
            kind=RETURNED if returned else _kind(found["type"] or ""),
            facts={name: text for name, text in facts.items() if text},
        )

    def amount(self, field: _Field, text: str, currency: str) -> int:
        try:
            return amount_of(text.rstrip(",") if text.endswith(",") else text, currency, ",")
        except BadValue as error:
            raise self.refusal(field, str(error)) from None

    def day(self, field: _Field, text: str) -> date:
        year = int(text[:2])
        try:
            return date(year + (2000 if year < 80 else 1900), int(text[2:4]), int(text[4:6]))
        except ValueError:
            raise self.refusal(field, _("{text} is no day of the calendar", text=text)) from None

    def refusal(self, field: _Field, reason: str) -> NotAStatement:
        return NotAStatement(
            "{name}, line {line} (:{tag}:): {reason}",
            hint="Fetch the file again from the bank.",
            name=self.name,
            line=field.line,
            tag=field.tag,
            reason=reason,
        )


def _booked(value_day: date, entry: str | None) -> date:
    """The day of booking has no year: it is that of the value day, unless they lie around the new year."""
    if not entry:
        return value_day
    month = int(entry[:2])
    year = value_day.year + (1 if value_day.month - month > 6 else -1 if month - value_day.month > 6 else 0)
    try:
        return date(year, month, int(entry[2:]))
    except ValueError:
        return value_day


def _kind(code: str) -> str:
    return FEE if code in ("NCHG", "NCOM") else INTEREST if code == "NINT" else RETURNED if code == "NRTI" else PAYMENT


def _info(text: str) -> dict[str, str]:
    """What an :86: says, by name."""
    head = text.strip()[:4]
    if head[:3].isdigit() and head[3:4] in ("?", ">"):
        return _by_numbers(text.strip())
    if _SLASHED.search(text):
        return _by_slashes("".join(text.split("\n")))
    parts = text.split("\n")
    joined = "".join(part if len(part) >= 65 else part + " " for part in parts)
    return _with_sepa(" ".join(joined.split()), {})


def _by_numbers(text: str) -> dict[str, str]:
    flat = text.replace("\n", "")
    pieces = _FIELD.split(flat[3:])
    fields: dict[str, str] = {}
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=False):
        fields[number] = fields.get(number, "") + piece
    said = "".join(fields.get(str(number), "") for number in (*range(20, 30), *range(60, 64)))
    name = " ".join((fields.get("32", "") + fields.get("33", "")).split())
    found = {"code": flat[:3], "text": fields.get("00", "").strip(), "name": name,
             "account": fields.get("38", fields.get("31", "")).replace(" ", "").strip()}  # fmt: skip
    return _with_sepa(said.strip(), found)


def _with_sepa(purpose: str, found: dict[str, str]) -> dict[str, str]:
    """Names like EREF+ inside the purpose, taken apart."""
    pieces = _SEPA.split(purpose)
    if len(pieces) == 1:
        return {**found, "purpose": " ".join(purpose.split())}
    named = {name: " ".join(text.split()) for name, text in zip(pieces[1::2], pieces[2::2], strict=False)}
    return {**found, **named, "purpose": named.get("SVWZ", "") or " ".join(pieces[0].split())}


def _by_slashes(text: str) -> dict[str, str]:
    pieces = _SLASHED.split(text)
    named: dict[str, str] = {}
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=False):
        named.setdefault(name, " ".join(piece.strip("/ ").split()))
    purpose = named.get("REMI", "") or named.get("USTD", "") or " ".join(pieces[0].split())
    return {**named, "name": named.get("NAME", ""), "account": named.get("IBAN", ""),
            "purpose": purpose.removeprefix("USTD//")}  # fmt: skip
