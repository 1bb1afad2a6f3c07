"""The figures of the dashboard, asked of the office and put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.core.kernel.amounts import exponent_of, format_amount
from bo.core.kernel.moments import zone_of
from bo.core.kernel.text import _
from bo.core.views.shipped import split_sort
from bo.tui.source import Bars, Board, Figure, Trend, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo.core.analytics.queries import Sales
    from bo.core.kernel.workspace import Workspace
    from bo.core.leads.queries import Stage

PERIODS: Final = {"day": 30, "week": 26, "month": 24}
STORES_SHOWN: Final = 8


def board(workspace: Workspace, unit: str) -> Board:
    """All that the operator may see."""
    reader = workspace.reader()
    sales = workspace.ask("dashboard.sales", by=unit, last=PERIODS[unit]) if reader.actor.may("orders.read") else []
    leads = reader.actor.may("leads.read")
    stores = workspace.ask("leads.funnel", by="store") if leads else []
    waiting = [
        Waiting(pile.of, _(pile.name.replace("_", " ").capitalize()), pile.count, *split_sort(pile.filter))
        for pile in workspace.ask("dashboard.piles")
    ]
    return Board(
        workspace.clock().astimezone(zone_of(workspace.context.zone)).strftime("%Y-%m-%d %H:%M"),
        tuple(_figures(sales, unit)),
        _trend(sales),
        tuple(waiting),
        tuple([_how_far(stores), _by_store(workspace, stores)] if stores else ()),
    )


def _figures(sales: Sequence[Sales], unit: str) -> list[Figure]:
    """Sums over all the periods shown; nothing where there is nothing to see."""
    if not sales:
        return []
    money = sales[0].currency
    last = {"day": _("last 30 days"), "week": _("last 26 weeks"), "month": _("last 24 months")}[unit]
    orders, orders_before = sum(item.orders for item in sales), sum(item.orders_before for item in sales)
    total, total_before = sum(item.total for item in sales), sum(item.total_before for item in sales)
    refunded = sum(item.refunded for item in sales)
    return [
        Figure(_("Orders, {period}", period=last), f"{orders:,}", f"{orders_before:,}{_change(orders, orders_before)}"),
        Figure(
            _("Sales in {currency}", currency=money),
            _grouped(total, money),
            f"{_grouped(total_before, money)}{_change(total, total_before)}",
        ),
        Figure(_("of which refunded"), _grouped(refunded, money)),
    ]


def _grouped(minor: int, currency: str) -> str:
    whole, dot, rest = format_amount(minor, currency).partition(".")
    return f"{int(whole):,}{dot}{rest}"


def _change(now: int, before: int) -> str:
    return f"  {(now - before) / before:+.0%}" if before else ""


def _trend(sales: Sequence[Sales]) -> Trend:
    if not sales:
        return Trend(_("Sales"))
    money = sales[0].currency
    unit = 10 ** exponent_of(money)
    return Trend(
        _("Sales in {currency}", currency=money),
        tuple(item.start.strftime("%m-%d") for item in sales),
        tuple(item.total / unit for item in sales),
        tuple(item.total_before / unit for item in sales),
    )


def _how_far(stages: Sequence[Stage]) -> Bars:
    """The conversion funnel over all leads."""
    steps = {
        _("reported leads"): sum(stage.reported for stage in stages),
        _("found valid"): sum(stage.valid for stage in stages),
        _("given to a store"): sum(stage.at_store for stage in stages),
        _("won"): sum(stage.won for stage in stages),
    }
    return Bars(_("How far leads get"), tuple(steps.items()))


def _by_store(workspace: Workspace, stages: Sequence[Stage]) -> Bars:
    reader = workspace.reader()
    stores = [stage for stage in stages if stage.group][:STORES_SHOWN]
    names: dict[str, str] = {}
    if stores and reader.actor.may("stores.read"):
        ids = ",".join(stage.group for stage in stores)
        names = {str(row[0]): str(row[1]) for row in reader.page("stores", f"id:{ids}", fields=("id", "name")).rows}
    return Bars(_("Won by store"), tuple((names.get(stage.group, stage.group[-8:]), stage.won) for stage in stores))
