"""How much one caller may ask for: by a clock that stands still until it is moved."""

from __future__ import annotations

import pytest

from bo.sync.limits import Buckets, Rate, Slots, TooMany, neighbourhood


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(buckets: Buckets, caller: str, times: int) -> int:
    """How many of so many tries are let through."""
    count = 0
    for _time in range(times):
        try:
            buckets.take(caller)
        except TooMany:
            continue
        count += 1
    return count


def test_a_bucket_empties_and_fills_again_by_the_clock() -> None:
    clock = Clock()
    buckets = Buckets(Rate(2, 5), clock=clock)
    assert taken(buckets, "anna", 9) == 5
    assert taken(buckets, "bert", 9) == 5
    clock.now += 1
    assert taken(buckets, "anna", 9) == 2
    clock.now += 3600
    assert taken(buckets, "anna", 9) == 5


def test_who_is_refused_hears_when_the_next_one_is_taken() -> None:
    clock = Clock()
    buckets = Buckets(Rate(0.1, 1), clock=clock)
    buckets.take("anna")
    with pytest.raises(TooMany) as refused:
        buckets.take("anna")
    seconds = refused.value.facts["seconds"]
    assert isinstance(seconds, int)
    assert 10 <= seconds <= 11
    clock.now += seconds
    buckets.take("anna")


def test_what_is_given_back_does_not_count() -> None:
    buckets = Buckets(Rate(0.001, 2), clock=Clock())
    for _time in range(10):
        buckets.take("anna")
        buckets.give_back("anna")
    assert taken(buckets, "anna", 5) == 2
    buckets.give_back("nobody")
    assert taken(buckets, "nobody", 5) == 2


def test_memory_is_bounded_however_many_come() -> None:
    buckets = Buckets(Rate(1, 1), clock=Clock(), most=100)
    for number in range(1000):
        buckets.take(str(number))
    assert taken(buckets, "999", 1) == 0
    assert len(buckets._held) == 100


def taken_twice(slots: Slots) -> None:
    with slots.taken("anna"):
        raise AssertionError


def test_slots_are_free_again_whatever_happens_in_them() -> None:
    slots = Slots(1)

    def fails_inside() -> None:
        with slots.taken("anna"):
            taken_twice(slots)

    with pytest.raises(TooMany):
        fails_inside()
    with slots.taken("anna"), slots.taken("bert"):
        pass


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::99", "2001:db8:1:2::"),
        ("2001:db8:1:3::99", "2001:db8:1:3::"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_the_whole_network_of_one_machine_counts_as_one(address: str, counts_as: str) -> None:
    assert neighbourhood(address) == counts_as
