"""Importing records: what rows become, what is told about them, and that a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bo.core.customers.records import Customer
from bo.core.exchange import pipeline
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.planning import Item, Planner
from bo.core.exchange.report import FieldChange, ImportOptions, ImportReport, Problem, RowOutcome
from bo.core.exchange.seen import Seen
from bo.core.exchange.source import Row
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, NotAllowed, UsageError
from bo.core.kernel.replay import contents
from bo.core.kernel.workspace import Workspace
from bo.core.leads.records import Lead
from bo.core.stores.records import Store

HEADER = "报备编号,姓名,手机,城市,备注\n"


def file(folder: Path, text: str, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def leads(office: Workspace) -> list[Lead]:
    """All leads in the order in which they came."""
    return list(reversed(office.reader().records(Lead)))


def counts(report: ImportReport) -> str:
    """The counts that are not zero, and that they add up."""
    found = dict(report.counts())
    assert found.pop("read") == sum(found.values())
    return ", ".join(f"{count} {name}" for name, count in found.items() if count)


def everything(office: Workspace) -> object:
    office.registry.load_all()
    session = office.database.session
    session.cursor.execute("SELECT seq, hash FROM head")
    return contents(
        session, [office.reader().info(noun) for noun in ("leads", "stores", "customers")]
    ), session.cursor.fetchall()


# -- new records -------------------------------------------------------------------------------------------------------


def test_rows_become_records_with_their_values_read_by_kind(office: Workspace, tmp_path: Path) -> None:
    # Given
    path = file(
        tmp_path,
        "编号,姓名,手机,Email Address,预算,报备时间,意向门店,推荐人,标签,同意联系,Shoe size\n"
        'A1, 王 伟 ,138 0013 8000,Li@Example.COM,"1,234.5",2026-10-31 09:30,west,D1,"急,vip",否,42\n',
    )
    # When
    report = import_file(office, "leads", path)
    # Then
    assert counts(report) == "1 created"
    (lead,) = leads(office)
    west = office.reader().get(Store, "west")
    assert (lead.number, lead.name, lead.phone, lead.email) == ("A1", "王 伟", "+8613800138000", "Li@example.com")
    assert (lead.budget, lead.wanted_store, lead.consent, lead.tags) == (123450, west.id, False, ("vip", "急"))
    assert lead.reported_at == datetime(2026, 10, 31, 1, 30, tzinfo=UTC)
    assert lead.extra == {"Shoe size": "42"}
    assert (report.written, report.extra_columns, report.ignored_columns) == (True, ["Shoe size"], [])


def test_importing_the_same_file_again_changes_nothing(office: Workspace, tmp_path: Path) -> None:
    # Given rows with a number, without one, two that are the same, and one that says less
    path = file(
        tmp_path, HEADER + "A1,王伟,13800138000,杭州,\n,李娜,13900139000,上海,急\n,李娜,13900139000,上海,急\n,x,,,\n"
    )
    assert counts(import_file(office, "leads", path)) == "3 created, 1 duplicate"
    before = everything(office)
    # When
    report = import_file(office, "leads", path)
    # Then
    assert counts(report) == "4 unchanged"
    assert everything(office) == before
    assert report.batch == ""


def test_two_rows_that_are_the_same_are_two_records_and_the_second_a_duplicate(
    office: Workspace, tmp_path: Path
) -> None:
    path = file(tmp_path, "姓名,手机\n李娜,13900139000\n李娜,13900139000\n李娜,13900139000\n")
    assert counts(import_file(office, "leads", path)) == "1 created, 2 duplicate"
    first, *later = leads(office)
    assert [lead.state for lead in later] == ["duplicate", "duplicate"]
    assert {lead.duplicate_of for lead in later} == {first.id}
    assert len({lead.import_key for lead in (first, *later)}) == 3


def test_a_row_of_a_person_who_bought_becomes_a_customer(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "客户编号,姓名,电话\nK1,王伟,13800138000\n,李娜,13900139000\n")
    assert counts(import_file(office, "customers", path)) == "2 created"
    assert counts(import_file(office, "customers", path)) == "2 unchanged"
    assert {(item.number, item.phone) for item in office.reader().records(Customer)} == {
        ("K1", "+8613800138000"),
        (None, "+8613900139000"),
    }


def test_a_cell_with_several_numbers_fills_both_phones_and_keeps_what_is_left_over(
    office: Workspace, tmp_path: Path
) -> None:
    # Given
    path = file(
        tmp_path,
        "姓名,电话\n两个,13800138000/13900139000\n三个,13800138001、13900139001、13700137001\n"
        "同一个,13800138002 13800138002\n坏的,13800138003/12\n",
    )
    # When
    report = import_file(office, "leads", path, ImportOptions(rejects=tmp_path / "r.csv"))
    # Then
    assert counts(report) == "3 created, 1 rejected"
    assert [(lead.phone, lead.phone2, lead.extra) for lead in leads(office)] == [
        ("+8613800138000", "+8613900139000", {}),
        ("+8613800138001", "+8613900139001", {"电话": "13800138001、13900139001、13700137001"}),
        ("+8613800138002", None, {}),
    ]
    assert [(item.column, item.value) for item in report.problems] == [("电话", "13800138003/12")]
    assert (
        counts(import_file(office, "leads", path, ImportOptions(rejects=tmp_path / "r.csv")))
        == "3 unchanged, 1 rejected"
    )


def test_customers_have_one_phone_and_the_cell_with_two_stays_beside_it(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "客户编号,电话\nK1,13800138000/13900139000\n")
    assert counts(import_file(office, "customers", path)) == "1 created"
    (customer,) = office.reader().records(Customer)
    assert (customer.phone, customer.extra) == ("+8613800138000", {"电话": "13800138000/13900139000"})
    assert counts(import_file(office, "customers", path)) == "1 unchanged"


def test_text_that_had_to_be_tidied_is_told(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, 'name,note,other\n"Ann\nLee","two\nlines","a\u200bb"\nBob,,\n')
    report = import_file(office, "leads", path)
    assert [(lead.name, lead.note, lead.extra) for lead in leads(office)] == [
        ("Ann Lee", "two\nlines", {"other": "a\u200bb"}),
        ("Bob", "", {}),
    ]
    assert "spaces, line ends or invisible characters were tidied in: name (1)" in report.notes
    assert counts(import_file(office, "leads", path)) == "2 unchanged"


# -- records that are there --------------------------------------------------------------------------------------------


def test_only_what_differs_is_changed_and_a_blank_cell_keeps(office: Workspace, tmp_path: Path) -> None:
    # Given
    import_file(
        office, "leads", file(tmp_path, "编号,姓名,城市,备注,Shoe size,Hat\nA1,王伟,杭州,急,42,L\nA2,李娜,上海,,,\n")
    )
    # When
    path = file(tmp_path, "编号,姓名,城市,备注,Shoe size,Hat\nA1,王大伟,杭州,,43,\nA2,,,,,\n")
    told: list[RowOutcome] = []
    report = import_file(office, "leads", path, ImportOptions(on_row=told.append))
    # Then
    assert counts(report) == "1 updated, 1 unchanged"
    lead, _other = leads(office)
    assert (lead.name, lead.city, lead.note, lead.extra) == ("王大伟", "杭州", "急", {"Shoe size": "43", "Hat": "L"})
    changes = (FieldChange("name", "王伟", "王大伟"), FieldChange("Shoe size", "42", "43"))
    assert told == [
        RowOutcome(1, 2, "updated", lead.id, changes),
        RowOutcome(2, 3, "unchanged", _other.id),
    ]
    (operation,) = office.operations(limit=1)
    assert (operation.name, operation.subject) == ("leads.edit", lead.id)
    assert operation.args == '{"name":"王大伟","extra":{"Shoe size":"43","Hat":"L"}}'


def test_a_record_is_known_by_its_id_before_its_number(office: Workspace, tmp_path: Path) -> None:
    import_file(office, "leads", file(tmp_path, "编号,姓名\nA1,王伟\nA2,李娜\n"))
    first, _second = leads(office)
    report = import_file(office, "leads", file(tmp_path, f"id,编号,姓名\n{first.id},A3,王伟\n"))
    assert counts(report) == "1 updated"
    assert [lead.number for lead in leads(office)] == ["A3", "A2"]


def test_ids_of_somebody_else_are_kept_as_they_are(office: Workspace, tmp_path: Path) -> None:
    foreign = "lead_01jzzzzzzzzzzzzzzzzzzzzzzz"
    path = file(tmp_path, f"ID,Name,Age\n17,Ann,30\n{foreign},Bob,31\n")
    report = import_file(office, "leads", path)
    assert counts(report) == "2 created"
    assert [lead.extra for lead in leads(office)] == [{"ID": "17", "Age": "30"}, {"ID": foreign, "Age": "31"}]
    assert "ids that are not known here, kept as extra: 1" in report.notes
    assert report.extra_columns == ["ID", "Age"]
    assert counts(import_file(office, "leads", path)) == "2 unchanged"


def test_two_rows_of_one_record_may_add_to_each_other(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "编号,姓名,手机,备注\nA1,王伟,,\nA1,,13800138000,\nA1,王伟,,\nA1,,,急\n")
    assert counts(import_file(office, "leads", path)) == "1 created, 2 updated, 1 unchanged"
    (lead,) = leads(office)
    assert (lead.name, lead.phone, lead.note) == ("王伟", "+8613800138000", "急")
    assert counts(import_file(office, "leads", path)) == "4 unchanged"


def test_two_rows_of_one_record_may_not_contradict_each_other(office: Workspace, tmp_path: Path) -> None:
    # Given
    path = file(tmp_path, "编号,姓名,城市\nA1,王伟,杭州\nA2,李娜,\nA1,王伟,上海\n")
    before = everything(office)
    # When
    report = import_file(office, "leads", path)
    # Then
    assert counts(report) == "2 created, 1 rejected"
    assert not report.written
    assert report.problems == [
        Problem(3, 4, "城市", "上海", "an earlier row of this file means the same lead, and city is 杭州 there",
                "Keep one of the rows, or give the other a number of its own.", "bad_value")
    ]  # fmt: skip
    assert everything(office) == before


def test_a_number_that_another_program_took_meanwhile_is_compared_and_not_refused(
    office: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: the other program writes when all is planned
    path = file(tmp_path, "编号,姓名\nA1,王伟\nA2,李娜\n")
    plan = Planner.plan

    def plan_and_be_late(self: Planner, rows: Sequence[Row]) -> list[Item]:
        planned = plan(self, rows)
        office.run(
            [
                Call("leads.report", None, {"number": "A1", "name": "王先生"}),
                Call("leads.report", None, {"number": "A2", "name": "李娜"}),
            ]
        )
        return planned

    monkeypatch.setattr(Planner, "plan", plan_and_be_late)
    # When
    report = import_file(office, "leads", path)
    # Then
    assert counts(report) == "1 updated, 1 unchanged"
    assert [lead.name for lead in leads(office)] == ["王伟", "李娜"]


# -- all or nothing ----------------------------------------------------------------------------------------------------

BAD_ROWS = (
    "编号,姓名,手机,预算,报备时间,意向门店\n"
    "A1,王伟,13800138000,1000,2026-10-31,west\n"
    "A2,李娜,138,1.234,03/04/2026,nowhere\n"
    "A3,张三\n"
    "A4,赵四,13900139000,￥1200,2026-10-31,east\n"
    ",,,,,\n"
)


def test_one_bad_row_and_nothing_is_kept(office: Workspace, tmp_path: Path) -> None:
    before = everything(office)
    report = import_file(office, "leads", file(tmp_path, BAD_ROWS))
    assert counts(report) == "2 created, 2 rejected"
    assert (report.written, report.batch) == (False, "")
    assert everything(office) == before


def test_every_bad_cell_is_told_with_its_place_and_reason(office: Workspace, tmp_path: Path) -> None:
    report = import_file(office, "leads", file(tmp_path, BAD_ROWS))
    assert [(item.record, item.line, item.column, item.value) for item in report.problems] == [
        (2, 3, "手机", "138"),
        (2, 3, "预算", "1.234"),
        (2, 3, "报备时间", "03/04/2026"),
        (2, 3, "意向门店", "nowhere"),
        (3, 4, "", ""),
    ]
    reasons = {item.column: item.reason for item in report.problems}
    assert reasons["手机"] == "138 is too short for a phone number"
    assert reasons["预算"] == "1.234 can be read in two ways"
    assert reasons["报备时间"] == "03/04/2026 can be read as two different days"
    assert reasons["意向门店"] == "there is no store nowhere"
    assert reasons[""] == "line 4 has 2 cells, the header has 6"


def test_only_the_first_problems_are_listed_and_all_are_counted(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "姓名,手机\n" + "x,1\n" * 50)
    report = import_file(office, "leads", path, ImportOptions(problems_most=3))
    assert (counts(report), len(report.problems)) == ("50 rejected", 3)


def test_what_a_command_refuses_is_a_rejected_row(office: Workspace, tmp_path: Path) -> None:
    # Given a store that would close before it opens: nothing that a cell alone could tell
    path = file(tmp_path, "code,name,opens,closes\nnorth,North,09:00,18:00\nsouth,South,18:00,09:00\n", "stores.csv")
    before = everything(office)
    # When
    report = import_file(office, "stores", path)
    # Then
    assert counts(report) == "1 created, 1 rejected"
    assert [(item.record, item.code) for item in report.problems] == [(2, "wrong_hours")]
    assert everything(office) == before


def test_a_dry_run_says_what_would_be_and_keeps_nothing(office: Workspace, tmp_path: Path) -> None:
    # Given
    import_file(office, "leads", file(tmp_path, "编号,姓名,手机\nA1,王伟,13800138000\n"))
    before = everything(office)
    (known,) = leads(office)
    # When
    path = file(tmp_path, "编号,姓名,手机\nA1,王大伟,13800138000\nA2,李娜,13800138000\nA3,张三,\nA4,赵四,1\n")
    report = import_file(office, "leads", path, ImportOptions(dry_run=True, rejects=tmp_path / "r.csv"))
    # Then
    assert counts(report) == "1 created, 1 updated, 1 duplicate, 1 rejected"
    assert (report.dry_run, report.written, report.batch) == (True, False, "")
    assert [(row.record, row.outcome) for row in report.rows] == [
        (1, "updated"), (2, "duplicate"), (3, "created"), (4, "rejected")
    ]  # fmt: skip
    assert report.rows[0].changes == (FieldChange("name", "王伟", "王大伟"),)
    assert report.rows[0].id == known.id
    assert report.rows[3].reason == "1 is not a phone number"
    assert everything(office) == before
    assert not (tmp_path / "r.csv").exists()


def test_the_whole_import_is_one_step_of_undo(
    office: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an import of several batches, whose first call is refused
    monkeypatch.setattr(pipeline, "BATCH_ROWS", 3)
    office.do("leads.report", number="old", name="before")
    rows = ["编号,姓名,手机\n", "A0,x,1\n", "old,after,\n"] + [f"A{place},n{place},\n" for place in range(1, 9)]
    path = file(tmp_path, "".join(rows))
    # When
    report = import_file(office, "leads", path, ImportOptions(rejects=tmp_path / "r.csv"))
    # Then
    assert counts(report) == "8 created, 1 updated, 1 rejected"
    assert len(office.undone_by(report.batch)) == 9
    office.undo(report.batch)
    assert [(lead.number, lead.name) for lead in leads(office)] == [("old", "before")]


# -- reject files ------------------------------------------------------------------------------------------------------


def test_with_a_reject_file_the_good_rows_are_kept_and_the_others_can_be_mended(
    office: Workspace, tmp_path: Path
) -> None:
    # Given
    rejects = tmp_path / "rejects.csv"
    path = file(tmp_path, "编号,姓名,手机,说\nA1,王伟,13800138000,=1+1\nA2,李娜,138,=2+2\nA3,多,13700137000,2,3\n")
    # When
    report = import_file(office, "leads", path, ImportOptions(rejects=rejects))
    # Then
    assert counts(report) == "1 created, 2 rejected"
    assert (report.written, report.rejects) == (True, str(rejects))
    hint = "Check the digits; a number of another country begins with + and that country's code."
    advice = "Quote cells that hold the delimiter, and give each line all its cells, blank ones too."
    assert rejects.read_text("utf-8").splitlines() == [
        "编号,姓名,手机,说,bo_record,bo_line,bo_column,bo_value,bo_reason",
        f"A2,李娜,138,'=2+2,2,3,手机,138,138 is too short for a phone number. {hint}",
        f'A3,多,13700137000,2,3,4,,3,"line 4 has 5 cells, the header has 4. {advice}"',
    ]
    # When mended
    mended = rejects.read_text("utf-8").replace(",138,'", ",13900139000,'")
    again = import_file(
        office, "leads", file(tmp_path, mended, "mended.csv"), ImportOptions(rejects=tmp_path / "r2.csv")
    )
    # Then
    assert counts(again) == "2 created"
    assert again.ignored_columns == []
    assert [(lead.number, lead.extra) for lead in leads(office)] == [
        ("A1", {"说": "=1+1"}),
        ("A2", {"说": "=2+2"}),
        ("A3", {"说": "2"}),
    ]


def test_rows_without_a_number_are_known_again_when_they_come_back_as_rejects(
    office: Workspace, tmp_path: Path
) -> None:
    # Given a row that is refused for a store that is not there yet
    path = file(tmp_path, "姓名,意向门店,说\n李娜,north,=1\n")
    rejects = tmp_path / "rejects.csv"
    assert counts(import_file(office, "leads", path, ImportOptions(rejects=rejects))) == "1 rejected"
    office.do("stores.add", code="north", name="North")
    # When
    assert counts(import_file(office, "leads", rejects)) == "1 created"
    # Then
    assert counts(import_file(office, "leads", path)) == "1 unchanged"


def test_a_reject_file_without_rejects_has_its_header_alone(office: Workspace, tmp_path: Path) -> None:
    rejects = file(tmp_path, "what was there before", "rejects.csv")
    import_file(office, "leads", file(tmp_path, "name\nAnn\n"), ImportOptions(rejects=rejects))
    assert rejects.read_text() == "name,bo_record,bo_line,bo_column,bo_value,bo_reason\n"


def test_a_reject_file_may_not_be_the_file_itself(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "name\nAnn\n")
    with pytest.raises(UsageError, match="would overwrite"):
        import_file(office, "leads", path, ImportOptions(rejects=path))
    assert (path.read_text(), leads(office)) == ("name\nAnn\n", [])


def test_a_file_that_breaks_further_down_leaves_whole_batches_and_the_old_reject_file(
    office: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr(pipeline, "BATCH_ROWS", 100)
    rejects = file(tmp_path, "old", "rejects.csv")
    path = tmp_path / "leads.csv"
    path.write_bytes(
        b"name,note\n" + b"".join(b"n%d,%s\n" % (place, b"x" * 900) for place in range(950)) + b"\xff\xfe\xfa,\n"
    )
    # When
    with pytest.raises(BadFile, match="is not utf-8"):
        import_file(office, "leads", path, ImportOptions(rejects=rejects, encoding="utf-8"))
    # Then
    kept = office.reader().count("leads")
    assert kept % 100 == 0
    assert rejects.read_text() == "old"
    # And without a reject file nothing more is kept
    with pytest.raises(BadFile, match="is not utf-8"):
        import_file(office, "leads", path, ImportOptions(encoding="utf-8"))
    assert office.reader().count("leads") == kept


# -- mappings ----------------------------------------------------------------------------------------------------------


def test_a_mapping_reads_words_days_amounts_and_constants_its_own_way(office: Workspace, tmp_path: Path) -> None:
    # Given
    mapping = file(
        tmp_path,
        'null = ["Select", "-"]\nday_order = "dmy"\ndecimal = ","\n'
        '[columns]\n"First" = "name"\n"Last" = "name"\n"Seen" = "reported_at"\n"Secret" = "-"\n'
        '[values.source]\n"Site" = "web"\n[set]\ncountry = "FR"\ncity = "Paris"\n[split]\ntags = "|"\n',
        "fr.toml",
    )
    path = file(
        tmp_path,
        "First,Last,Seen,budget,source,city,tags,Secret,Other\nAnne,Durand,03/04/2026,1.234,Site,Lyon,a b|c,x,Select\n"
        "Luc,-,,,Select,,,,y\n",
    )
    # When
    report = import_file(office, "leads", path, ImportOptions(mapping=mapping))
    # Then
    assert counts(report) == "2 created"
    first, second = leads(office)
    assert (first.name, first.budget, first.source, first.city, first.country) == (
        "Anne Durand",
        123400,
        "web",
        "Lyon",
        "FR",
    )
    assert first.reported_at == datetime(2026, 4, 2, 16, 0, tzinfo=UTC)
    assert (first.tags, first.extra) == (("a b", "c"), {})
    assert (second.name, second.source, second.city, second.country, second.extra) == (
        "Luc",
        "",
        "Paris",
        "FR",
        {"Other": "y"},
    )
    assert report.ignored_columns == ["Secret"]
    assert counts(import_file(office, "leads", path, ImportOptions(mapping=mapping))) == "2 unchanged"


def test_a_saved_mapping_is_found_by_the_columns_and_told(
    office: Workspace, office_folder: Path, tmp_path: Path
) -> None:
    folder = office_folder / "mappings"
    folder.mkdir()
    saved = file(folder, '[match]\ncolumns = ["Nom"]\n[columns]\n"Nom" = "name"\n', "fr.toml")
    report = import_file(office, "leads", file(tmp_path, "Nom\nAnne\n"))
    assert [lead.name for lead in leads(office)] == ["Anne"]
    assert f"mapping used: {saved}" in report.notes
    assert report.mapping == str(saved)


def test_a_file_without_a_header_is_refused_with_what_to_do(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "1001,王伟,13800138000\n1002,李娜,13900139000\n")
    with pytest.raises(
        BadFile, match=r"has no header: its first line looks like data \(1001, 王伟, 13800138000\)"
    ) as refused:
        import_file(office, "leads", path)
    assert "--header-row 0" in refused.value.hint
    assert leads(office) == []
    # And with a mapping by place
    mapping = file(tmp_path, '[columns]\n"column 1"="number"\n"column 2"="name"\n"column 3"="phone"\n', "m.toml")
    assert counts(import_file(office, "leads", path, ImportOptions(header_row=0, mapping=mapping))) == "2 created"
    assert next((lead.number, lead.name, lead.phone) for lead in leads(office)) == ("1001", "王伟", "+8613800138000")


# -- what cannot be imported -------------------------------------------------------------------------------------------


def test_records_that_come_from_other_commands_cannot_be_imported(office: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="follow_ups cannot be imported"):
        import_file(office, "follow_ups", file(tmp_path, "lead,note\n1,x\n"))


def test_a_file_without_a_column_that_every_record_needs_is_refused_at_once(office: Workspace, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no column is code, which every one of the stores needs"):
        import_file(office, "stores", file(tmp_path, "name\nWest\n"))


def test_a_row_without_what_every_record_needs_is_rejected(office: Workspace, tmp_path: Path) -> None:
    report = import_file(office, "stores", file(tmp_path, "店号,name\nn1,North\n,South\n"))
    assert counts(report) == "1 created, 1 rejected"
    assert [(item.column, item.reason) for item in report.problems] == [("店号", "code is missing")]


def test_who_may_not_report_leads_may_not_import_them(office: Workspace, tmp_path: Path) -> None:
    operator = office.do("operators.add", login="ann", roles="auditor").returned
    assert operator is not None
    office.actor = operator
    with pytest.raises(NotAllowed, match=r"may not leads\.report"):
        import_file(office, "leads", file(tmp_path, "name\nAnn\n"))
    office.actor = "system"
    assert leads(office) == []


def test_blank_rows_of_json_are_rejected(office: Workspace, tmp_path: Path) -> None:
    path = file(
        tmp_path, '[{"name": "Ann", "tags": ["a,b", "c"], "age": 30}, {"name": "", "tags": null}, 7]', "leads.json"
    )
    report = import_file(office, "leads", path, ImportOptions(rejects=tmp_path / "r.csv"))
    assert counts(report) == "1 created, 2 rejected"
    assert [(item.record, item.reason) for item in report.problems] == [
        (2, "the row is blank"),
        (3, "line 1 is no JSON object"),
    ]
    (lead,) = leads(office)
    assert (lead.tags, lead.extra) == (("a,b", "c"), {"age": "30"})


def test_a_header_without_rows_is_an_import_of_nothing(office: Workspace, tmp_path: Path) -> None:
    report = import_file(office, "leads", file(tmp_path, "name,phone\n"))
    assert (counts(report), report.written) == ("", True)
    assert "there are no rows" in report.notes


def test_progress_is_told_and_ends_with_everything(
    office: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH_ROWS", 10)
    path = file(tmp_path, HEADER + "".join(f"A{place},王伟,,杭州,急\n" for place in range(40)))
    told: list[tuple[int, float | None]] = []
    import_file(office, "leads", path, progress=lambda rows, share: told.append((rows, share)))
    assert [rows for rows, _share in told] == [10, 20, 30, 40, 10, 20, 30, 40]
    shares = [share for _rows, share in told if share is not None]
    assert shares == sorted(shares)
    assert shares[3] == pytest.approx(0.3, abs=0.02)
    assert shares[-1] == 1.0


def test_days_of_stores_are_read_as_days(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "code,合同到期,容量\nn1,2027年1月31日,20\n")
    assert counts(import_file(office, "stores", path)) == "1 created"
    assert office.reader().get(Store, "n1").contract_until == date(2027, 1, 31)
    assert counts(import_file(office, "stores", path)) == "1 unchanged"


# -- what a file has named before -------------------------------------------------------------------------------------


def test_keys_are_counted_however_many_there_are() -> None:
    # Given more keys than the first table holds, so that it grows
    seen = Seen()
    keys = [f"key {place}" for place in range(50_000)]
    # Then
    assert [seen.before(key) for key in keys] == [0] * 50_000
    assert [seen.before(keys[0]), seen.before(keys[0]), seen.before(keys[-1]), seen.before("new")] == [1, 2, 1, 0]


def test_an_amount_is_in_the_currency_of_its_row(office: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "编号,预算,currency\nA1,1250,JPY\nA2,12.5,USD\nA3,12.5,\nA4,12.5,JPY\n")
    report = import_file(office, "leads", path, ImportOptions(rejects=tmp_path / "r.csv"))
    assert counts(report) == "3 created, 1 rejected"
    assert [(lead.budget, lead.currency) for lead in leads(office)] == [(1250, "JPY"), (1250, "USD"), (1250, "")]
    assert [item.column for item in report.problems] == ["预算"]
    # And where the row says nothing, of its record
    again = file(tmp_path, "编号,预算\nA1,1250\nA2,12.50\n", "again.csv")
    assert counts(import_file(office, "leads", again)) == "2 unchanged"
