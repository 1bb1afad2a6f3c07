"""The pieces of output: columns that fit, templates, and errors in words."""

from __future__ import annotations

import pytest

from bo.cli import diagnostics, template
from bo.cli.exit_codes import code_for, code_of_many
from bo.cli.main import asks_for_json
from bo.cli.output import Column
from bo.cli.table import Layout, cut, fields_text, fitted, local_moment, shown
from bo.core.kernel import errors


def test_columns_give_way_from_the_widest() -> None:
    assert fitted([5, 40, 10], 40) == [5, 21, 10]
    assert fitted([5, 40, 30], 40) == [5, 15, 16]
    assert fitted([5, 5], 40) == [5, 5]
    assert fitted([50, 50], 4) == [6, 6]


def test_a_cell_is_cut_by_its_width_and_not_by_its_letters() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("杭州西湖店", 6) == "杭州…"


def test_a_narrow_terminal_gets_lines_that_fit() -> None:
    layout = Layout([Column("code"), Column("note"), Column("sum", "amount")], width=30)

    lines = layout.lines([["A", "x" * 60, "1.00"]]).splitlines()

    assert lines == [f"CODE  NOTE{' ' * 17}SUM", f"A     {'x' * 17}…  1.00"]


def test_values_are_shown_as_people_read_them() -> None:
    assert shown("flag", True, "") == "yes"
    assert shown("ref", "lead_01m804rrmmev197c24jkee5d9c", "") == "ee5d9c"
    assert shown("text", "lead_01m804rrmmev197c24jkee5d9c", "") == "lead_01m804rrmmev197c24jkee5d9c"
    assert shown("tags", ["a", "b"], "") == "a, b"
    assert shown("facts", {"a": 1, "b": None}, "") == "a=1, b="
    assert shown("text", "a\x1b[2J\u202eb\n", "") == "a·[2J·b␤"
    assert local_moment("2026-11-02T01:00:00.000Z", "Asia/Shanghai") == "2026-11-02 09:00"


def test_of_one_thing_sentences_and_parts_stand_one_below_the_other() -> None:
    columns = [Column("words"), Column("parts"), Column("tags"), Column("none")]
    parts = [{"what": "order", "name": "SO-1", "state": ""}, {"what": "payout", "name": "P-1", "state": "sent"}]

    text = fields_text(columns, (["5 % of 100", "at most 4"], parts, ["vip", "new"], []))

    assert text.splitlines() == [
        "words  5 % of 100",
        "       at most 4",
        "parts  order  SO-1",
        "       payout  P-1  sent",
        "tags   vip, new",
    ]


def test_templates_are_names_in_braces() -> None:
    assert template.parts("{a}: {{x}}\\n") == [("a", True), (": ", False), ("{", False), ("x}\n", False)]
    assert template.names("{a} {b-c} {a}") == ["a", "b_c"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.Refused("no"), "bo: leads.assign: lead 7f3k: no"),
        (errors.Refused("lead 7f3k is gone", hint="Look."), "bo: leads.assign: lead 7f3k is gone. Look."),
        (
            errors.BadValue("{value} is wrong", value="x", field="phone"),
            "bo: leads.assign: lead 7f3k: phone: x is wrong",
        ),
        (errors.Refused("a\x1b]0;b"), "bo: leads.assign: lead 7f3k: a·]0;b"),
    ],
)
def test_an_error_is_one_line_with_its_command_and_record(error: errors.BoError, words: str) -> None:
    subject = "" if "7f3k" in error.message else "lead 7f3k"
    assert diagnostics.in_words(error, "leads.assign", subject) == words


def test_every_error_class_has_its_exit_code() -> None:
    wanted = {
        errors.UsageError: 2, errors.Ambiguous: 2, errors.BadInput: 65, errors.BadValue: 65, errors.BadFile: 65,
        errors.Damaged: 65, errors.NotFound: 66, errors.Busy: 75, errors.StorageFull: 75, errors.Refused: 76,
        errors.WrongState: 76, errors.NotAllowed: 77, errors.Configuration: 78,
    }  # fmt: skip
    assert {kind: code_for(kind("x")) for kind in wanted} == wanted
    assert code_for(KeyboardInterrupt()) == 130
    assert code_for(BrokenPipeError()) == 141
    assert code_for(ZeroDivisionError()) == 1


def test_several_calls_have_one_exit_code() -> None:
    refused, missing = errors.Refused("x"), errors.NotFound("x")
    assert code_of_many(2, []) == 0
    assert code_of_many(1, [refused]) == 3
    assert code_of_many(0, [missing, missing]) == 66
    assert code_of_many(0, [missing, refused]) == 76


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("leads", "list", "-o", "json"), True),
        (("leads", "list", "--output=jsonl"), True),
        (("leads", "list", "-o", "csv"), False),
        (("cron", "run", "--", "bo", "-o", "json"), False),
    ],
)
def test_errors_of_parsing_are_json_where_json_was_asked_for(words: tuple[str, ...], wanted: bool) -> None:
    assert asks_for_json(words) is wanted
