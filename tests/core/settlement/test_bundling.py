"""A bundle: for each payee what is told to them, in their language, the same bytes each time."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from bo.core.settlement.bundling import Parcel, parcels
from bo.core.settlement.records import Settlement
from tests.core.money_office import MoneyOffice


@pytest.fixture
def paid(money: MoneyOffice) -> Settlement:
    money.by("boss").do("referrers.edit", "D1", email="one@example.com")
    money.by("boss").do("referrers.edit", "D2", language="en", email="two@example.com")
    money.earn("D1", event="won", gross="200", net="200", customer="王小明")
    money.earn("D2")
    money.by("rita").do("referrers.block", "D3", reason="x")
    money.earn("D3")
    made = money.exported()
    money.by("fin").do("settlements.mark_paid", made.id)
    return money.get(Settlement, made.id)


def bundle(money: MoneyOffice, made: Settlement) -> list[Parcel]:
    return list(parcels(money.by("fin").reader(), made))


def mail(found: list[Parcel], folder: str) -> EmailMessage:
    (content,) = [item.content for item in found if item.folder == folder and item.name.endswith(".eml")]
    read = message_from_bytes(content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_each_payee_has_a_folder_with_statement_and_draft(money: MoneyOffice, paid: Settlement) -> None:
    found = bundle(money, paid)

    assert [(item.folder, item.name) for item in found] == [
        (code, f"ST-2026-11-CNY-{code}.{form}") for code in ("D1", "D2", "D3") for form in ("pdf", "csv", "eml")
    ]
    assert not [item for item in found if "王小明".encode() in item.content]
    alone = money.by("fin").ask("settlements.statement_file", paid.id, referrer="D2", form="pdf")
    assert found[3].content == alone.content


def test_each_is_written_to_in_their_language_and_nothing_is_sent(money: MoneyOffice, paid: Settlement) -> None:
    found = bundle(money, paid)

    english = mail(found, "D2")
    assert (english["To"], english["X-Unsent"], english["From"]) == ("two@example.com", "1", None)
    assert english["Subject"] == "Statement ST-2026-11-CNY-D2"
    body = english.get_body()
    assert body is not None
    assert "We have paid you 50.00 CNY on 2026-11-02." in body.get_content()
    assert [part.get_filename() for part in english.iter_attachments()] == [
        "ST-2026-11-CNY-D2.pdf", "ST-2026-11-CNY-D2.csv",
    ]  # fmt: skip
    assert mail(found, "D1")["To"] == "one@example.com"
    assert "对账单".encode() in found[1].content
    assert mail(found, "D3")["To"] is None


def test_a_bundle_has_the_same_bytes_each_time(money: MoneyOffice, paid: Settlement) -> None:
    first = bundle(money, paid)
    money.wait(days=100)

    assert bundle(money, paid) == first


def test_a_code_that_is_no_name_of_a_folder_becomes_one(money: MoneyOffice) -> None:
    money.by("boss").do("referrers.edit", "D1", code="../a:b")
    money.earn("D1")

    assert {item.folder for item in bundle(money, money.approved())} == {"_a_b"}
