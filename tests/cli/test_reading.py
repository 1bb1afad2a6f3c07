"""Listing, counting and showing records."""

from __future__ import annotations

import json

from tests.cli.running import Desk


def add_stores(desk: Desk) -> None:
    for code, name, city in (("HZ", "西湖旗舰店", "杭州"), ("SH", "Pudong", "上海"), ("NJ", "Gulou", "南京")):
        desk.well("stores", "add", "--code", code, "--name", name, "--city", city, "--capacity", "20", "-q")


def test_a_list_in_a_pipe_is_tab_separated_under_the_names_of_its_fields(desk: Desk) -> None:
    add_stores(desk)

    ran = desk.well("stores", "list", "sort:code", "--fields", "code,name,city")

    assert ran.out == "code\tname\tcity\nHZ\t西湖旗舰店\t杭州\nNJ\tGulou\t南京\nSH\tPudong\t上海\n"
    assert ran.err == ""


def test_every_format_tells_the_same_rows(desk: Desk) -> None:
    add_stores(desk)
    words = ("stores", "list", "code:SH", "--fields", "id,code,capacity,opted_out,categories")

    ((found,),) = [desk.well(*words, "-o", "json").things()]
    (line,) = desk.well(*words, "-o", "jsonl").things()
    record_id = str(found["id"])

    assert found == {"id": record_id, "code": "SH", "capacity": 20, "opted_out": False, "categories": []}
    assert line == found
    assert desk.well(*words, "-o", "tsv").lines()[1] == f"{record_id}\tSH\t20\tfalse\t"
    assert desk.well(*words, "-o", "csv").lines()[1] == f"{record_id},SH,20,false,"
    assert desk.well(*words, "-o", "ids").out == f"{record_id}\n"
    assert desk.well("stores", "list", "code:SH", "--template", "{code}: {name}\\t!").out == "SH: Pudong\t!\n"
    assert desk.well(*words, "-o", "table").lines() == [
        "ID      CODE  CAPACITY  OPTED OUT  CATEGORIES",
        f"{record_id[-6:]}  SH          20  no",
    ]


def test_wide_letters_stay_in_their_columns(desk: Desk) -> None:
    add_stores(desk)

    lines = desk.well("stores", "list", "sort:code", "--fields", "name,code", "-o", "table").lines()

    assert lines == ["NAME        CODE", "西湖旗舰店  HZ", "Gulou       NJ", "Pudong      SH"]


def test_nothing_found_is_an_empty_document_and_no_failure(desk: Desk) -> None:
    assert desk.well("stores", "list", "-o", "json").out == "[]\n"
    assert desk.well("stores", "list", "-o", "jsonl").out == ""
    assert desk.well("stores", "list", "--fields", "code").out == "code\n"
    assert desk.bo("stores", "list", "--fail-empty").code == 66
    assert desk.bo("stores", "count", "city:杭州").out == "0\n"


def test_a_field_that_is_not_there_is_a_usage_error_with_the_list_of_fields(desk: Desk) -> None:
    ran = desk.bo("stores", "list", "--fields", "code,colour")

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("bo: stores.list: stores have no field colour. Fields: id, ")


def test_pages_go_on_where_they_ended(desk: Desk) -> None:
    add_stores(desk)
    seen, after = [], ""
    for _page in range(3):
        words = (
            "stores",
            "list",
            "sort:code",
            "--fields",
            "code",
            "--limit",
            "1",
            *(("--after", after) if after else ()),
        )
        ran = desk.well(*words)
        seen.append(ran.lines()[1])
        after = ran.err.partition("--after ")[2].partition(",")[0]

    assert seen == ["HZ", "NJ", "SH"]
    assert after == ""


def test_a_condition_may_be_negated_though_it_looks_like_an_option(desk: Desk) -> None:
    add_stores(desk)

    ran = desk.well("stores", "list", "-city:杭州", "--fields", "code", "-code:SH")

    assert ran.out == "code\nNJ\n"


def test_the_filter_of_an_option_may_begin_with_a_minus(desk: Desk) -> None:
    add_stores(desk)

    ran = desk.well("stores", "pause", "--where", "-city:杭州", "-y", "-o", "jsonl")

    assert [item["outcome"] for item in ran.things()] == ["applied", "applied"]
    assert desk.well("stores", "list", "state:open", "--fields", "code").out == "code\nHZ\n"


def test_a_limit_that_is_no_number_is_a_usage_error(desk: Desk) -> None:
    for wrong in ("0", "-3", "ten"):
        ran = desk.bo("stores", "list", "--limit", wrong)
        assert ran.code == 2
        assert ran.err == f"bo: stores.list: --limit takes a whole number above 0, not {wrong}\n"


def test_showing_says_what_can_be_done_now(desk: Desk) -> None:
    add_stores(desk)

    found = desk.well("stores", "show", "HZ", "-o", "json").thing()

    assert found["code"] == "HZ"
    assert found["state"] == "open"
    assert "pause" in json.dumps(found["can"])
    assert "reopen" not in json.dumps(found["can"])


def test_showing_several_tells_what_is_missing_and_shows_the_rest(desk: Desk) -> None:
    add_stores(desk)

    ran = desk.bo("stores", "show", "HZ", "nowhere", "SH", "-o", "jsonl")

    assert ran.code == 3
    assert [item["code"] for item in ran.things()] == ["HZ", "SH"]
    assert ran.error()["code"] == "not_found"


def test_the_end_of_an_id_is_enough_and_one_that_several_have_is_refused(desk: Desk) -> None:
    add_stores(desk)
    ids = desk.well("stores", "list", "-o", "ids").out.split()

    assert desk.well("stores", "show", ids[0][-8:], "-o", "ids").out.split() == [ids[0]]
    assert desk.bo("stores", "show", "zz").code == 66


def test_amounts_are_decimal_text_with_their_currency_beside_them(desk: Desk) -> None:
    desk.well("leads", "report", "--name", "王芳", "--phone", "13800138000", "--budget", "15063", "-q")

    found = desk.well("leads", "list", "--fields", "name,budget", "-o", "json").things()

    assert found == [{"name": "王芳", "budget": "15063.00", "currency": "CNY"}]
    assert (
        desk.well("leads", "list", "--fields", "name,budget", "-o", "csv").out
        == "name,budget,currency\n王芳,15063.00,CNY\n"
    )
    assert desk.well("leads", "list", "--fields", "name,budget", "-o", "table").lines()[1].split() == [
        "王芳",
        "15063.00",
    ]


def test_data_never_drives_the_terminal_and_tsv_keeps_to_its_lines(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "X", "--name", "[red]a[/]\x1b[2J", "--note", "one\ntwo\tthree\\", "-q")

    table = desk.well("stores", "list", "--fields", "name,note", "-o", "table").out
    tsv = desk.well("stores", "list", "--fields", "note").out

    assert "\x1b" not in table
    assert "[red]a[/]" in table
    assert tsv == "note\none\\ntwo\\tthree\\\\\n"


def test_csv_is_safe_to_open_in_a_spreadsheet_program(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "X", "--name", "=HYPERLINK(1)", "--phone", "+8613800138000", "-q")

    assert (
        desk.well("stores", "list", "--fields", "name,phone", "-o", "csv").lines()[1] == "'=HYPERLINK(1),+8613800138000"
    )


def test_an_output_version_that_is_not_written_is_refused(desk: Desk) -> None:
    assert desk.bo("stores", "list", "--output-version", "2").code == 2
    assert desk.bo("stores", "list", "--output-version", "1").code == 0


def test_a_template_that_names_what_is_not_there_is_a_usage_error(desk: Desk) -> None:
    assert desk.bo("stores", "list", "--template", "{colour}").code == 2
    assert desk.bo("stores", "list", "--template", "{code").code == 2
    assert desk.bo("stores", "list", "-o", "template").code == 2


def test_a_question_takes_names_with_values_as_a_command_does(desk: Desk) -> None:
    desk.well("orders", "record", "--number", "1001", "--sent-at", "2026-11-02", "--lines",
              '[{"sku": "A", "quantity": 3, "price": "10"}]', "-q")  # fmt: skip

    (found,) = desk.well("returns", "simulate", "1001", "--lines", "A=2", "-o", "jsonl").things()

    assert (found["pieces"], found["worth"]) == (2, "20.00")
    assert desk.bo("returns", "simulate", "1001", "--lines", "A").code == 2
