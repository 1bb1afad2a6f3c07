"""Writes the made-up files of `bo demo`: stores, territories, referrers and a few hundred messy leads in two languages.

`python -m tools.make_demo_data` writes the same bytes each time. Every name, number and address is invented; phone
numbers come from ranges that are
not given out where there are such ranges.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/bo/demo/data"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = [
    "伟",
    "芳",
    "娜",
    "秀英",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "刚",
    "桂英",
    "子涵",
    "雨桐",
    "浩然",
]
FIRST = [
    "James",
    "Mary",
    "Robert",
    "Linda",
    "Wei",
    "Grace",
    "Omar",
    "Elena",
    "Noah",
    "Priya",
    "Lucas",
    "Chloé",
    "Søren",
    "Ana",
    "Ivan",
    "Yuki",
]
LAST = [
    "Smith",
    "Johnson",
    "O'Neill",
    "Garcia",
    "Müller",
    "Kowalski",
    "Nguyen",
    "Rossi",
    "Chan",
    "Dubois",
    "Novak",
    "Silva",
    "Haddad",
    "Khan",
]
CITIES = {
    "杭州": (["西湖区", "拱墅区", "滨江区", "余杭区"], ["翡翠城", "绿园", "金色江南", "良渚文化村"]),
    "上海": (["徐汇区", "浦东新区", "闵行区"], ["万科城市花园", "仁恒河滨城", "古北新城"]),
    "南京": (["鼓楼区", "建邺区"], ["江湾城", "金陵家园"]),
    "苏州": (["姑苏区", "工业园区"], ["中海御景", "湖左岸"]),
    "成都": (["武侯区", "高新区"], ["锦江花园", "天府名居"]),
}
STORES = [
    ("HZ-XIHU", "西湖旗舰店", "浙江", "杭州", "西湖区", 40, "全屋定制,橱柜"),
    ("HZ-BJ", "滨江店", "浙江", "杭州", "滨江区", 25, ""),
    ("SH-XH", "徐汇店", "上海", "上海", "徐汇区", 30, ""),
    ("SH-PD", "浦东店", "上海", "上海", "浦东新区", 30, "橱柜,木门"),
    ("NJ-GL", "鼓楼店", "江苏", "南京", "鼓楼区", 20, ""),
    ("SZ-SIP", "园区店", "江苏", "苏州", "工业园区", 12, ""),
]
CATEGORIES = ["全屋定制", "橱柜", "木门", "卫浴"]
SOURCES = ["设计师推荐", "老客户介绍", "展会", "抖音", "小红书", "门店自然到店"]


def phone(dice: random.Random) -> str:
    return f"1{dice.choice('356789')}{dice.randrange(10)}0000{dice.randrange(10_000):04d}"


def spelled(dice: random.Random, number: str) -> str:
    """The same number as people write it."""
    forms = [
        number,
        number,
        number,
        f"+86 {number[:3]} {number[3:7]} {number[7:]}",
        f"0086{number}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
        number.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}),
        f" {number} ",
        f"86-{number}",
    ]
    return dice.choice(forms)


def chinese_leads(dice: random.Random, referrers: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    known: list[tuple[str, str]] = []
    start = datetime(2026, 10, 3, 9, 0, tzinfo=UTC)
    for number in range(1, 261):
        city = dice.choices(list(CITIES), [5, 4, 2, 2, 1])[0]
        districts, communities = CITIES[city]
        name = dice.choice(SURNAMES) + dice.choice(GIVEN)
        mobile = phone(dice)
        if known and dice.random() < 0.09:  # reported again by somebody else, with the phone spelt another way
            name, mobile = dice.choice(known)
        known.append((name, mobile))
        cell = spelled(dice, mobile)
        if dice.random() < 0.04:
            cell += dice.choice([" / ", "；", "、"]) + phone(dice)
        start += timedelta(minutes=dice.randrange(5, 140))
        budget = dice.choice(["", "", "50000", "￥80,000", "12万", "30,000.00", "150000元"])
        note = dice.choice(
            [
                "",
                "",
                "近期装修，想看样板间",
                "电话联系不方便，先加微信",
                "VIP 客户，请优先",
                "已量房",
                "对比过 2 家",
                "<b>急</b> 周末到店",
            ]
        )
        rows.append(
            [
                f"BB2610{number:04d}",
                name,
                cell,
                city,
                dice.choice(districts),
                dice.choice(communities),
                f"{dice.randrange(1, 30)}-{dice.randrange(1, 33)}0{dice.randrange(1, 5)}",
                dice.choice(CATEGORIES),
                dice.choice(SOURCES),
                dice.choice(referrers),
                budget,
                start.strftime("%Y/%m/%d %H:%M"),
                note,
                dice.choice(["", "是", "否"]),
            ]
        )
    rows[41][2] = "电话见微信"  # no number at all
    rows[97][10] = "八万左右"  # an amount nobody can read
    rows[150][11] = "2026/02/30 10:00"  # a day that does not exist
    rows[203][9] = "D999"  # nobody's code
    return rows


def english_leads(dice: random.Random, referrers: list[str]) -> list[list[str]]:
    rows = []
    start = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
    for number in range(1, 91):
        name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
        mail = f"{name.split(maxsplit=1)[0].lower()}.{number}@example.{dice.choice(['com', 'org', 'net'])}".replace(
            "é", "e"
        ).replace("ø", "o")
        start += timedelta(minutes=dice.randrange(20, 400))
        mobile = dice.choice(
            [
                f"+86 {spelled(dice, phone(dice)).strip()[-11:]}",
                f"+1 (212) 555-01{dice.randrange(100):02d}",
                f"+44 20 7946 0{dice.randrange(1000):03d}",
                "",
            ]
        )
        rows.append(
            [
                f"EX-{number:03d}",
                name,
                mobile,
                mail if dice.random() < 0.9 else "",
                dice.choice(["Shanghai", "Hangzhou", "上海", "杭州"]),
                dice.choice(["Kitchen", "Whole house", "Doors"]),
                dice.choice(["Expo", "Website", "Referral"]),
                dice.choice([*referrers, ""]),
                dice.choice(["", "1,200.50", "USD 15,000", "98.000,00"])
                if number % 30 == 0
                else dice.choice(["", "", "15000", "8,500.00"]),
                start.strftime("%Y-%m-%dT%H:%M:%S+08:00"),
                dice.choice(["", "wants a showroom visit", '=HYPERLINK("http://example.com")', "call after 6pm"]),
            ]
        )
    rows[10] = list(rows[3])  # the same row twice, under another number
    rows[10][0] = "EX-011"
    return rows


def shop_orders() -> list[list[str]]:
    """The web shop's own export: several rows an order, and what goes wrong in shops: an address that is missing, a
    risky payment, a SKU nobody knows, the same order twice, one that nobody pays."""
    orders = [
        ("W1001", "顾清", "13900001001", "文三路 18 号", "paid", "low", [("TILE-W", 6), ("GLUE", 2)]),
        ("W1002", "沈默", "13900001002", "", "paid", "low", [("TILE-G", 4)]),
        ("W1003", "叶舟", "13900001003", "体育场路 5 号", "paid", "high", [("LAMP-B", 1)]),
        ("W1004", "何川", "13900001004", "环城北路 77 号", "paid", "low", [("LAMP-W", 2), ("OLD-77", 1)]),
        ("W1005", "方宁", "13900001005", "凤起路 9 号", "paid", "low", [("TILE-W", 3)]),
        ("W1006", "方宁", "13900001005", "凤起路 9 号", "paid", "low", [("TILE-W", 3)]),
        ("W1007", "白露", "13900001007", "解放路 210 号", "pending", "low", [("LAMP-B", 2)]),
        ("W1008", "韩雪", "13900001008", "庆春路 66 号", "paid", "low", [("TILE-G", 2), ("LAMP-W", 1), ("GLUE", 1)]),
        ("W1009", "陆远", "13900001009", "曙光路 31 号", "paid", "low", [("LAMP-B", 30)]),
    ]
    rows = []
    for place, (number, name, mobile, street, status, risk, lines) in enumerate(orders):
        placed = f"2026-11-{1 + place // 4:02d} {9 + place % 4:02d}:{15 * (place % 4):02d}:00 +0800"
        goods = sum(PRICES.get(sku, 120) * pieces for sku, pieces in lines)
        head = [status, placed if status == "paid" else "", "CNY", f"{goods}.00", "12.00", f"{goods + 12}.00", name,
                street, "杭州", "浙江", "CN", mobile, risk]  # fmt: skip
        for sku, pieces in lines:
            line = [str(pieces), NAMES.get(sku, "旧款门板"), f"{PRICES.get(sku, 120)}.00", sku]
            rows.append([number, placed, *(head if sku == lines[0][0] else [""] * len(head)), *line])
    return rows


def table(header: list[str], rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


PRICES = {"TILE-W": 168, "TILE-G": 188, "LAMP-B": 299, "LAMP-W": 279, "GLUE": 45}
NAMES = {"TILE-W": "墙砖 白", "TILE-G": "墙砖 灰", "LAMP-B": "吊灯 黑", "LAMP-W": "吊灯 白", "GLUE": "瓷砖胶"}
ORDER_COLUMNS = [
    "Name", "Created at", "Financial Status", "Paid at", "Currency", "Subtotal", "Shipping", "Total", "Shipping Name",
    "Shipping Street", "Shipping City", "Shipping Province", "Shipping Country", "Phone", "Risk Level",
    "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku",
]  # fmt: skip


def main() -> None:
    dice = random.Random(20261103)
    TARGET.mkdir(parents=True, exist_ok=True)
    stores = [
        [code, name, province, city, district, str(capacity), categories]
        for code, name, province, city, district, capacity, categories in STORES
    ]
    write("stores.csv", table(["门店编号", "门店名称", "省份", "城市", "区", "容量", "品类"], stores), "utf-8-sig")
    territories = [
        [f"T-{row[0]}-{place}", row[0], row[2], row[3], district]
        for row in stores
        for place, district in enumerate(["", row[4]])
    ]
    write("territories.csv", table(["code", "store", "province", "city", "district"], territories), "utf-8")
    kinds = ["designer"] * 14 + ["partner"] * 6 + ["shopper"] * 4
    referrers = [
        [
            f"D{number:03d}",
            dice.choice(SURNAMES) + dice.choice(GIVEN),
            kind,
            phone(dice),
            dice.choice(["东方设计", "一家一装饰", "山水空间", ""]),
        ]
        for number, kind in enumerate(kinds, 1)
    ]
    write("referrers.csv", table(["推荐人编号", "姓名", "类型", "手机", "公司"], referrers), "utf-8-sig")
    codes = [row[0] for row in referrers]
    header = [
        "报备编号",
        "客户姓名",
        "联系电话",
        "城市",
        "区",
        "小区",
        "房号",
        "品类",
        "来源",
        "推荐人",
        "预算",
        "报备时间",
        "备注",
        "已加微信",
    ]
    write("leads_zh.csv", table(header, chinese_leads(dice, codes)), "gb18030")
    header = [
        "Lead ID",
        "Full Name",
        "Phone Number",
        "Email Address",
        "City",
        "Product Interest",
        "Lead Source",
        "Referrer",
        "Budget",
        "Created Date",
        "Notes",
    ]
    write("leads_en.csv", table(header, english_leads(dice, codes), ";"), "utf-8-sig")
    products = [
        [handle, title, "颜色" if option else "", option, sku, f"{PRICES[sku]}.00", "shopify"]
        for handle, title, option, sku in (
            ("tile", "墙砖", "白", "TILE-W"), ("tile", "", "灰", "TILE-G"), ("lamp", "吊灯", "黑", "LAMP-B"),
            ("lamp", "", "白", "LAMP-W"), ("glue", "瓷砖胶", "", "GLUE"),
        )
    ]  # fmt: skip
    header = ["Handle", "Title", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price",
              "Variant Inventory Tracker"]  # fmt: skip
    write("shop_products.csv", table(header, products), "utf-8-sig")
    write("shop_orders.csv", table(ORDER_COLUMNS, shop_orders()), "utf-8-sig")


def write(name: str, text: str, encoding: str) -> None:
    (TARGET / name).write_bytes(text.encode(encoding))


if __name__ == "__main__":
    main()
