"""The chapters of the web shop: its orders come in, what is wrong with them is found, they are sent, and some come
back."""

from __future__ import annotations

from typing import Final

from bo.core.kernel.text import _
from bo.demo.stage import Stage

BINS: Final = {"TILE-W": "A-01", "TILE-G": "A-02", "LAMP-B": "B-07", "LAMP-W": "B-08", "GLUE": "C-11"}
STOCK: Final = 20
MONEY: Final = "at,event,amount,refundable,currency,method"


def tell(stage: Stage) -> None:
    """Both chapters. Raises Damaged where the story is not as it is told."""
    orders_come_in(stage)
    some_come_back(stage)


def orders_come_in(stage: Stage) -> None:
    stage.chapter(
        _("The web shop's orders"),
        _("Its own export: several rows are one order. The same file again changes nothing."),
    )
    stage.bo("products import shop_products.csv -o table", who="shu", show=3)
    stage.quiet("warehouses add --code HZ --name 杭州仓", who="shu")
    for sku, place in BINS.items():
        stage.quiet(f"variants edit {sku} --bin {place} --yes", who="shu")
        stage.quiet(f"stock receive --variant {sku} --warehouse HZ --quantity {STOCK}", who="shu")
    stage.bo("orders import shop_orders.csv --dry-run -o table", who="shu", show=4)
    stage.bo("orders import shop_orders.csv -o table", who="shu", show=3)
    stage.bo("orders import shop_orders.csv -o table", who="shu", show=4)
    stage.say(_("Which of them need a person? One look at all of them, and the reasons:"))
    stage.quiet("exception-rules standard", who="shu")
    stage.bo("exceptions scan", who="shu", show=0)
    stage.bo("exceptions list state:open --fields order,reason,detail,priority -o table", who="shu")
    (address,) = stage.ids("exceptions", "reason:no_address", 1)
    (twice,) = stage.ids("exceptions", "reason:repeated", 1)
    stage.bo(f"exceptions take {address}", who="shu", show=0)
    stage.bo("orders edit W1002 --address '文一西路 100 号' --yes", who="shu", show=0)
    stage.bo(f"exceptions dismiss {twice} --resolution 给两个孩子 --yes", who="shu", show=0)
    stage.say(_("The address is there now; nobody has to close that case:"))
    stage.bo("exceptions scan --orders number:W1002", who="shu", show=0)
    stage.bo(f"exceptions list id:{address} --fields order,reason,owner,state,resolution -o table")


def some_come_back(stage: Stage) -> None:
    stage.chapter(
        _("Sent, refunded, exchanged"),
        _("What is held is not sent. Stock is promised first; who grants a refund need not be who pays it back."),
    )
    stage.bo("orders hold W1003 --reason 风控核对 --yes", who="shu", show=0)
    stage.bo("orders fulfil W1003 --yes", who="shu", expect=76)
    stage.bo("orders release W1003 --yes", who="shu", show=0)
    stage.bo("orders allocate --where 'channel:shopify payment:paid' --partial --yes", who="shu", show=0)
    stage.bo("stock list --fields variant,on_hand,allocated -o table", who="shu")
    stage.bo("orders print W1001 W1002 W1005 --paper picks --to picks.pdf --yes", who="shu", show=0)
    stage.bo("orders print W1001 W1002 W1005 --paper slips --to slips.pdf --yes", who="shu", show=0)
    stage.bo("orders fulfil W1002 W1005 --carrier 顺丰 --yes", who="shu", show=0)
    stage.bo("orders fulfil W1001 --lines TILE-W=4 --carrier 顺丰 --tracking SF1001 --yes", who="shu", show=0)
    fields = "number,name,total,payment,state,printed"
    stage.bo(f"orders list 'channel:shopify sort:number' --fields {fields} --limit 5 -o table", who="shu")
    _refund(stage)
    _exchange(stage)
    _reward_follows(stage)
    stage.bo("orders export orders.csv --where channel:shopify", who="shu", show=0)


def _refund(stage: Stage) -> None:
    stage.say(_("Two tiles of W1005 came chipped: money back for them, and no more than was paid."))
    stage.bo("orders refund W1005 --amount 9000 --reason 破损 --yes", who="shu", expect=76)
    stage.bo("orders refund W1005 --amount 336 --reason 破损 --yes", who="shu", show=0)
    stage.bo("refunds execute --where state:pending --reference RE-1 --yes", who="fang", show=0)
    stage.bo(f"orders money W1005 --fields {MONEY} -o table", who="fang")


def _exchange(stage: Stage) -> None:
    stage.say(_("W1002 sends two grey tiles back and takes two white lamps for them; the difference is due."))
    stage.bo("returns simulate W1002 --lines TILE-G=2 -o json", who="shu", show=9)
    stage.bo("returns request --order W1002 --lines TILE-G=2 --reason no_longer_wanted", who="shu", show=0)
    stage.bo("returns approve W1002-R1 --yes", who="shu", show=0)
    stage.bo("returns receive W1002-R1 --yes", who="shu", show=0)
    line = '\'[{"sku": "LAMP-W", "name": "吊灯 白", "quantity": 2, "price": "279.00"}]\''
    stage.bo(f"returns exchange W1002-R1 --lines {line} --yes", who="shu", show=0)
    fields = "number,total,captured,refunded,payment,state"
    stage.bo(f"orders list 'W1002' --fields {fields} -o table", who="shu")


def _reward_follows(stage: Stage) -> None:
    stage.say(_("An order that a lead made: its refund takes the reward back in proportion, by itself."))
    stage.bo("orders refund SO-1006 --amount 20000 --reason 台面取消 --yes", who="shu", show=0)
    stage.bo("refunds execute --where state:pending --yes", who="fang", show=0)
    fields = "kind,referrer,rule_code,amount,currency,state"
    taken = stage.bo(f"rewards list kind:clawback --fields {fields} -o table", who="fang")
    stage.require(len(taken.out.splitlines()) == 3, "both refunds took back a part of a reward")
