"""What a rule would have paid on the leads of an office, against what was paid for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.kernel.errors import NotFound
from bo.core.rewards.queries import Simulated
from bo.core.rewards.records import RewardLine
from tests.core.leads.scene import Scene, build

PHONES = ("13800138000", "13900139000", "13700137000", "13600136000")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "brand"
    build(folder)
    return folder


@pytest.fixture
def scene(furnished: Path, tmp_path: Path) -> Scene:
    """Rules for leads and orders, and four leads of two referrers: three are won, one of them is refunded in part."""
    import shutil

    shutil.copytree(furnished, tmp_path / "brand")
    made = Scene(tmp_path / "brand")
    made.do("referrers.register", code="D002", name="李设计师", kind="partner")
    rule(made, "VALID", event="valid_lead", kind="fixed", amount="50", cap_month="120")
    rule(made, "ORDER", event="won", kind="percent", rate="5%", base="net")
    for place, phone in enumerate(PHONES):
        referrer = "D001" if place < 3 else "D002"
        state = "won" if place else "valid"
        if place > 1:
            made.later(days=1)
        lead = made.report(phone=phone, name=f"李雷{place}", referrer=referrer, source="fair" if place == 3 else "web")
        bring(made, lead, state, place)
    return made


def rule(scene: Scene, code: str, **terms: object) -> None:
    scene.do("reward_rules.add", code=code, effective_from="2026-01-01", **terms)
    scene.do("reward_rules.activate", code)


def bring(scene: Scene, lead: str, state: str, place: int) -> None:
    scene.do("leads.accept", lead)
    if state == "won":
        scene.do("leads.assign", lead, store="S1")
        scene.do("leads.take", lead)
        scene.do("leads.follow_up", lead, outcome="reached")
        scene.do("leads.visit", lead)
        scene.do("leads.win", lead, order_number=f"SO-{place}", amount="10,000", net="8,000")


def asked(scene: Scene, rule: str, **span: str) -> list[tuple[str, int, int, int, int]]:
    found: list[Simulated] = scene.office.ask("rewards.simulate", rule=rule, **span)
    return [(row.referrer or row.name, row.events, row.simulated, row.paid, row.difference) for row in found]


def test_a_rule_that_has_not_changed_would_have_paid_what_was_paid(scene: Scene) -> None:
    paid = [line.amount for line in scene.office.reader().records(RewardLine)]

    assert sum(paid) == 5000 + 5000 + 2000 + 5000 + 3 * 40000
    assert asked(scene, "VALID") == [
        ("D001", 3, 12000, 12000, 0),
        ("D002", 1, 5000, 5000, 0),
        ("in all", 4, 17000, 17000, 0),
    ]
    assert asked(scene, "ORDER")[-1] == ("in all", 3, 120000, 120000, 0)


def test_a_draft_is_tried_before_it_pays(scene: Scene) -> None:
    # given
    scene.do("reward_rules.add", code="TIERS", event="won", kind="tiers", tiers="0:1%,8000:10%", tier_mode="cliff",
             effective_from="2027-01-01")  # fmt: skip
    before = scene.office.data_version()

    # then
    assert asked(scene, "TIERS") == [
        ("D001", 2, 80000 + 80000, 80000, 80000),  # 10 % of 16,000: every order reaches the tier
        ("D002", 1, 80000, 40000, 40000),
        ("in all", 3, 240000, 120000, 120000),
    ]
    assert scene.office.data_version() == before


def test_a_rule_of_today_that_is_more_specific_is_left_alone(scene: Scene) -> None:
    scene.do("reward_rules.add", code="FAIR", event="won", kind="percent", rate="10%", source="fair")

    assert asked(scene, "FAIR") == [("D002", 1, 80000, 40000, 40000), ("in all", 1, 80000, 40000, 40000)]


def test_a_version_is_asked_for_and_a_span_of_days(scene: Scene) -> None:
    scene.do("reward_rules.revise", "VALID", amount="10", cap_month="0", effective_from="2026-11-20")

    assert asked(scene, "VALID/2")[-1] == ("in all", 4, 4000, 17000, -13000)
    assert asked(scene, "VALID/1", since="2026-11-03", until="2026-11-04")[-1] == ("in all", 1, 5000, 2000, 3000)
    with pytest.raises(NotFound, match="there is no rule NONE"):
        asked(scene, "NONE")


def test_a_share_of_the_store_is_told_apart(scene: Scene) -> None:
    scene.do("reward_rules.revise", "ORDER", store_share="25%", effective_from="2026-11-20")

    assert [row[:4] for row in sorted(asked(scene, "ORDER"))] == [
        ("D001", 2, 60000, 80000),
        ("D002", 1, 30000, 40000),
        ("S1", 3, 30000, 0),
        ("in all", 6, 120000, 120000),
    ]
