"""The rules that say what a bank line was for, without an office: id, number in the text, amount with counterparty."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.banking.matching import Found, Item, Line, Matcher, adding_up, key_of, keys_in

NEXT = count(1)


def line(left: int, *, day: int = 5, ids: tuple[str, ...] = (), text: str = "", name: str = "", number: str = "",
         currency: str = "CNY", fee: int = 0, account: str = "MAIN") -> Line:  # fmt: skip
    return Line(f"line{next(NEXT)}", account, currency, date(2026, 11, day), left, fee, ids, text, name, number)


def item(left: int, kind: str = "payment", *, day: int = 5, **facts: Any) -> Item:
    known: dict[str, Any] = {"id": f"item{next(NEXT)}", "currency": "CNY", "total": left, **facts}
    return Item(kind, left=left, day=date(2026, 11, day), **known)


def found(lines: list[Line], *items: Item, memory: dict[str, str] | None = None) -> Found:
    return Matcher(items, memory or {}, window=5).run(lines)


def hits(told: Found) -> list[tuple[int, int, str]]:
    return [(hit.amount, hit.item.left, hit.how) for hit in told.hits]


# -- ids ---------------------------------------------------------------------------------------------------------------


def test_an_id_that_both_sides_have_decides_however_banks_write_it() -> None:
    told = found([line(-500, ids=("PAY01M8",))], item(-500, "payout", ids=("pay-01m8",)), item(-500, "payout"))
    assert hits(told) == [(-500, 0, "id")]


def test_less_than_an_item_is_a_part_of_it_and_more_stays_open_with_words() -> None:
    one, two = line(60, ids=("A1",)), line(60, ids=("A1",))
    told = found([one, two], item(100, ids=("A1",)))
    assert hits(told) == [(60, 0, "id"), (40, 0, "id")]
    assert told.notes == {two.id: "over"}


def test_a_second_line_for_what_is_paid_stays_open() -> None:
    again = line(-500, ids=("pay-1",))
    told = found([line(-500, ids=("pay-1",)), again], item(-500, "payout", ids=("pay-1",)))
    assert hits(told) == [(-500, 0, "id")]
    assert told.notes == {again.id: "again"}


def test_another_currency_is_never_matched() -> None:
    foreign = line(500, ids=("A1",), currency="USD")
    told = found([foreign], item(500, ids=("A1",)))
    assert (told.hits, told.notes) == ([], {foreign.id: "currency"})


def test_a_payout_that_is_paid_and_comes_back_in_one_statement_is_returned() -> None:
    told = found([line(-500, ids=("pay-1",)), line(500, ids=("pay-1",))], item(-500, "payout", ids=("pay-1",)))
    assert [(hit.item.kind, hit.amount) for hit in told.hits] == [("payout", -500), ("returned", 500)]


def test_what_a_channel_keeps_is_a_part_of_the_payment() -> None:
    told = found([line(970, ids=("ch_1",), fee=30)], item(1000, ids=("ch_1",)))
    assert [(hit.amount, hit.fee, hit.item.left) for hit in told.hits] == [(970, 30, 0)]


def test_an_unknown_id_is_left_alone() -> None:
    told = found([line(-500, ids=("pay-9",))], item(-500, "payout", day=20, ids=("pay-1",)))
    assert (told.hits, told.proposals) == ([], {})


# -- numbers in the text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["order SO-1001 thanks", "订单SO-1001已付", "SO 1001", "ref:so1001.", "SO-1001/2026"])
def test_a_number_in_the_text_decides(text: str) -> None:
    assert hits(found([line(700, text=text)], item(700, references=("SO-1001",)))) == [(700, 0, "reference")]


@pytest.mark.parametrize("text", ["SO-10011", "ASO-1001", "SO-1001-2", "1001"])
def test_a_part_of_a_longer_number_is_another_number(text: str) -> None:
    told = found([line(700, text=text, day=25)], item(700, references=("SO-1001",)))
    assert told.hits == []


def test_a_short_number_decides_only_with_the_whole_amount() -> None:
    assert hits(found([line(700, text="1001")], item(700, references=("1001",)))) == [(700, 0, "reference")]
    part = line(300, text="1001")
    told = found([part], item(700, references=("1001",)))
    assert told.hits == []
    assert [each.why for each in told.proposals[part.id]] == [("reference", "day")]


def test_one_line_pays_all_that_it_names() -> None:
    named = line(1000, text="SO-10010 SO-10020")
    told = found([named], item(400, references=("SO-10010",)), item(600, references=("SO-10020",)))
    assert hits(told) == [(600, 0, "reference"), (400, 0, "reference")]


def test_one_line_pays_a_settlement_or_those_of_it_that_add_up() -> None:
    payouts = [item(-amount, "payout", group="S-2026-11-CNY-1") for amount in (300, 500, 200)]
    told = found([line(-500, text="S-2026-11-CNY-1")], *payouts)
    assert [hit.amount for hit in told.hits] == [-500]
    told = found([line(-500, ids=("S-2026-11-CNY-1",), text="S-2026-11-CNY-1")], payouts[0], payouts[2])
    assert [hit.amount for hit in told.hits] == [-300, -200]


def test_a_sum_that_nothing_adds_up_to_is_asked_about() -> None:
    odd = line(-450, text="S-2026-11-CNY-1")
    told = found([odd], *(item(-amount, "payout", group="S-2026-11-CNY-1") for amount in (300, 500, 200)))
    assert told.hits == []
    assert len(told.proposals[odd.id]) == 3


# -- amounts -----------------------------------------------------------------------------------------------------------


def test_an_amount_alone_is_proposed_and_never_taken() -> None:
    alone = line(700)
    told = found([alone], item(700, label="SO-1"))
    assert told.hits == []
    assert [(each.points, each.why) for each in told.proposals[alone.id]] == [(60, ("amount", "day"))]


def test_an_amount_with_a_like_name_in_the_window_decides() -> None:
    near, far = item(700, name="Li Wei", day=8), item(700, name="Li Wei", day=20)
    assert hits(found([line(700, name="WEI LI")], near)) == [(700, 0, "amount")]
    assert found([line(700, name="WEI LI")], far).hits == []


def test_two_that_agree_alike_are_asked_about() -> None:
    twice = line(700, name="Li Wei")
    told = found([twice], item(700, name="Li Wei"), item(700, name="Li Wei"))
    assert (told.hits, len(told.proposals[twice.id])) == ([], 2)


def test_a_counterparty_is_remembered_by_its_account() -> None:
    memory = {"account:DE123": "customer:c1"}
    told = found([line(700, name="somebody else", number="DE 123")], item(700, owner="customer:c1", name="Li"),
                 memory=memory)  # fmt: skip
    assert hits(told) == [(700, 0, "amount")]


def test_the_same_account_of_the_counterparty_decides() -> None:
    assert hits(found([line(-700, number="6222 01")], item(-700, "payout", number="622201"))) == [(-700, 0, "amount")]


def test_exact_ids_go_first_whatever_the_order_of_the_lines() -> None:
    wanted = item(700, ids=("A1",), name="Li Wei")
    told = found([line(700, name="Li Wei"), line(700, ids=("A1",))], wanted)
    assert hits(told) == [(700, 0, "id")]


def test_a_payee_who_pays_the_same_amount_has_not_sent_a_payment_back() -> None:
    paid = line(500, number="6222 01")
    told = found([paid], item(500, "returned", number="622201"))
    assert (told.hits, len(told.proposals[paid.id])) == ([], 1)


def test_a_refund_that_nobody_noted_as_paid_back_is_asked_about() -> None:
    back = line(-700, text="SO-1001")
    told = found([back], item(-700, "refund", references=("SO-1001",), asks=True))
    assert (told.hits, len(told.proposals[back.id])) == ([], 1)


# -- transfers ---------------------------------------------------------------------------------------------------------


def transfer(of: Line, **facts: Any) -> Item:
    return item(-of.left, "transfer", id=of.id, account=of.account, **facts)


def test_what_left_one_account_and_came_to_another_is_a_transfer() -> None:
    out, came = line(-900, account="SHOP"), line(900, text="payout po_123456")
    told = found([out, came], transfer(out, references=("po_123456",)), transfer(came))
    assert [(hit.line, hit.item.id, hit.how) for hit in told.hits] == [(came.id, out.id, "reference")]


def test_a_transfer_is_between_two_accounts() -> None:
    out, came = line(-900), line(900, text="po_123456")
    assert found([out, came], transfer(out, references=("po_123456",)), transfer(came)).hits == []


# -- any lines and items -----------------------------------------------------------------------------------------------

NUMBERS = st.integers(1, 6)
LINES = st.lists(st.tuples(st.integers(-9, 9).filter(bool), NUMBERS, st.integers(0, 2)), max_size=12)
ITEMS = st.lists(st.tuples(st.integers(-9, 9).filter(bool), NUMBERS), max_size=12)


@given(LINES, ITEMS)
def test_nothing_is_explained_or_paid_twice_and_the_answer_is_always_the_same(
    lines: list[tuple[int, int, int]], items: list[tuple[int, int]]
) -> None:
    def once() -> tuple[list[tuple[object, ...]], list[Line], list[Item]]:
        made = [
            Line(f"l{place}", "MAIN", "CNY", date(2026, 11, 5), amount, 0, (f"id-{number}",) if how == 0 else (),
                 f"SO-{number:05}" if how == 1 else "", f"Li {number}" if how == 2 else "")
            for place, (amount, number, how) in enumerate(lines)
        ]  # fmt: skip
        there = [
            Item("payout" if amount < 0 else "payment", f"i{place}", amount, "CNY", date(2026, 11, 5), total=amount,
                 ids=(f"id-{number}",), references=(f"SO-{number:05}",), name=f"Li {number}")
            for place, (amount, number) in enumerate(items)
        ]  # fmt: skip
        told = Matcher(there, {}, window=5).run(made)
        return [(hit.line, hit.item.kind, hit.item.id, hit.amount, hit.how) for hit in told.hits], made, there

    told, made, there = once()
    assert told == once()[0]
    for each in made:
        taken = sum(int(str(hit[3])) for hit in told if hit[0] == each.id)
        assert taken * each.left >= 0
        assert abs(taken) <= abs(each.left)
    for one in there:
        taken = sum(int(str(hit[3])) for hit in told if hit[2] == one.id and hit[1] != "returned")
        assert abs(taken) <= abs(one.total)
        assert taken + one.left == one.total


@given(st.lists(st.integers(1, 50), max_size=14), st.integers(1, 200))
def test_what_adds_up_does(amounts: list[int], total: int) -> None:
    places = adding_up(amounts, total)
    if places is not None:
        assert len(set(places)) == len(places)
        assert sum(amounts[place] for place in places) == total


@given(st.lists(st.integers(1, 50), min_size=1, max_size=10), st.data())
def test_what_is_a_sum_is_found(amounts: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(amounts) - 1), min_size=1))
    assert adding_up(amounts, sum(amounts[place] for place in chosen)) is not None


@given(st.text(alphabet="AB12-. /", max_size=20))
def test_a_number_in_a_text_is_made_of_its_letters_and_digits(text: str) -> None:
    assert all(key == key_of(key) and key in key_of(text) for key in keys_in(text))
