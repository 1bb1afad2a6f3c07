"""Reports of payment channels: gross, fee and net; payouts; memos; stated totals."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bo.core.banking.statement import NotAStatement, WrongSums
from tests.core.banking.files import read


def test_stripe_tells_gross_fee_and_net(tmp_path: Path) -> None:
    # given
    text = (
        "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description\n"
        "txn_1,2026-11-02 08:00:00,2026-11-04 00:00:00,eur,100.00,1.75,98.25,charge,ch_1,Order 7\n"
        "txn_2,2026-11-03 08:00:00,2026-11-04 00:00:00,eur,-20.00,0.00,-20.00,refund,re_1,\n"
        "txn_3,2026-11-04 08:00:00,2026-11-04 00:00:00,eur,-78.25,0.00,-78.25,payout,po_1,STRIPE PAYOUT\n"
        "txn_4,2026-11-04 08:00:00,2026-11-04 00:00:00,usd,-15.00,15.00,-30.00,dispute,dp_1,\n"
    )

    # when
    euro, dollar = read(tmp_path, text)

    # then
    assert [(line.amount, line.fee, line.gross, line.kind) for line in euro.lines] == [
        (9825, 175, 10000, "payment"), (-2000, 0, -2000, "refund"), (-7825, 0, -7825, "payout"),
    ]  # fmt: skip
    assert (euro.lines[0].bank_reference, euro.lines[0].reference, euro.lines[0].purpose) == (
        "txn_1",
        "ch_1",
        "Order 7",
    )
    assert (euro.total, euro.fees, dollar.lines[0].kind) == (0, 175, "chargeback")


def test_stripe_where_gross_less_fee_is_not_net_is_refused(tmp_path: Path) -> None:
    head = "balance_transaction_id,created_utc,currency,gross,fee,net,description\n"
    text = head + "txn_1,2026-11-02,eur,10.00,1.00,8.99,x\n"
    with pytest.raises(WrongSums, match=r"line 2: 10\.00 less a fee of 1\.00 is not 8\.99 EUR"):
        read(tmp_path, text)


def test_a_list_of_stripe_payments_leaves_out_what_was_not_paid(tmp_path: Path) -> None:
    head = "Created date (UTC);Amount;Currency;Converted Amount;Converted Currency;Fee;Status;Invoice Number\n"
    text = head + "".join(
        f"2026-11-0{day} 10:00:00;{amount};{currency};350.06;thb;26.63;{status};I-{day}\n"
        for day, amount, currency, status in [
            (1, "15.00", "usd", "Paid"), (2, "9.00", "eur", "Paid"), (3, "7.00", "eur", "Failed"),
        ]
    )  # fmt: skip
    statements = read(tmp_path, text)
    assert [(item.currency, item.total, len(item.lines)) for item in statements] == [("USD", 1500, 1), ("EUR", 900, 1)]
    assert statements[1].lines[0].facts["Converted Amount"] == "350.06"


PAYPAL = '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","Transaction ID","Balance"\n'


def test_paypal_memos_that_move_no_balance_are_left_out(tmp_path: Path) -> None:
    text = PAYPAL + (
        '"11/02/2026","03:00:00","PDT","Ann","Payment","Completed","USD","10.00","-0.59","9.41","T1","9.41"\n'
        '"11/02/2026","03:00:01","PDT","Ann","Memo","Completed","USD","10.00","0.00","10.00","T2","9.41"\n'
        '"11/15/2026","03:00:02","PDT","","Refund","Completed","USD","-1,000.0","0.00","-1,000.0","T3","-990.59"\n'
    )
    (statement,) = read(tmp_path, text)
    assert [(line.amount, line.fee, line.kind) for line in statement.lines] == [
        (941, 59, "payment"),
        (-100000, 0, "refund"),
    ]
    assert (statement.opening, statement.closing) == (0, -99059)
    assert statement.notes == ("memos that move no balance: 1",)


def test_adyen_has_columns_for_both_directions(tmp_path: Path) -> None:
    head = (
        "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
        "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,"
        "Net Debit (NC),Net Credit (NC),Commission (NC)\n"
    )
    text = head + (
        "Co,Shop,P1,O-1,visa,2026-11-02 10:00:00,CET,Settled,M1,EUR,,100.00,1,EUR,,98.50,1.50\n"
        "Co,Shop,,,,2026-11-03 10:00:00,CET,MerchantPayout,,EUR,98.50,,1,EUR,98.50,,\n"
    )
    (statement,) = read(tmp_path, text)
    assert [(line.amount, line.fee, line.kind) for line in statement.lines] == [
        (9850, 150, "payment"),
        (-9850, 0, "payout"),
    ]
    assert (statement.account, statement.lines[0].bank_reference) == ("Shop", "M1")


def test_shopify_payouts_leave_the_channel_as_lines(tmp_path: Path) -> None:
    head = "Transaction Date,Type,Order,Payout Status,Payout Date,Payout ID,Available On,Amount,Fee,Net,Currency\n"
    text = head + (
        "2026-11-02 10:00:00,charge,#1,paid,2026-11-05,77,2026-11-04,10.00,0.59,9.41,EUR\n"
        "2026-11-03 10:00:00,refund,#1,paid,2026-11-05,77,2026-11-04,-3.00,0.00,-3.00,EUR\n"
        "2026-11-04 10:00:00,charge,#2,pending,,,,5.00,0.30,4.70,EUR\n"
    )
    (statement,) = read(tmp_path, text)
    assert [(line.amount, line.kind, line.reference) for line in statement.lines] == [
        (941, "payment", "#1"), (-300, "refund", "#1"), (470, "payment", "#2"), (-641, "payout", "77"),
    ]  # fmt: skip
    assert statement.lines[-1].day == date(2026, 11, 5)


AMAZON = (
    "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency\ttransaction-type\t"
    "order-id\tmarketplace-name\tamount-type\tamount-description\tamount\tposted-date\tsku\n"
)


def amazon(total: str) -> str:
    rows = [
        f"S1\t2026-10-20\t2026-11-03\t2026-11-05\t{total}\tEUR\t\t\t\t\t\t\t\t",
        "S1\t\t\t2026-11-05\t\t\tOrder\tO-1\tAmazon.de\tItemPrice\tPrincipal\t100.00\t2026-10-21\tA",
        "S1\t\t\t2026-11-05\t\t\tOrder\tO-1\tAmazon.de\tItemFees\tCommission\t-15.00\t2026-10-21\tA",
        "S1\t\t\t2026-11-05\t\t\tRefund\tO-0\tAmazon.de\tItemPrice\tPrincipal\t-20.00\t2026-10-22\tA",
        "S1\t\t\t2026-11-05\t\t\tother-transaction\t\t\tother-transaction\tCurrent Reserve Amount\t-5.00\t2026-11-03\t",
    ]
    return AMAZON + "\n".join(rows) + "\n"


def test_an_amazon_settlement_pays_out_what_its_rows_come_to(tmp_path: Path) -> None:
    (statement,) = read(tmp_path, amazon("60.00"), currency="EUR")
    assert [(line.amount, line.kind) for line in statement.lines] == [
        (10000, "payment"), (-1500, "fee"), (-2000, "refund"), (-500, "reserve"), (-6000, "payout"),
    ]  # fmt: skip
    assert (statement.number, statement.opening, statement.closing) == ("S1", 0, 0)
    assert (statement.lines[-1].day, statement.lines[-1].reference) == (date(2026, 11, 5), "S1")


def test_an_amazon_settlement_whose_total_is_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSums, match=r"S1 states a total of 60\.01; its entries come to 60\.00 EUR"):
        read(tmp_path, amazon("60.01"), currency="EUR")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>', "a payment order"),
        ('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', "a schema"),
        ("101 03130001202313801041908161055A094101Federal\n", "an ACH payment order"),
        ('{"object": "balance"}', "JSON of an interface"),
        ('option "title" "Books"\n2026-01-01 open Assets:Bank\n', "Beancount"),
        ("2026/01/02 Rent\n  Expenses:Rent   $5\n  Assets:Bank\n", "Ledger, hledger"),
        ("<html><body>Your statement</body></html>", "XML of another kind"),
        ("approval-date\treimbursement-id\tamount-total\n2026-11-02\tR1\t5.00\n", "what Amazon made good"),
    ],
)
def test_what_is_no_statement_is_told_by_what_it_is(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(NotAStatement, match=what):
        read(tmp_path, text)
