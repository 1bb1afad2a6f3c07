"""Commands on records: results, bulk, dry runs, refusals, questions and idempotency keys."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Desk


def report_leads(desk: Desk, count: int) -> list[str]:
    """Leads that wait for their review; their ids, oldest first."""
    lines = [
        json.dumps({"command": "leads.report", "args": {"name": f"客户{number}", "phone": f"1380013{number:04}"}})
        for number in range(count)
    ]
    ran = desk.well("batch", "-", stdin="\n".join(lines))
    return [str(item["id"]) for item in ran.things()]


def test_a_write_answers_what_became_of_it(desk: Desk) -> None:
    made = desk.well("stores", "add", "--code", "HZ", "--name", "West Lake", "-o", "json").thing()
    edited = desk.well("stores", "edit", "HZ", "--capacity", "30", "-y", "-o", "json").thing()

    assert made["outcome"] == "applied"
    assert str(made["id"]).startswith("store_")
    assert str(made["operation"]).startswith("op_")
    assert made["changed"] == {"code": [None, "HZ"], "name": [None, "West Lake"]} | {
        name: change for name, change in _changed(made).items() if name not in ("code", "name")
    }
    assert edited["id"] == made["id"]
    assert edited["changed"] == {"capacity": [0, 30]}


def _changed(made: dict[str, object]) -> dict[str, object]:
    found = made["changed"]
    assert isinstance(found, dict)
    return found


def test_what_is_not_given_stays_and_what_is_given_blank_is_cleared(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "HZ", "--name", "West Lake", "--note", "old", "-q")

    desk.well("stores", "edit", "HZ", "--note", "", "-y", "-q")

    (found,) = desk.well("stores", "list", "--fields", "name,note", "-o", "json").things()
    assert found == {"name": "West Lake", "note": ""}


def test_a_dry_run_answers_the_same_and_changes_nothing(desk: Desk) -> None:
    (lead,) = report_leads(desk, 1)
    before = desk.operations()

    dry = desk.well("leads", "accept", lead, "--dry-run", "-o", "json").thing()

    assert dry["dry_run"] is True
    assert dry["outcome"] == "applied"
    assert _changed(dry)["state"] == ["pending_review", "valid"]
    assert desk.operations() == before
    assert desk.well("leads", "count", "state:pending_review").out == "1\n"
    done = desk.well("leads", "accept", lead, "-o", "json").thing()
    assert "dry_run" not in done
    assert _changed(done).keys() == _changed(dry).keys()


def test_ids_of_a_list_feed_a_command(desk: Desk) -> None:
    leads = report_leads(desk, 3)
    ids = desk.well("leads", "list", "state:pending_review", "-o", "ids").out

    ran = desk.well("leads", "accept", "-", "-o", "jsonl", stdin=ids)

    assert {item["id"] for item in ran.things()} == set(leads)
    assert desk.well("leads", "count", "state:valid").out == "3\n"


def test_rows_of_a_list_as_json_lines_feed_a_command_too(desk: Desk) -> None:
    report_leads(desk, 2)
    rows = desk.well("leads", "list", "-o", "jsonl").out

    assert len(desk.well("leads", "accept", "-", "-o", "jsonl", stdin=rows).things()) == 2


def test_a_line_that_names_no_record_is_bad_data(desk: Desk) -> None:
    for wrong in ('{"name": "x"}', '{"id": 5}', "{broken"):
        ran = desk.bo("leads", "accept", "-", stdin=wrong)
        assert ran.code == 65
        assert ran.err.startswith("bo: leads.accept: line 1 ")


def test_part_of_it_refused_is_exit_3_and_the_rest_is_done(desk: Desk) -> None:
    first, second = report_leads(desk, 2)
    desk.well("leads", "accept", first, "-q")

    ran = desk.bo("leads", "accept", first, second, "-o", "jsonl")

    assert ran.code == 3
    refused, done = ran.things()
    assert (refused["outcome"], done["outcome"]) == ("refused", "applied")
    assert refused["operation"] is None
    error = refused["error"]
    assert isinstance(error, dict)
    assert error["code"] == "wrong_state"
    assert ran.error()["code"] == "partial"
    assert desk.well("leads", "count", "state:valid").out == "2\n"


def test_a_refusal_for_people_names_the_record_and_what_to_do(desk: Desk) -> None:
    (lead,) = report_leads(desk, 1)
    desk.well("leads", "accept", lead, "-q")
    before = desk.operations()

    ran = desk.bo("leads", "accept", lead[-8:])

    assert ran.code == 76
    assert ran.out == ""
    assert (
        ran.err == f"bo: leads.accept: lead {lead[-6:]}: not possible while it is valid. It must be pending_review.\n"
    )
    assert desk.operations() == before


def test_a_refusal_for_programs_is_one_object(desk: Desk) -> None:
    (lead,) = report_leads(desk, 1)
    desk.well("leads", "accept", lead, "-q")

    ran = desk.bo("leads", "accept", lead, "-o", "json")

    assert ran.out == ""
    assert set(ran.error()) == {"code", "command", "subject", "message", "fields", "retryable", "hint"}
    assert ran.error()["code"] == "wrong_state"
    assert ran.error()["command"] == "leads.accept"
    assert ran.error()["subject"] == lead


def test_all_refused_for_one_reason_has_the_code_of_that_reason(desk: Desk) -> None:
    report_leads(desk, 1)

    assert desk.bo("leads", "accept", "nobody1", "nobody2").code == 66


def test_a_wrong_value_names_its_field(desk: Desk) -> None:
    before = desk.operations()

    ran = desk.bo("leads", "report", "--phone", "12", "-o", "json")

    assert ran.code == 65
    assert ran.error()["fields"] == [{"field": "phone", "value": "12"}]
    assert desk.operations() == before


def test_atomic_means_all_or_nothing(desk: Desk) -> None:
    first, second = report_leads(desk, 2)
    desk.well("leads", "accept", second, "-q")
    before = desk.operations()

    ran = desk.bo("leads", "accept", first, second, "--atomic")

    assert ran.code == 76
    assert ran.out == ""
    assert desk.operations() == before
    assert desk.well("leads", "count", "state:pending_review").out == "1\n"


def test_a_filter_that_finds_several_is_asked_about(desk: Desk) -> None:
    report_leads(desk, 2)
    before = desk.operations()

    ran = desk.bo("leads", "accept", "--where", "state:pending_review")

    assert ran.code == 2
    assert ran.err == (
        "bo: leads.accept: accept 2 leads? Not confirmed. Say --yes to do it, or --dry-run to see what would happen.\n"
    )
    assert desk.operations() == before
    assert desk.bo("leads", "accept", "--where", "state:pending_review", "--yes", "-q").code == 0


def test_a_filter_that_finds_nothing_is_done_at_once(desk: Desk) -> None:
    ran = desk.well("leads", "accept", "--where", "state:pending_review", "-o", "json")

    assert ran.out == "[]\n"


def test_naming_records_twice_or_not_at_all_is_a_usage_error(desk: Desk) -> None:
    (lead,) = report_leads(desk, 1)

    assert desk.bo("leads", "accept").code == 2
    assert desk.bo("leads", "accept", lead, "--where", "state:valid").code == 2


def test_a_command_that_always_asks_does_so_for_one_record_too(desk: Desk) -> None:
    desk.well("operators", "add", "--login", "bob", "--roles", "reviewer", "-q")
    before = desk.operations()

    ran = desk.bo("operators", "disable", "bob")

    assert ran.code == 2
    assert "disable operator bob? Not confirmed" in ran.err
    assert desk.operations() == before
    assert desk.bo("operators", "disable", "bob", "-y", "-q").code == 0


def test_the_same_key_is_the_same_call(desk: Desk) -> None:
    words = ("stores", "add", "--code", "HZ", "--idempotency-key", "k1", "-o", "json")

    first, second = desk.well(*words).thing(), desk.well(*words).thing()

    assert (first["outcome"], second["outcome"]) == ("applied", "repeated")
    assert first["operation"] == second["operation"]
    other = desk.bo("stores", "add", "--code", "SH", "--idempotency-key", "k1")
    assert other.code == 76
    assert desk.well("stores", "count").out == "1\n"


def test_a_key_counts_for_each_of_several_records(desk: Desk) -> None:
    leads = report_leads(desk, 3)

    first = desk.well("leads", "accept", *leads, "--idempotency-key", "k", "-o", "jsonl").things()
    second = desk.well("leads", "accept", *leads, "--idempotency-key", "k", "-o", "jsonl").things()

    assert [item["outcome"] for item in first] == ["applied"] * 3
    assert [item["outcome"] for item in second] == ["repeated"] * 3
    assert [item["operation"] for item in first] == [item["operation"] for item in second]


def test_who_acts_is_who_was_named_and_may_do_no_more(desk: Desk) -> None:
    desk.well("operators", "add", "--login", "eve", "--roles", "auditor", "-q")
    before = desk.operations()

    ran = desk.bo("stores", "add", "--code", "HZ", "--as", "eve")

    assert ran.code == 77
    assert desk.operations() == before
    assert desk.bo("stores", "list", "--as", "nobody").code == 78


def test_words_that_belong_to_a_new_field_are_kept(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "HZ", "--extra", "floor=3", "--extra", "key=a=b", "-q")

    (found,) = desk.well("stores", "list", "--fields", "extra", "-o", "json").things()

    assert found == {"extra": {"floor": "3", "key": "a=b"}}
    assert desk.bo("stores", "add", "--code", "SH", "--extra", "floor").code == 2


def test_a_yes_or_no_is_an_option_with_a_no(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "HZ", "--opted-out", "-q")
    assert desk.well("stores", "list", "opted_out:yes", "--fields", "code").lines()[1:] == ["HZ"]

    desk.well("stores", "edit", "HZ", "--no-opted-out", "-y", "-q")

    assert desk.well("stores", "count", "opted_out:no").out == "1\n"


def test_quiet_says_nothing_when_it_went_well(desk: Desk) -> None:
    ran = desk.well("stores", "add", "--code", "HZ", "--quiet")

    assert (ran.out, ran.err) == ("", "")


def test_many_records_go_in_several_transactions_and_are_undone_together(desk: Desk) -> None:
    report_leads(desk, 3)
    from bo.cli import writing

    desk.monkeypatch.setattr(writing, "CHUNK", 2)
    ids = desk.well("leads", "list", "sort:created", "-o", "ids").out

    ran = desk.well("leads", "accept", "-", stdin=ids)

    operation = ran.err.partition("bo undo ")[2].partition(" ")[0]
    assert "3 done" in ran.err
    assert desk.well("leads", "count", "state:valid").out == "3\n"
    desk.well("undo", operation, "-y", "-q")
    assert desk.well("leads", "count", "state:pending_review").out == "3\n"


def test_a_long_dry_run_is_tried_in_a_copy_with_the_same_result(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        desk.well("leads", "report", "--name", f"n{number}", "--phone", f"1380013800{number}")
    ids = desk.well("leads", "list", "-o", "ids").out.split()
    before = desk.operations()
    short = desk.well("leads", "accept", *ids, "--dry-run", "-o", "json").things()

    monkeypatch.setattr("bo.cli.writing.LONG", 2)
    long = desk.well("leads", "accept", *ids, "--dry-run", "-o", "json").things()

    assert [(item["id"], item["outcome"]) for item in long] == [(item["id"], item["outcome"]) for item in short]
    assert desk.operations() == before
    assert not list(desk.folder.glob(".try-*"))
