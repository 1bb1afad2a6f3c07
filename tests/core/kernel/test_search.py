"""Full text: every Chinese character is a word, accents do not matter, and phones have their last four digits."""

from __future__ import annotations

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.search import PLACES_MOST, WORD_MOST, fts5_query, index_texts, query_words, tsquery, tsvector
from bo.core.kernel.workspace import Workspace


def test_what_people_type_becomes_phrases_of_words() -> None:
    assert query_words("杭州 kit") == [["杭", "州"], ["kit"]]
    assert query_words("Café-2 退款ABC") == [["cafe"], ["2"], ["退", "款"], ["abc"]]
    assert query_words("'\"*() AND _ \0 \ud800") == [["and"]]


def test_queries_hold_nothing_but_quoted_words() -> None:
    assert fts5_query('退款 "x') == '"退 款" * AND "x" *'
    assert tsquery("退款 it's") == "('退' <-> '款':*) & ('it':*) & ('s':*)"
    assert tsvector("a 退款") == "'a':1 '退':2 '款':3"


def test_phones_also_give_their_last_four_digits_and_how_they_are_dialled_at_home() -> None:
    assert index_texts([["+8613800138000", "Ann"]]) == ["+8613800138000 Ann 8000 13800138000"]
    assert index_texts([["+442079460259"]]) == ["+442079460259 0259"]
    assert index_texts([["1234567"]]) == ["1234567"]


def test_words_and_places_have_bounds() -> None:
    assert tsvector("x" * 3000) == f"'{'x' * WORD_MOST}':1"
    assert tsvector("a " * 20_000).count(":") == PLACES_MOST


def search(office: Workspace, words: str) -> list[object]:
    return [row[0] for row in office.reader().page("tickets", f"{words} sort:number", fields=("number",)).rows]


def test_the_index_follows_every_change(office: Workspace) -> None:
    office.do("tickets.open", number="T-1", name="王小明", phone="13800138000")
    office.do("tickets.open", number="T-2", name="王明")

    assert (search(office, "王"), search(office, "小明"), search(office, "8000")) == (["T-1", "T-2"], ["T-1"], ["T-1"])
    edited = office.do("tickets.edit", "T-1", name="Ann", phone="13900139001").operation
    assert (search(office, "王"), search(office, "8000"), search(office, "9001")) == (["T-2"], [], ["T-1"])
    office.undo(edited)
    assert (search(office, "王"), search(office, "8000"), search(office, "9001")) == (["T-1", "T-2"], ["T-1"], [])
    dropped = office.do("tickets.drop", "T-1").operation
    assert search(office, "王") == ["T-2"]
    office.undo(dropped)
    assert search(office, "小") == ["T-1"]


def test_a_change_of_other_fields_leaves_the_words_findable(office: Workspace) -> None:
    office.run([Call("tickets.open", None, {"number": "T-1", "name": "Ann"}), Call("tickets.chase", "T-1")])
    office.do("tickets.edit", "T-1", amount="5")

    assert search(office, "ann") == ["T-1"]


@pytest.mark.parametrize(
    "name",
    [
        "x" * 200,
        "é" * 200,
        "𠀀𠀁",
        "한국어",
        "ﬁne ½ ²",
        "a'b\\c:d&e|f!g(h)",
        "1e5 0x1f -3.5 a@b.cn",
        "क़िला",
        "👩‍🚀 astronaut",
    ],
)
def test_whatever_a_name_holds_it_is_found_by_its_words(office: Workspace, name: str) -> None:
    office.do("tickets.open", number="T-1", name=name, note=name * 50)
    office.do("tickets.open", number="T-2", name="Qqq")

    for words in query_words(name):
        assert search(office, "".join(words)) == ["T-1"]


def test_a_text_longer_than_any_index_has_places_for_is_taken(office: Workspace) -> None:
    office.do("tickets.open", number="T-1", note="字 " * 9990 + "末尾")
    office.do("tickets.open", number="T-2", note="x" * 19_000)

    assert search(office, "末尾") == ["T-1"]
    assert search(office, "x" * 600) == ["T-2"]
