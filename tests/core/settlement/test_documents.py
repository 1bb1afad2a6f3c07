"""The files that leave the office: right, harmless, and the same bytes each time."""

from __future__ import annotations

import re
import zlib
from base64 import a85decode

import pytest

from bo.core.kernel.text import use_language
from bo.core.referrers.records import PayeeAccount
from bo.core.settlement.documents import RuleSum
from bo.core.settlement.making import CARRIED
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import NoStatement
from tests.core.money_office import MoneyOffice

HEADER = "reference,payee,holder,account_kind,account,bank,bank_code,amount,currency,purpose"


def pdf_text(content: bytes) -> str:
    """The text of a PDF's pages, out of their content streams."""
    streams = re.findall(rb"/ASCII85Decode /FlateDecode.*?stream\s+(.*?)endstream", content, re.DOTALL)
    pages = [zlib.decompress(a85decode(stream.strip().removesuffix(b"~>"))) for stream in streams]
    return "\n".join(
        _shown(match) for page in pages for match in re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", page, re.DOTALL)
    )


def _shown(written: bytes) -> str:
    plain = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), written)
    plain = re.sub(rb"\\(.)", lambda match: match[1], plain, flags=re.DOTALL)
    wide = len(plain) % 2 == 0 and any(byte > 0x7F or byte < 0x20 for byte in plain)
    return plain.decode("utf-16-be" if wide else "latin-1")


@pytest.fixture
def settled(money: MoneyOffice) -> Settlement:
    """D1: an order with a refund, and a lead from before the period; D2: a lead. Paid."""
    money.earn("D1", at="2026-10-30 12:00")
    cause = money.earn("D1", event="won", gross="11300", net="10000", customer="王小明", order="SO-1")
    money.by("boss").do("deeds.refund", cause=cause, refunded="1130", of="11300")
    money.by("fin").do("rewards.adjust", referrer="D1", amount="1.23", reason="a thank-you")
    money.earn("D2")
    made = money.exported()
    money.by("fin").do("settlements.mark_paid", made.id, paid_on="2026-11-02")
    return money.get(Settlement, made.id)


# -- payout file -------------------------------------------------------------------------------------------------------


def test_the_payout_file_has_a_row_for_each_payee(money: MoneyOffice, settled: Settlement) -> None:
    file = money.by("fin").ask("settlements.payout_file", settled.id)

    rows = file.content.decode("utf-8-sig").split("\r\n")
    first, second = money.payout(settled, "D1").reference, money.payout(settled, "D2").reference
    assert rows == [
        HEADER,
        f"{first},D1,李设计1,bank,6222000011130001,招商银行,,501.23,CNY,S-2026-11-CNY-0001",
        f"{second},D2,李设计2,bank,6222000011120002,招商银行,,50.00,CNY,S-2026-11-CNY-0001",
        "",
    ]
    assert (file.name, file.payments, file.total, file.hash) == ("S-2026-11-CNY-0001.csv", 2, 55123, settled.file_hash)


def test_a_name_that_looks_like_a_formula_stays_text(money: MoneyOffice) -> None:
    # given
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]
    money.by("fin").do(
        "payee_accounts.change", account.id, holder='=HYPERLINK("x")', number="+1234", bank="@a", bank_code="-b"
    )
    money.wait(days=8)
    money.earn()

    # when
    file = money.by("fin").ask("settlements.payout_file", money.approved().id)

    # then
    row = file.content.decode("utf-8-sig").split("\r\n")[1]
    assert """D1,"'=HYPERLINK(""x"")",bank,'+1234,'@a,'-B,50.00""".lower() in row.lower()


def test_held_payees_are_not_in_the_file(money: MoneyOffice) -> None:
    money.by("rita").do("referrers.block", "D1", reason="fraud")
    money.earn("D1")
    money.earn("D2")
    made = money.approved()

    file = money.by("fin").ask("settlements.payout_file", made.id)

    assert (file.payments, b"D1" in file.content) == (1, False)


# -- statement ---------------------------------------------------------------------------------------------------------


def test_a_statement_tells_how_the_sum_came_about(money: MoneyOffice, settled: Settlement) -> None:
    told = money.by("fin").ask("settlements.statement", settled.id, referrer="D1")

    assert (told.number, told.settlement, told.state) == ("ST-2026-11-CNY-D1", "S-2026-11-CNY-0001", "paid")
    assert (told.payee, told.holder, told.account) == ("D1", "李设计1", "****0001")
    assert (told.opening, told.earned, told.clawed_back, told.adjusted) == (5000, 50000, 5000, 123)
    assert (told.tax_withheld, told.paid, told.closing) == (0, 50123, 0)
    assert told.earned_by_rule == (RuleSum("ORDER/1", 1, 50000),)
    assert [(line.kind, line.rule, line.customer, line.order, line.amount) for line in told.lines] == [
        ("reward", "VALID/1", "", "", 5000),
        ("reward", "ORDER/1", "王**", "SO-1", 50000),
        ("clawback", "ORDER/1", "王**", "SO-1", -5000),
        ("adjustment", "", "", "", 123),
    ]


def test_before_it_is_paid_a_statement_closes_with_what_is_owed(money: MoneyOffice) -> None:
    money.earn()
    made = money.approved()

    told = money.by("fin").ask("settlements.statement", made.id, referrer="D1")

    assert (told.paid, told.paid_on, told.closing) == (0, None, 5000)


def test_who_is_held_is_told_why(money: MoneyOffice) -> None:
    money.earn("D2")
    money.by("fin").do("rewards.adjust", referrer="D1", amount="-8", reason="x")
    made = money.run()

    told = money.by("fin").ask("settlements.statement", made.id, referrer="D1")

    assert (told.held, told.adjusted, told.closing, told.lines) == (CARRIED, -800, -800, ())


def test_there_is_no_statement_of_a_failed_payment_or_a_stranger(money: MoneyOffice) -> None:
    money.earn()
    made = money.exported()
    money.by("fin").do("payouts.fail", money.payout(made, "D1").id, reason="x")

    for code in ("D1", "D3"):
        with pytest.raises(NoStatement):
            money.by("fin").ask("settlements.statement", made.id, referrer=code)


@pytest.mark.parametrize("form", ["pdf", "csv"])
def test_a_statement_has_the_same_bytes_whatever_happens_later(
    money: MoneyOffice, settled: Settlement, form: str
) -> None:
    # given
    first = money.by("fin").ask("settlements.statement_file", settled.id, referrer="D1", form=form)

    # when
    money.wait(days=400)
    money.by("fin").do("referrers.edit", "D1", name="another name")
    money.by("boss").do("reward_rules.revise", "ORDER", rate="1%", effective_from="2027-12-01")
    money.earn("D1")
    again = money.by("fin").ask("settlements.statement_file", settled.id, referrer="D1", form=form)

    # then
    assert again == first
    assert first.name == f"ST-2026-11-CNY-D1.{form}"


def test_the_pdf_says_in_text_what_the_statement_says(money: MoneyOffice, settled: Settlement) -> None:
    content = money.by("fin").ask("settlements.statement_file", settled.id, referrer="D1", language="en").content

    text = pdf_text(content)
    assert content.startswith(b"%PDF-")
    for words in ("Statement ST-2026-11-CNY-D1", "李设计", "****0001", "501.23", "ORDER/1", "王", "SO-1", "Closing"):
        assert words in text
    assert "小明" not in text


def test_the_csv_ends_with_the_balance(money: MoneyOffice, settled: Settlement) -> None:
    content = (
        money.by("fin").ask("settlements.statement_file", settled.id, referrer="D1", form="csv", language="en").content
    )

    rows = content.decode("utf-8-sig").split("\r\n")
    assert rows[0] == "Statement,ST-2026-11-CNY-D1"
    assert "2026-11-02,clawback,ORDER/1,王**,SO-1,-50.00" in rows
    assert "2026-11-02,adjustment: a thank-you,,,,1.23" in rows
    assert rows[-3:] == ["Paid on 2026-11-02,,,,,-501.23", "Closing,,,,,0.00", ""]


def test_a_statement_of_many_lines_goes_on_the_next_page(money: MoneyOffice) -> None:
    for _ in range(60):
        money.earn(customer="Ming")
    made = money.run()

    text = pdf_text(money.by("fin").ask("settlements.statement_file", made.id, referrer="D1", language="en").content)

    assert "page 2" in text
    assert text.count("VALID/1") == 61  # and the sum by rule


def test_a_statement_in_chinese_is_made_as_well(money: MoneyOffice, settled: Settlement) -> None:
    use_language("zh_CN")

    content = money.by("fin").ask("settlements.statement_file", settled.id, referrer="D1").content

    assert "501.23" in pdf_text(content)


# -- checks ------------------------------------------------------------------------------------------------------------


def test_a_settlement_is_checked_against_lines_and_ledger(money: MoneyOffice, settled: Settlement) -> None:
    checked = money.by("anna").ask("settlements.check", settled.id)

    assert (checked.total, checked.payouts, checked.lines, checked.ledger) == (55123, 55123, 55123, 55123)
    assert (checked.agrees, checked.broken, checked.content_hash) == (True, "", settled.content_hash)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE settlement SET total = total - 1", "the total is the sum of the payouts"),
        (
            "UPDATE reward_line SET amount = amount + 1 WHERE kind = 'adjustment'",
            "the payouts are the sum of the lines",
        ),
        (
            "UPDATE posting SET amount = amount - 1 WHERE account = 'reward_payable'",
            "the ledger holds what was approved",
        ),
    ],
)
def test_what_does_not_agree_is_named(money: MoneyOffice, settled: Settlement, tampering: str, broken: str) -> None:
    money.ws.database.session.script([tampering])

    assert money.by("fin").ask("settlements.check", settled.id).broken == broken


def test_the_lines_of_a_settlement_are_listed_by_payee(money: MoneyOffice, settled: Settlement) -> None:
    rows = money.by("fin").ask("settlements.lines", settled.id)

    assert [(row.payee, row.kind, row.amount, str(row.earned_on)) for row in rows] == [
        ("D1", "reward", 5000, "2026-10-30"),
        ("D1", "reward", 50000, "2026-11-02"),
        ("D1", "clawback", -5000, "2026-11-02"),
        ("D1", "adjustment", 123, "2026-11-02"),
        ("D2", "reward", 5000, "2026-11-02"),
    ]
    assert rows[1].arithmetic == "5 % of 10000.00 CNY net of tax and shipping = 500.00 CNY"
