"""Importing on the screen: the file, its first rows, its columns, the trial, the import, and taking it back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bo.core.exchange.mapping import read_mapping, shipped_mapping
from bo.core.office import context_for, create, open_office
from bo.tui.importing import as_toml, completed, listing, meant, rejects_beside
from bo.tui.office import OfficeDesk, OfficeLibrary
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, SMALL, Stage, Story, perform

JOB_S = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.do("leads.report", number="L1", name="Ann", phone="13800138000", city="北京")
    made.close()
    return tmp_path / "office"


def play(folder: Path, story: Story, *, size: tuple[int, int] = LARGE, ascii_only: bool = False) -> None:
    environment = {"BO_WORKSPACE": str(folder), "BO_OPERATOR": "ann", "BO_LANG": "en"}
    perform(
        lambda: OfficeLibrary(open_office(folder)), lambda: OfficeDesk(open_office(folder), "Office"), story, size=size,
        options=ScreenOptions(environment=environment, ascii=ascii_only),
    )  # fmt: skip


def leads(folder: Path) -> dict[str, str]:
    office = open_office(folder)
    try:
        rows = office.reader().page("leads", "", fields=("name", "city")).rows
        return {str(name): str(city or "") for name, city in rows}
    finally:
        office.close()


async def open_file(stage: Stage, path: Path) -> None:
    await stage.press(":")
    await stage.type(f"import {path}")
    await stage.press("enter")
    await stage.until_said("2/5")


async def until_idle(stage: Stage) -> None:
    for _attempt in range(int(JOB_S / 5)):
        try:
            await stage.until(lambda: not stage.app.jobs.running)
        except AssertionError:
            continue
        break
    await stage.settled()


async def map_by_hand(stage: Stage) -> None:
    """Say that `who` is the name and `place` the city."""
    await stage.press("enter")
    await stage.until_said("kept as it is")
    await stage.press("enter")
    await stage.until_said("who is")
    await stage.press("n", "a", "m", "e", "enter", "j", "enter")
    await stage.until_said("place is")
    await stage.type("city")
    await stage.press("enter")
    await stage.until_said("this will be kept as a mapping")


def test_a_file_with_a_column_mapped_by_hand_a_row_rejected_mended_imported_again_and_taken_back(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("who;电话;place\n王伟;13800000001;上海\nBob;12;Oslo\nLi;13800000003;Lyon\n", "utf-8")

    async def story(stage: Stage) -> None:
        await stage.press("I")
        await stage.until_said("1/5")
        await stage.press("/", "ctrl+u", *str(tmp_path / "sho"), "tab")
        await stage.until_said(str(file))
        await stage.press("enter")
        await stage.until_said("2/5")
        await stage.until_said("csv  utf-8")
        await stage.until_said("1 of 3 columns are fields, by their names")
        await stage.until_said("cells are parted by ';'")

        await map_by_hand(stage)

        await stage.press("d")
        await stage.until_said("4/5")
        await until_idle(stage)
        text = stage.text()
        assert "3 records read" in text
        assert "2 would be created" in text
        assert "1 are rejected" in text
        assert "line 3 电话: 12 is not a phone number" in text
        assert leads(folder) == {"Ann": "北京"}

        await stage.press("d")
        await stage.until_said("5/5")
        await until_idle(stage)
        await stage.until_said("2 were created")
        await stage.until_said("shop-rejects.csv")
        assert leads(folder) == {"Ann": "北京", "王伟": "上海", "Li": "Lyon"}
        stage.burst("q")
        await stage.until_said("Import of shop.csv: 2 were created, 1 were rejected; r shows them, u takes it back (")
        await stage.press("r")
        await stage.until(lambda: stage.app.table.count == 3)

        rejects = tmp_path / "shop-rejects.csv"
        rejects.write_text(rejects.read_text("utf-8-sig").replace(",12,", ",13800000002,", 1), "utf-8")
        await open_file(stage, rejects)
        await stage.until_said("by your mapping leads-shop")
        await stage.press("enter", "d")
        await stage.until_said("4/5")
        await until_idle(stage)
        await stage.until_said("1 would be created")
        await stage.press("d")
        await stage.until_said("5/5")
        await until_idle(stage)
        assert leads(folder)["Bob"] == "Oslo"
        stage.burst("u")
        await stage.until_said("Undo: Import of shop-rejects.csv ?")
        await stage.pilot.pause(0.3)  # until it counts as read
        await stage.press("y")
        await stage.until(lambda: bool(stage.app.jobs.running))
        await until_idle(stage)
        await stage.until_said("Undone: Import of shop-rejects.csv")
        assert sorted(leads(folder)) == ["Ann", "Li", "王伟"]
        assert stage.app.triage.can_undo

    play(folder, story)

    mapping = read_mapping(folder / "mappings" / "leads-shop.toml")
    assert mapping.columns == {"who": "name", "电话": "phone", "place": "city"}
    assert mapping.match.columns == ["who", "电话", "place"]


def test_how_a_file_is_read_can_be_said(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_bytes("name,phone,city\n王伟,13800000001,上海\n".encode("gb18030"))

    async def story(stage: Stage) -> None:
        await open_file(stage, file)
        await stage.press("e")
        await stage.until_said("Encoding")
        await stage.type("big5")
        await stage.press("enter")
        await stage.until(lambda: "王伟" not in stage.text() and "2/5" in stage.text())
        await stage.press("e")
        await stage.until_said("as found")
        await stage.type("gb18")
        await stage.press("enter")
        await stage.until_said("you said: gb18030")
        await stage.until_said("王伟")
        await stage.press("H")
        await stage.until_said("Where the header is")
        await stage.press("down", "enter")
        await stage.until_said("column 1")
        assert leads(folder) == {"Ann": "北京"}

    play(folder, story)


def test_what_cannot_be_read_is_said_and_nothing_goes_on(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", "utf-8")

    async def story(stage: Stage) -> None:
        await open_file(stage, tmp_path / "empty.csv")
        await stage.until_said("is empty")
        await stage.press("enter")
        await stage.settled()
        await stage.until_said("2/5")
        await stage.press("escape")
        await stage.until_said("1/5")
        await stage.until_said("empty.csv")
        await stage.press("q")
        await stage.settled()
        assert len(stage.app.screen_stack) == 1

    play(folder, story)


def test_changes_are_told_field_by_field_and_a_column_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "again.csv"
    file.write_text("number,name,phone,city,colour\nL1,Ann,13800138000,Oslo,red\n", "utf-8")

    async def story(stage: Stage) -> None:
        await open_file(stage, file)
        await stage.press("enter")
        await stage.until_said("kept as it is")
        await stage.press("G", "X")
        await stage.until_said("left out")
        await stage.press("d")
        await stage.until_said("4/5")
        await until_idle(stage)
        await stage.until_said("1 would be updated")
        await stage.until_said("北京")
        await stage.until_said("Oslo")
        await stage.press("escape")
        await stage.until_said("3/5")

    play(folder, story)
    assert leads(folder) == {"Ann": "北京"}
    assert read_mapping(folder / "mappings" / "leads-again.toml").columns["colour"] == "-"


def test_a_field_that_every_record_needs_stands_out_until_a_column_is_it(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("who,name\nS1,West\n", "utf-8")

    async def story(stage: Stage) -> None:
        await stage.press("g", "t")
        await stage.until_said("stores ")
        await open_file(stage, file)
        await stage.until_said("1 of 2 columns are fields")
        await stage.press("enter")
        await stage.until_said("needed, and no column is it: Code")
        await stage.press("d")
        await stage.until_said("No column is Code yet")
        await stage.press("enter")
        await stage.until_said("who is")
        await stage.press("enter")
        await stage.until(lambda: "needed, and no" not in stage.text())
        await stage.press("d")
        await stage.until_said("4/5")
        await until_idle(stage)
        await stage.until_said("1 would be created")

    play(folder, story)


def test_records_that_are_not_imported_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", "utf-8")

    async def story(stage: Stage) -> None:
        await stage.press("g", "w")
        await stage.until_said("rewards ")
        await stage.press(":")
        await stage.type(f"import {tmp_path / 'a.csv'}")
        await stage.press("enter")
        await stage.until_said("cannot be imported")
        assert len(stage.app.screen_stack) == 1

    play(folder, story)


def test_a_folder_shows_its_newest_file_first_and_is_left_upwards(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "files"
    (place / "inner").mkdir(parents=True)
    (place / "[bold]old.csv").write_text("x" * 2048, "utf-8")
    (place / "new.csv").write_text("x", "utf-8")
    (place / ".hidden").write_text("x", "utf-8")
    import os

    os.utime(place / "[bold]old.csv", (1, 1))
    assert [item.name for item in listing(place)] == ["inner", "new.csv", "[bold]old.csv"]
    assert completed(str(place / "n")) == (str(place / "new.csv"), ["new.csv"])
    assert meant(f"{place}//srv/new") == "/srv/new"
    assert meant(f"{place}/~/new") == "~/new"
    assert meant(f"{place}/new") == f"{place}/new"

    async def story(stage: Stage) -> None:
        await stage.press(":")
        await stage.type(f"import {place}")
        await stage.press("enter")
        await stage.until_said("[bold]old.csv")
        await stage.until_said("2.0 KB")
        await stage.press("enter")
        await stage.until_said("nothing is in here")
        await stage.press("h")
        await stage.until_said("[bold]old.csv")
        for line in stage.lines():
            assert len(line) <= 80

    play(folder, story, size=SMALL, ascii_only=True)


def test_a_mapping_is_written_as_it_is_read() -> None:
    for name, noun in (("shopify_orders", "orders"), ("olist_orders", "orders"), ("shopify_products", "products")):
        known = shipped_mapping(name, noun)
        again = tomllib.loads(as_toml(known))
        assert again["columns"] == known.columns
        assert bool(again.get("gather")) == (known.gather is not None)


def test_the_file_of_rejects_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a-rejects.csv").write_text("", "utf-8")
    assert rejects_beside(str(tmp_path / "a.xlsx")) == str(tmp_path / "a-rejects-2.csv")
    assert rejects_beside(str(tmp_path / "a-rejects.csv")) == str(tmp_path / "a-rejects-2.csv")


def test_an_import_that_is_stopped_says_what_stays(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("name,phone\n" + "".join(f"Lead {at},139{at:08}\n" for at in range(40)), "utf-8")
    other = open_office(folder)

    async def story(stage: Stage) -> None:
        await open_file(stage, file)
        await stage.press("enter", "d")
        await stage.until_said("4/5")
        await until_idle(stage)
        await stage.until_said("line 2 would be created Lead 0 | 13900000000")
        with other.database.writing():  # the import waits for this
            await stage.press("d")
            await stage.until_said("x stops it")
            await stage.until(lambda: stage.app.jobs._processes)
            await stage.press("x")
            await until_idle(stage)
        await stage.until_said("nothing was kept")
        await stage.press("q")
        await stage.settled()
        assert not stage.app.triage.can_undo

    play(folder, story)
    other.close()
    assert leads(folder) == {"Ann": "北京"}


def test_a_file_that_has_to_be_seen_whole_is_looked_at_in_another_process(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bo.tui.importing.LONG_BYTES", 10)
    file = tmp_path / "leads.jsonl"
    file.write_text('{"name": "王伟", "phone": "13800000001", "colour": "red"}\n', "utf-8")

    async def story(stage: Stage) -> None:
        await open_file(stage, file)
        await stage.until_said("jsonl  utf-8")
        await stage.until_said("王伟")
        await stage.press("enter", "d")
        await stage.until_said("4/5")
        await until_idle(stage)
        await stage.until_said("1 would be created")

    play(folder, story)
