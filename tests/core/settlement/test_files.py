"""Payout files: ISO 20022 as its schemas say, tables for banks, and the one file that ever leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from bo.core.kernel.errors import BadValue, BoError
from bo.core.ledger.records import Entry, Posting
from bo.core.referrers.records import PayeeAccount
from bo.core.settlement.pain import VERSIONS, sepa_text
from bo.core.settlement.records import PaymentFile, Settlement
from bo.core.settlement.refusals import CannotBeWritten, NoPayingAccount, OtherFile
from tests.core.exchange.test_real_files import DATA
from tests.core.money_office import MoneyOffice

SCHEMAS = DATA / "06-payments" / "pain"
IBANS = {"D1": "DE89370400440532013000", "D2": "GB82WEST12345698765432"}
OWN_IBAN = "FR1420041010050500013M02606"


def valid(content: bytes, version: str) -> None:
    etree: Any = pytest.importorskip("lxml.etree")
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of ISO 20022 lie in the real files")
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / f"{version}.xsd")))
    schema.assertValid(etree.fromstring(content))


def texts(content: bytes, name: str) -> list[str]:
    root = ElementTree.fromstring(content)
    return [str(item.text) for item in root.iter() if item.tag.endswith(f"}}{name}")]


def own_account(money: MoneyOffice, code: str = "MAIN", currency: str = "CNY", number: str = "4000022919200012345",
                bic: str = "102100099996") -> None:  # fmt: skip
    money.by("fin").do("bank_accounts.add", code=code, holder="杭州某某家居有限公司", number=number, bic=bic,
                       bank="工商银行", currency=currency)  # fmt: skip


def in_euro(money: MoneyOffice, holder: str = "Zoë Müller-Łukasz & Søn") -> Settlement:
    """An approved settlement in EUR, of two payees with IBANs."""
    for code, number in IBANS.items():
        money.by("fin").do("payee_accounts.add", referrer=code, holder=holder, number=number, currency="EUR",
                           bank_code="DEUTDEFF")  # fmt: skip
        money.by("fin").do("rewards.adjust", referrer=code, amount="1234.50", currency="EUR", reason="x")
    made = money.get(Settlement, str(money.by("fred").do("settlements.run", period="2026-11", currency="EUR").returned))
    money.ws.do("settlements.submit", made.id)
    money.by("anna").do("settlements.approve", made.id, hash=money.get(Settlement, made.id).content_hash)
    return money.get(Settlement, made.id)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_settlement_in_yuan_is_valid_iso_20022(money: MoneyOffice, version: str) -> None:
    # given
    own_account(money)
    money.earn("D1")
    money.earn("D2", event="won", gross="200.20", net="200.20")
    made = money.approved()

    # when
    file = money.by("fin").ask("settlements.payout_file", made.id, layout=version, bank_account="MAIN")

    # then
    valid(file.content, version)
    payouts = [money.payout(made, code) for code in ("D1", "D2")]
    assert texts(file.content, "EndToEndId") == [item.reference for item in payouts]
    assert texts(file.content, "NbOfTxs") == ["2", "2"]
    assert texts(file.content, "CtrlSum") == ["60.01", "60.01"]
    assert sum(map(Decimal, texts(file.content, "InstdAmt"))) == Decimal("60.01") == Decimal(file.total) / 100
    assert texts(file.content, "MsgId") == texts(file.content, "PmtInfId") == [made.number]
    assert texts(file.content, "IBAN") == []
    assert "李设计1" in texts(file.content, "Nm")
    assert file.name == "S-2026-11-CNY-0001.xml"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_settlement_in_euro_between_ibans_is_sepa(money: MoneyOffice, version: str) -> None:
    # given
    own_account(money, "EUROS", "EUR", OWN_IBAN, "PSSTFRPPPAR")
    made = in_euro(money)

    # when
    with pytest.raises(CannotBeWritten, match="SEPA"):  # our own name is Chinese
        money.by("fin").ask("settlements.payout_file", made.id, layout=version, bank_account="EUROS")
    money.ws.do("bank_accounts.edit", "EUROS", holder="Mouse & Cie")
    file = money.ws.ask("settlements.payout_file", made.id, layout=version, bank_account="EUROS", pay_on="2026-11-20")

    # then
    valid(file.content, version)
    assert texts(file.content, "IBAN") == [OWN_IBAN, *IBANS.values()]
    assert texts(file.content, "Cd") == ["SEPA"]
    assert texts(file.content, "ChrgBr") == ["SLEV"]
    assert texts(file.content, "Nm") == ["Mouse + Cie"] * 2 + ["Zoe Muller-Lukasz + Son"] * 2
    assert texts(file.content, "Dt" if version.endswith("09") else "ReqdExctnDt") == ["2026-11-20"]


def test_names_are_written_in_the_letters_that_banks_take() -> None:
    assert sepa_text("  Ærø  Straße 5/b") == "AEro Strasse 5/b"
    with pytest.raises(CannotBeWritten, match="李"):
        sepa_text("李 Ming")


def test_several_currencies_are_never_in_one_file(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    own_account(money)
    euros, yuan = in_euro(money), money.approved()

    # then
    for made, currency in ((euros, "EUR"), (yuan, "CNY")):
        rows = money.by("fin").ask("settlements.payout_file", made.id).content.decode("utf-8-sig").split("\r\n")[1:-1]
        assert {row.split(",")[8] for row in rows} == {currency}
    refused(money, NoPayingAccount, euros, layout=VERSIONS[0], bank_account="MAIN")


def refused(money: MoneyOffice, error: type[BoError], made: Settlement, **given: str) -> str:
    """A file that cannot be made; neither asking for it nor exporting it changes anything."""
    before = money.image()
    with pytest.raises(error) as raised:
        money.by("fin").ask("settlements.payout_file", made.id, **given)
    assert money.image() == before
    money.refuses(error, "fin", "settlements.export", made.id, file_hash="0" * 64, file_name="x", **given)
    return str(raised.value)


def test_a_file_that_names_who_pays_needs_an_account_of_ours_in_use(money: MoneyOffice) -> None:
    money.earn("D1")
    made = money.approved()

    refused(money, NoPayingAccount, made, layout=VERSIONS[1])
    own_account(money)
    money.ws.do("bank_accounts.edit", "MAIN", active="no")
    refused(money, NoPayingAccount, made, layout=VERSIONS[1], bank_account="MAIN")


def test_our_own_account_is_checked_as_well(money: MoneyOffice) -> None:
    with pytest.raises(BadValue, match="IBAN"):
        own_account(money, number="DE88370400440532013000")
    own_account(money)
    with pytest.raises(BadValue, match="IBAN"):
        money.ws.do("bank_accounts.edit", "MAIN", number="DE88370400440532013000")


# -- tables ------------------------------------------------------------------------------------------------------------


def test_chinese_banks_get_their_columns_in_gbk(money: MoneyOffice) -> None:
    money.earn("D1")
    money.earn("D2", event="won", gross="200", net="200")
    made = money.approved()

    file = money.by("fin").ask("settlements.payout_file", made.id, layout="cn_bank")

    first, second = (money.payout(made, code).reference for code in ("D1", "D2"))
    assert file.content.decode("gbk").split("\r\n") == [
        "序号,收款人户名,收款人账号,开户行,金额,用途,附言",
        f"1,李设计1,6222000011130001,招商银行,50.00,{made.number},{first}",
        f"2,李设计2,6222000011120002,招商银行,10.00,{made.number},{second}",
        "",
    ]


def test_a_name_that_gbk_does_not_have_is_named(money: MoneyOffice) -> None:
    # given
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]
    money.by("fin").do("payee_accounts.change", account.id, holder="李𠮷")
    money.wait(days=8)
    money.earn("D1")
    made = money.approved()

    # then
    assert refused(money, CannotBeWritten, made, layout="cn_bank") == "D1: 𠮷 cannot be written in gbk"


OWN_TEMPLATE = """
encoding = "ascii"
delimiter = ";"
header = false
[[columns]]
field = "account"
[[columns]]
field = "amount"
[[columns]]
text = "rewards"
"""


def test_a_template_of_ones_own_says_the_columns(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    made = money.approved()

    # when
    file = money.by("fin").ask("settlements.payout_file", made.id, template=OWN_TEMPLATE)
    money.ws.do("settlements.export", made.id, file_hash=file.hash, file_name="own.csv", template=OWN_TEMPLATE)

    # then
    assert file.content == b"6222000011130001;50.00;rewards\r\n"
    assert money.ws.ask("settlements.payout_file", made.id).content == file.content


@pytest.mark.parametrize(
    "template",
    ["columns = []", "x", '[[columns]]\nfield = "password"', '[[columns]]\nfile = "account"', 'encoding = "utf-7"'],
)
def test_a_template_that_cannot_be_read_is_refused(money: MoneyOffice, template: str) -> None:
    money.earn("D1")

    refused(money, BadValue, money.approved(), template=template)


# -- the one file ------------------------------------------------------------------------------------------------------


def test_there_is_one_file_whatever_is_asked_for_later(money: MoneyOffice) -> None:
    # given
    own_account(money)
    money.earn("D1")
    made = money.approved()
    chosen = {"layout": VERSIONS[1], "bank_account": "MAIN", "pay_on": "2026-11-05"}
    first = money.by("fin").ask("settlements.payout_file", made.id, **chosen)
    money.ws.do("settlements.export", made.id, file_hash=first.hash, file_name=first.name, **chosen)
    money.ws.do("bank_accounts.edit", "MAIN", holder="another name", number="1", active="no")
    before = money.image()

    # when
    again = money.ws.ask("settlements.payout_file", made.id, layout="cn_bank")
    outcome = money.ws.do("settlements.export", made.id, file_hash=again.hash, file_name="y.xml", layout="csv")

    # then
    assert (again.content, again.again, first.again) == (first.content, True, False)
    assert outcome.status == "unchanged"
    assert money.image() == before
    money.refuses(OtherFile, "fin", "settlements.export", made.id, file_hash="0" * 64, file_name="z")


def test_what_is_exported_is_reserved_at_the_bank_and_moves_nothing_yet(money: MoneyOffice) -> None:
    # given
    own_account(money)
    money.earn("D1")
    made = money.approved()
    file = money.by("fin").ask("settlements.payout_file", made.id, bank_account="MAIN")

    # when
    money.ws.do("settlements.export", made.id, file_hash=file.hash, file_name=file.name, bank_account="MAIN")

    # then
    (reserved,) = money.all(Entry, "phase:pending")
    assert reserved.source == f"payment:{money.payout(made, 'D1').id}"
    assert {(leg.account, leg.party, leg.amount) for leg in money.all(Posting, f"entry:{reserved.id}")} == {
        ("bank", "MAIN", -5000),
        ("reward_payable", money.referrers["D1"], 5000),
    }
    assert (money.balance("bank"), money.balance("reward_payable")) == (0, -5000)
    assert money.all(PaymentFile)[0].bank_account is not None

    # when
    money.ws.do("settlements.mark_paid", made.id)

    # then
    assert (money.balance("bank", "MAIN"), money.balance("reward_payable")) == (-5000, 0)
