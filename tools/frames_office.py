"""The made-up office whose screens `tools.frames` records: the same one, to the last id, however often it is made."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bo.core.kernel.database import DATABASE_NAME, SqliteDatabase
from bo.core.kernel.dispatch import Call
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, database_at
from bo.core.office import context_for, found, open_database
from bo.sync.central import Caller, Central
from bo.sync.client import Client, found_device
from bo.sync.protocol import Ticket
from bo.sync.transport import Within
from tools import frames_money

BEGAN = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # a Monday, 9:00 in Shanghai
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
LEADS = (
    ("王伟", "13800130001", "杭州", "drama expo", "想看厨房，周末有空"),
    ("Ann Moss", "13800130002", "上海", "form", "whole flat, 98 m²"),
    ("李娜", "13800130003", "上海", "designer", ""),
    ("Dmitri Núñez", "13800130004", "北京", "partner", "call after 18:00"),
    ("张敏", "13800130005", "苏州", "小红书", "预算十万"),
    ("陈静", "13800130006", "上海", "form", ""),
    ("Bob O'Neil", "13800130007", "杭州", "shop", "wardrobe only"),
    ("刘洋", "13800130008", "南京", "form", "二手房翻新"),
    ("杨丽", "13800130009", "上海", "designer", ""),
    ("赵磊", "13800130010", "杭州", "drama expo", "needs a quote this week"),
    ("黄艳", "13800130011", "宁波", "小红书", ""),
    ("Chloë Smith", "13800130012", "上海", "form", "kitchen, island"),
    ("Chloe Smith", "13800130013", "上海", "shop", "kitchen with an island"),
)
HOMES = {"Chloë Smith": "静安府", "Chloe Smith": "静安府"}  # who may be the same customer
KNOWN, UNKNOWN = "KIT-01", "ISL-07"  # SKUs: of a product that there is, and of none
ORDERS = (  # number, customer, city, total, paid, and what is wrong with it
    ("1001", "王伟", "上海", 1280000, 1280000, ""),
    ("1002", "Ann Moss", "杭州", 459900, 459900, "sku"),
    ("1003", "李娜", "上海", 89900, 0, ""),
    ("1004", "Eve Zhang", "北京", 2350000, 2350000, "address"),
    ("1005", "张敏", "苏州", 129900, 129900, ""),
    ("1006", "Farid Moss", "上海", 760000, 300000, "risk"),
)


class Numbered:
    """Operation ids in order, and a clock that goes on with them until it is stopped."""

    def __init__(self, began: datetime = BEGAN, letter: str = "0") -> None:
        self.now = began
        self._made = 0
        self._letter = letter

    def clock(self) -> datetime:
        return self.now

    def skip(self, moment: datetime) -> None:
        """Go on to a moment, unless it is later already."""
        self.now = max(self.now, moment)

    def new_id(self) -> str:
        self._made += 1
        self.now += timedelta(minutes=37)
        return f"op_01m7{self._letter}{self._made:021d}"


def make(folder: Path) -> None:
    """Make the office in a folder, and beside it a device of it with a conflict."""
    folder.mkdir(parents=True)
    numbers = Numbered(frames_money.BEGAN)
    office = found(
        SqliteDatabase(folder / DATABASE_NAME),
        context_for("CN"),
        operator="mei",
        name="Mei Lin",
        clock=numbers.clock,
        new_id=numbers.new_id,
    )
    do = _doing(office)
    for code, name in (("S1", "浦东店"), ("S2", "West")):
        do("stores.add", code=code, name=name, city="上海")
    do("operators.add", login="hugo", name="Hugo", roles=["manager"])
    money = frames_money.Money(office, do, numbers.skip)
    money.begin()
    money.earn(0)
    first_week = money.settle("2026-W45")
    money.pay(first_week)
    numbers.skip(BEGAN - timedelta(days=7))
    money.earn(1)
    money.settle("2026-W46")
    numbers.skip(BEGAN)
    leads = [
        do("leads.report", name=name, phone=phone, city=city, source=source, note=note, community=HOMES.get(name, ""))
        for name, phone, city, source, note in LEADS
    ]
    for lead in leads[:4]:
        do("leads.accept", lead)
    do("leads.assign", leads[0], store="S1")
    do("leads.reject", leads[4], reason="no_intent")
    do("leads.request_info", leads[5], note="which flat?")
    _sell(do, numbers)
    money.earn(2)
    money.give_back()
    money.state(first_week)
    do("exception_rules.standard")
    do("exceptions.scan")
    numbers.skip(NOW)
    _make_device(folder, office, numbers, leads[7])
    office.close()
    _make_file(folder)


def _doing(office: Workspace) -> Callable[..., str]:
    """Run a command, which has to succeed; the id of what it made."""

    def do(name: str, subject: str | None = None, /, **args: object) -> str:
        (outcome,) = office.run([Call(name, subject, args)], atomic=True)
        return outcome.returned or ""

    return do


def _sell(do: Callable[..., str], numbers: Numbered) -> None:
    """Orders of a shop: most are as they should be."""
    do("products.record", title="Kitchen 厨房", variants=[{"sku": KNOWN, "price": 1280000}])
    for number, name, city, total, captured, wrong in ORDERS:
        sku = UNKNOWN if wrong == "sku" else KNOWN
        told: dict[str, object] = {} if wrong == "address" else {"address": f"{city}路 {number} 号"}
        if wrong == "risk":
            told["risk"] = "high"
        order = do("orders.record", number=number, name=name, city=city, total=total, captured=captured, channel="shop",
                   phone=f"1390013{number}", method="card", placed_at=numbers.now - timedelta(days=3 * int(number[-1])),
                   lines=[{"sku": sku, "name": "Kitchen 厨房", "quantity": 1, "price": total}], **told)  # fmt: skip
        if wrong == "address":
            do("orders.hold", order, reason=wrong)


def _make_device(folder: Path, office: Workspace, numbers: Numbered, lead: str) -> None:
    """Hugo's laptop, which rejected a lead that had been accepted meanwhile."""
    operator = str(office.reader().page("operators", "login:hugo", fields=("id",)).rows[0][0])
    device = str(office.do("devices.register", None, operator=operator, name="laptop").returned)
    database = SqliteDatabase(folder / "device.db")
    found_device(
        database, Ticket("", operator, device, 0, "CN", "CNY", "Asia/Shanghai", NOW), "https://central.example/acme"
    )
    own = Numbered(numbers.now, "9")
    laptop = open_database(database, operator=SYSTEM.id, clock=numbers.clock, new_id=own.new_id)
    laptop.actor = operator
    central = Central(lambda: open_database(database_at(folder), operator=SYSTEM.id, clock=numbers.clock))
    client = Client(laptop, Within(central, lambda: Caller(operator, device)))
    client.sync()
    office.do("leads.accept", lead)
    laptop.do("leads.reject", lead, reason="no_intent")
    client.sync()
    laptop.close()
    central.close()
    (folder / "device.who").write_text(operator)


def _make_file(folder: Path) -> None:
    """A file to import, in a folder of its own."""
    file = folder / "files" / "expo.csv"
    file.parent.mkdir()
    file.write_text("姓名,电话,城市,备注\n周涛,13811110001,杭州,周末看房\n吴芳,13811110002,上海,\n", "utf-8")
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))


def opened(folder: Path, device: bool = False) -> Workspace:
    """The office, or the device beside it, at the moment that all frames show."""
    if not device:
        return open_database(database_at(folder), operator="mei", clock=lambda: NOW, new_id=Numbered(NOW, "8").new_id)
    laptop = open_database(SqliteDatabase(folder / "device.db"), operator=SYSTEM.id, clock=lambda: NOW)
    laptop.actor = (folder / "device.who").read_text()
    return laptop
