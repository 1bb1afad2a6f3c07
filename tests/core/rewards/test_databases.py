"""Rewards on both databases: the same history comes to the same lines, and replays to the same bytes on the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bo.core.access.permissions import authorise
from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Call
from bo.core.kernel.record import info_of
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.referrers.records import Referrer
from bo.core.rewards.records import Dispute, RewardLine, RewardRule
from tests.core.kernel.conftest import new_database
from tests.core.money_office import office_in

__all__ = ["new_database"]  # a fixture of the kernel's tests, which know how a database is made

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
INFOS = [info_of(cls) for cls in (Referrer, RewardRule, RewardLine, Dispute)]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_shares_caps_tiers_clawbacks_and_disputes_are_the_same_everywhere(
    dialect: str, new_database: Callable[[str], Database]
) -> None:
    # given
    money = office_in(new_database(dialect))
    west = str(money.by("boss").do("stores.add", code="WEST", name="West side").returned)
    money.by("boss").do("reward_rules.revise", "ORDER", store_share="30%", cap_quarter="9", cap_year="12",
                        budget="100", effective_from="2026-11-02")  # fmt: skip
    money.by("boss").do("reward_rules.add", code="T", event="delivered", kind="tiers", tiers="0:1%,150:2%",
                        tier_mode="cliff", tier_period="ever", effective_from="2026-01-01")  # fmt: skip
    money.by("boss").do("reward_rules.activate", "T")

    # when
    sold = [
        Call("deeds.earn", None, {"cause": f"lead_{place}", "referrer": money.referrers["D1"], "event": event,
                                  "gross": "110", "net": "100", "store": west})
        for place in range(3) for event in ("won", "delivered")
    ]  # fmt: skip
    money.by("boss").run(sold, atomic=True)
    money.by("boss").do("deeds.refund", cause="lead_0", refunded="60", of="110", refunded_net="50", net="100")
    disputed = money.by("rita").do("disputes.open", line=money.line("lead_1").id, reason="too little").returned
    money.by("anna").do("disputes.take", disputed)
    money.by("anna").do("disputes.uphold", disputed, amount="1", reason="so it is")

    # then
    found = sorted((line.event or "", line.kind, line.amount) for line in money.all(RewardLine))
    assert found == [
        ("delivered", "adjustment", 100), ("delivered", "clawback", -50),
        ("delivered", "reward", 100), ("delivered", "reward", 200), ("delivered", "reward", 300),
        ("won", "clawback", -175), ("won", "clawback", -75),
        ("won", "reward", 150), ("won", "reward", 150), ("won", "reward", 150),
        ("won", "reward", 200), ("won", "reward", 350), ("won", "reward", 350),
    ]  # fmt: skip
    assert all(money.by("fin").ask("rewards.explain", line.id).agrees for line in money.all(RewardLine, "kind:reward"))
    money.by("boss").do("leads.report", name="李雷", phone="13800138000", referrer="D1", number="L-1")
    money.by("boss").do("leads.accept", "L-1")
    assert [row.simulated for row in money.ws.ask("rewards.simulate", rule="VALID", since="2026-11-02")] == [5000, 5000]
    assert money.ws.ask("rewards.simulate", rule="T")[-1].events == 0

    # when: on the other database
    target = empty_office(new_database(OTHER[dialect]), money.ws)
    replay(money.ws, target)

    # then
    assert contents(target.database.session, INFOS) == contents(money.ws.database.session, INFOS)


def empty_office(database: Database, source: Workspace) -> Workspace:
    """An office of the same context that nothing has happened in."""
    make_office(database, source.context, source.device)
    return Workspace(database, source.registry, authorise, actor=SYSTEM.id)
