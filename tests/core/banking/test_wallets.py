"""Alipay and WeChat: backticks, preambles, rows of sums, GBK in a zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from bo.core.banking.statement import WrongSums
from tests.core.banking.files import read

WECHAT_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注\n"
)


def wechat_row(number: int, amount: str, refunded: str, fee: str) -> str:
    refund = refunded != "0.00"
    cells = [
        f"2026-11-0{number} 10:00:00", "wx1", "1900000001", "0", "", f"42000000{number}", f"O-{number}", "openid",
        "JSAPI", "REFUND" if refund else "SUCCESS", "CMB_DEBIT", "CNY", amount, "0.00",
        f"50000{number}" if refund else "0", f"R-{number}" if refund else "0", refunded, "0.00", "ORIGINAL",
        "SUCCESS" if refund else "", "杯子", "", fee, "0.60%", amount, refunded, "",
    ]  # fmt: skip
    return ",".join("`" + cell for cell in cells) + "\n"


def wechat(fee: str = "0.96") -> str:
    rows = wechat_row(1, "100.00", "0.00", "0.60000") + wechat_row(2, "70.50", "0.00", "0.42300")
    rows += wechat_row(3, "0.00", "10.00", "-0.06000")
    return (
        WECHAT_HEAD
        + rows
        + "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n"
        f"`3,`170.50,`10.00,`0.00,`{fee},`170.50,`10.00\n"
    )


def test_a_wechat_bill_is_read_and_its_sums_are_met(tmp_path: Path) -> None:
    (statement,) = read(tmp_path, wechat())
    assert (statement.format, statement.account, statement.currency) == ("wechat_merchant", "1900000001", "CNY")
    assert [(line.amount, line.fee, line.kind) for line in statement.lines] == [
        (9940, 60, "payment"), (7008, 42, "payment"), (-994, -6, "refund"),
    ]  # fmt: skip
    assert (statement.lines[0].bank_reference, statement.lines[0].reference) == ("420000001", "O-1")
    assert (statement.total, statement.fees) == (15954, 96)


def test_a_wechat_bill_whose_sums_are_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSums, match=r"states fees: 0\.99; its rows come to 0\.96"):
        read(tmp_path, wechat("0.99"))
    with pytest.raises(WrongSums, match=r"states number of rows: 3; its rows come to 2"):
        read(tmp_path, wechat().replace(wechat_row(2, "70.50", "0.00", "0.42300"), ""))


def test_fees_that_do_not_add_up_when_each_is_rounded_get_a_line_of_their_own(tmp_path: Path) -> None:
    rows = "".join(wechat_row(number, "0.90", "0.00", "0.00540") for number in range(1, 6))
    text = WECHAT_HEAD + rows + "总交易单数,应结订单总金额,退款总金额,手续费总金额\n`5,`4.50,`0.00,`0.03\n"

    (statement,) = read(tmp_path, text)

    assert [line.fee for line in statement.lines[:5]] == [1] * 5
    assert (statement.lines[5].amount, statement.lines[5].kind, statement.lines[5].purpose) == (
        2,
        "fee",
        "rounding of fees",
    )
    assert statement.total == 447


FUNDS = (
    "#支付宝账务明细查询\n#账号：[20881234567890120156]\n#起始日期：[2026年11月01日 00:00:00]\n"
    "#-----------------------------------------账务明细列表----------------------------------------\n"
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\n"
    "101\t,201\t,O-1\t,杯子\t,2026-11-02 10:00:00\t,a***@qq.com\t,100.00,0.00,1100.00,支付宝\t,在线支付\t,\t\n"
    "102\t,201\t,O-1\t,杯子\t,2026-11-02 10:00:01\t,\t,0.00,-0.60,1099.40,支付宝\t,收费\t,\t\n"
    "103\t,301\t,\t,\t,2026-11-03 10:00:00\t,\t,0.00,-1000.00,99.40,支付宝\t,提现\t,\t\n"
    "#-----------------------------------------账务明细列表结束------------------------------------\n"
    "#支出合计：2笔，共-1000.60元\n#收入合计：1笔，共100.00元\n#导出时间：[2026年12月01日 08:00:00]\n"
)


def zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20881234567890120156_20261101_账务明细.csv", text.encode("gb18030"))
    return packed.getvalue()


def test_alipay_funds_come_as_gbk_in_a_zip(tmp_path: Path) -> None:
    (statement,) = read(tmp_path, zipped(FUNDS), "file.zip")
    assert (statement.format, statement.account) == ("alipay_funds", "20881234567890120156")
    assert (statement.opening, statement.closing) == (100000, 9940)
    assert [(line.amount, line.kind, line.bank_reference) for line in statement.lines] == [
        (10000, "payment", "101"), (-60, "fee", "102"), (-100000, "payout", "103"),
    ]  # fmt: skip
    assert statement.lines[0].counterparty_account == "a***@qq.com"


def test_alipay_funds_that_lack_a_row_are_refused(tmp_path: Path) -> None:
    lines = FUNDS.splitlines(keepends=True)
    with pytest.raises(WrongSums, match="rows of money out: 2; its rows come to 1"):
        read(tmp_path, "".join(line for line in lines if not line.startswith("103")))
    with pytest.raises(WrongSums, match=r"line 7: the balance 1099\.40 does not follow"):
        read(tmp_path, FUNDS.replace("1100.00", "1100.01"))


def test_an_alipay_trade_detail_keeps_what_the_merchant_got_less_the_fee(tmp_path: Path) -> None:
    text = (
        "#支付宝业务明细查询\n#账号：[20881234567890120156]\n"
        "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,商家实收（元）,服务费（元）,分润（元）,退款批次号/请求号,备注\n"
        "2026110222\t,O-1\t,交易\t,杯子\t,2026-11-02 10:00:00,2026-11-02 10:00:05,a***,100.00,98.00,-0.60,0.00,\t,\t\n"
        "2026110222\t,O-1\t,退款\t,杯子\t,2026-11-03 10:00:00,2026-11-03 10:00:05,a*,-10.00,-10.00,0.06,0,RF1\t,\t\n"
        "#交易合计：1笔，商家实收共98.00元，商家优惠共0.00元\n#退款合计：1笔，商家实收退款共-10.00元，商家优惠退款共0.00元\n"
    )
    (statement,) = read(tmp_path, text.encode("gb18030"))
    assert [(line.amount, line.fee, line.kind, line.end_to_end_id) for line in statement.lines] == [
        (9740, 60, "payment", ""), (-994, -6, "refund", "RF1"),
    ]  # fmt: skip


def personal(count: int = 4) -> str:
    return (
        "微信支付账单明细,,,,,,,,,,\n微信昵称：[测试],,,,,,,,,,\n"
        f"共{count}笔记录,,,,,,,,,,\n收入：1笔 0.35元,,,,,,,,,,\n"
        "支出：2笔 28.16元,,,,,,,,,,\n中性交易：1笔 100.10元,,,,,,,,,,\n"
        "----------------------微信支付账单明细列表--------------------,,,,,,,,,,\n"
        "交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注\n"
        '2026-11-04 12:45:27,商户消费,米线,"总共消费:28.00",支出,¥28.00,零钱,支付成功,"4000000001"\t,"1"\t,/\n'
        "2026-11-03 12:45:27,商户消费,水,/,支出,¥0.16,零钱,支付成功,4000000002\t,2\t,/\n"
        "2026-11-02 12:45:27,微信红包,友,/,收入,¥0.35,/,已存入零钱,4000000003\t,3\t,/\n"
        "2026-11-01 12:45:27,零钱提现,招商银行,/,/,¥100.10,招商银行,提现已到账,4000000004\t,/\t,服务费¥0.10\n"
    )


def test_a_personal_wechat_list_is_read_from_oldest_to_newest(tmp_path: Path) -> None:
    (statement,) = read(tmp_path, personal())
    assert [(line.amount, line.kind, line.bank_reference) for line in statement.lines] == [
        (-10010, "payout", "4000000004"), (35, "payment", "4000000003"), (-16, "payment", "4000000002"),
        (-2800, "payment", "4000000001"),
    ]  # fmt: skip


def test_a_personal_list_that_says_it_has_more_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSums, match="number of rows: 43; its rows come to 4"):
        read(tmp_path, personal(43))
