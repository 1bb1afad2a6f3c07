"""Duplicates: which keys agree, how much that counts, and when a key says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bo.core.kernel.parsing import email_key, household_key, name_key, parse_phone, surname_key
from bo.core.leads.duplicates import NEW, Fingerprint, KnownLead, Match, judge, likeness, protected_until

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
PHONE = parse_phone("13800138000")


def fingerprint(
    name: str = "", *, phone: str = "", email: str = "", community: str = "", room: str = ""
) -> Fingerprint:
    return Fingerprint(
        phone_keys=(parse_phone(phone),) if phone else (),
        email_key=email_key(email) if email else "",
        name=name_key(name),
        surname=surname_key(name),
        community=community,
        room=household_key("浦东", community, room),
    )


def known(number: int, print_of: Fingerprint, *, days_ago: int = 1) -> KnownLead:
    return KnownLead(f"lead_{number}", NOW - timedelta(days=days_ago), print_of)


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict", "points", "agreements"),
    [
        (fingerprint(phone="138 0013 8000"), fingerprint(phone="+8613800138000"), "mark", 100, ("phone",)),
        (Fingerprint(platform_id="wechat:li"), Fingerprint(platform_id="wechat:li"), "mark", 100, ("platform_id",)),
        (fingerprint(email="Li+a@YY.com"), fingerprint(email="li@yy.com"), "mark", 80, ("email",)),
        (
            fingerprint("张三", community="阳光花园", room="3号楼501"),
            fingerprint("张丽", community="阳光花园", room="3-501"),
            "mark",
            80,
            ("household",),
        ),
        (
            fingerprint("William Henry Lee", community="Park"),
            fingerprint("Lee, William Henri", community="Park"),
            "show",
            60,
            ("name",),
        ),
        (
            fingerprint("张三", phone="13800138000", email="z@yy.com"),
            fingerprint("张三", phone="13800138000", email="z@yy.com"),
            "mark",
            100,
            ("phone", "email"),
        ),
    ],
)
def test_the_strongest_agreement_decides(
    mine: Fingerprint, theirs: Fingerprint, verdict: str, points: int, agreements: tuple[str, ...]
) -> None:
    judgement = judge(mine, NOW, [known(1, theirs)])
    assert judgement.verdict == verdict
    assert judgement.duplicate_of == ("lead_1" if verdict == "mark" else "")
    assert judgement.matches == (Match("lead_1", points, agreements),)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (fingerprint(), fingerprint()),
        (fingerprint("张三"), fingerprint("张三")),  # a name without a place
        (fingerprint("张三", community="阳光花园"), fingerprint("张三", community="绿地")),
        (fingerprint("张三", community="阳光花园", room="501"), fingerprint("李四", community="阳光花园", room="501")),
        (fingerprint("张三", community="阳光花园"), fingerprint("李四", community="阳光花园")),
        (fingerprint(phone="13800138000"), fingerprint(phone="13900139000")),
    ],
)
def test_what_does_not_agree_is_new(mine: Fingerprint, theirs: Fingerprint) -> None:
    assert judge(mine, NOW, [known(1, theirs)]) == NEW


def test_the_earliest_report_is_the_first() -> None:
    same = fingerprint(phone="13800138000", email="li@yy.com")
    leads = [
        known(1, same, days_ago=3),
        known(2, fingerprint(email="li@yy.com"), days_ago=9),
        known(3, same, days_ago=5),
    ]
    judgement = judge(same, NOW, leads)
    assert judgement.duplicate_of == "lead_2"
    assert [match.id for match in judgement.matches] == ["lead_3", "lead_1", "lead_2"]


def test_a_report_protects_for_ninety_days() -> None:
    same = fingerprint(phone="13800138000")
    assert judge(same, NOW, [known(1, same, days_ago=90)]).verdict == "mark"
    assert judge(same, NOW, [known(1, same, days_ago=91)]) == NEW
    assert judge(same, NOW, [known(1, same, days_ago=31)], protection_days=30) == NEW
    assert protected_until(NOW) == NOW + timedelta(days=90)


def test_a_key_that_twenty_one_leads_share_says_nothing() -> None:
    switchboard = fingerprint(phone="010-65551234")
    crowd = [known(number, switchboard) for number in range(21)]
    assert judge(switchboard, NOW, crowd[:20]).verdict == "mark"
    assert judge(switchboard, NOW, crowd) == NEW


def test_another_key_still_speaks_in_a_crowd() -> None:
    switchboard = fingerprint(phone="010-65551234")
    mine = replace(switchboard, email_key="li@yy.com")
    judgement = judge(mine, NOW, [known(number, switchboard) for number in range(21)] + [known(99, mine)])
    assert judgement.matches == (Match("lead_99", 80, ("email",)),)


def test_names_are_alike_whatever_the_order_of_words() -> None:
    assert likeness("lee william", "william lee") == 100
    assert likeness("张三", "张三") == 100
    assert likeness("张三", "李四") == 0
    assert likeness("张三丰", "张三") < 90


def test_several_phones_agree_when_one_does() -> None:
    mine = Fingerprint(phone_keys=("+8613900139000", PHONE))
    assert judge(mine, NOW, [known(1, Fingerprint(phone_keys=(PHONE,)))]).duplicate_of == "lead_1"
