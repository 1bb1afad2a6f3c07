"""Places compared as people write them, and which territories hold them."""

from __future__ import annotations

import pytest

from bo.core.stores.places import holds, narrowness, place_key, place_path
from bo.core.stores.records import Territory


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("上海市", "上海"),
        (" 上海 ", "上海"),
        ("浦东新区", "浦东"),
        ("广西壮族自治区", "广西"),
        ("市区", "市区"),
        ("New York", "newyork"),
        ("ＮＥＷ－York", "newyork"),
        ("", ""),
    ],
)
def test_a_place_without_its_rank(written: str, key: str) -> None:
    assert place_key(written) == key


def territory(province: str = "", city: str = "", district: str = "") -> Territory:
    return Territory(code="T", store="S", province=province, city=city, district=district)


@pytest.mark.parametrize(
    ("held", "place", "expected"),
    [
        (territory("浙江省", "杭州市", "西湖区"), ("浙江", "杭州", "西湖"), True),
        (territory("浙江省", "杭州市", "西湖区"), ("", "杭州", "西湖"), True),
        (territory("浙江省", "杭州市", "西湖区"), ("浙江", "杭州", ""), False),
        (territory("", "杭州市"), ("浙江", "杭州", "西湖"), True),
        (territory("浙江省"), ("浙江", "宁波", ""), True),
        (territory("浙江省"), ("", "宁波", ""), False),
        (territory("浙江省", "杭州"), ("江苏", "杭州", ""), False),
        (territory(), ("江苏", "", ""), True),
    ],
)
def test_a_territory_holds_what_it_does_not_rule_out(
    held: Territory, place: tuple[str, str, str], expected: bool
) -> None:
    assert holds(held, *place) is expected


def test_a_district_is_narrower_than_its_city_and_a_city_than_its_province() -> None:
    given = [territory(), territory("a"), territory("a", "b"), territory("a", "b", "c"), territory("", "b")]

    assert [narrowness(item) for item in given] == [0, 1, 3, 7, 2]
    assert [place_path("", "上海市", "浦东新区"), place_path("浙江", "", ""), place_path("", "", "")] == [
        "/上海/浦东",
        "浙江",
        "*",
    ]
