"""Dumps of MySQL as tables: what is written comes out, in bounded memory, and what cannot be read is told."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.catalog.records import Product
from bo.core.exchange import open_source
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions
from bo.core.kernel.errors import BadFile, UsageError
from bo.core.kernel.workspace import Workspace
from tests.core.exchange.files import read

DUMP = r"""-- a dump; with 'quotes' in a comment
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `item`;
CREATE TABLE `item`  (
  `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'the number; (of all)',
  `name` varchar(64) DEFAULT 'x',
  `price` decimal(10, 2) NULL,
  PRIMARY KEY (`id`), KEY `by_name` (`name`, `price`)
) ENGINE = InnoDB COMMENT = 'things';
INSERT INTO `item` VALUES (1, 'it''s; a \'rake\'\n(old)', 12.50), (2, NULL, -1);
# another comment
INSERT IGNORE INTO `shop`.`item` (`name`, `id`) VALUES ("two \"words\"", 3);
INSERT INTO `log` (`at`, `of`) VALUES (NOW(), '2');
INSERT INTO copy SELECT * FROM item;
"""


TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)


def dump(folder: Path, text: str, name: str = "shop.sql") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_table_is_read_like_a_sheet(tmp_path: Path) -> None:
    found = read(open_source(dump(tmp_path, DUMP), sheet="item"))
    assert found.columns == ["id", "name", "price"]
    assert found.rows == [
        ["1", "it's; a 'rake'\n(old)", "12.50"],
        ["2", None, "-1"],
        ["3", 'two "words"', None],
    ]
    assert found.notes == ["table item; there are also: log"]


def test_several_tables_are_read_together(tmp_path: Path) -> None:
    found = read(open_source(dump(tmp_path, DUMP), sheet="log+item"))
    assert found.columns == ["log.at", "log.of", "item.id", "item.name", "item.price"]
    assert found.rows[-1] == ["NOW()", "2", None, None, None]
    assert len(found.rows) == 4


def test_without_a_table_all_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        open_source(dump(tmp_path, DUMP))
    assert "item, log" in str(told.value.facts["tables"])
    with pytest.raises(UsageError, match="has no table nothing"):
        open_source(dump(tmp_path, DUMP), sheet="nothing")


def test_the_only_table_needs_no_name(tmp_path: Path) -> None:
    found = read(open_source(dump(tmp_path, "INSERT INTO t VALUES (1, 'a');", "t.sql")))
    assert (found.columns, found.rows) == (["column 1", "column 2"], [["1", "a"]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("INSERT INTO t VALUES (1, 'open", "opened and not closed"),
        ("INSERT INTO t VALUES (1, 2", "a row is not closed"),
        ("CREATE TABLE t (a int);", "holds no rows"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        read(open_source(dump(tmp_path, text), sheet="t"))


def test_a_row_of_another_width_is_a_problem_of_its_own(tmp_path: Path) -> None:
    found = read(open_source(dump(tmp_path, "CREATE TABLE t (a int, b int);\nINSERT INTO t VALUES (1, 2), (3);")))
    assert found.rows == [["1", "2"]]
    assert found.problems == {2: "line 2: a row of t has 1 values for 2 columns"}


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_any_text_that_is_written_as_mysql_does_comes_out(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    values = ",\n".join(f"({quoted(first)}, {quoted(second)})" for first, second in rows)
    path = dump(tmp_path_factory.mktemp("sql"), f"INSERT INTO `t` (`a`, `b`) VALUES {values};")
    assert read(open_source(path)).rows == [list(row) for row in rows]


def test_a_long_dump_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.sql"
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, 8_000, 200):
            values = ",".join(f"({at}, '{'x' * 2_000}')" for at in range(start, start + 200))
            file.write(f"INSERT INTO `t` (`id`, `text`) VALUES {values};\n")
    tracemalloc.start()
    try:
        with open_source(path) as source:
            count = sum(1 for _row in source)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 8_000
    assert most < 12 << 20


def test_tables_of_a_known_shop_are_found_by_themselves(office: Workspace, tmp_path: Path) -> None:
    text = """
INSERT INTO `oc_product` (`product_id`, `model`, `price`, `image`, `status`) VALUES (7, 'R-1', '9.9900', 'a.jpg', 1);
INSERT INTO `oc_product_description` (`product_id`, `name`, `description`) VALUES
  (7, 'Rake 30&quot;', '&lt;p&gt;Good&lt;/p&gt;');
INSERT INTO `oc_product_image` (`product_image_id`, `product_id`, `image`) VALUES (1, 7, 'b.jpg');
INSERT INTO `oc_setting` (`a`) VALUES (1);
"""
    report = import_file(office, "products", dump(tmp_path, text))
    assert (report.created, report.rejected) == (1, 0), report.problems
    rake = office.reader().get(Product, "7")
    assert (rake.title, rake.description, rake.state) == ('Rake 30"', "<p>Good</p>", "active")
    assert office.reader().count("media") == 2
    assert import_file(office, "products", dump(tmp_path, text)).unchanged == 1


def test_another_table_is_chosen_by_hand(office: Workspace, tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nname = "path"\n', "utf-8")
    options = ImportOptions(sheet="item", mapping=mapping, rejects=tmp_path / "rejects.csv")
    report = import_file(office, "categories", dump(tmp_path, DUMP), options)
    assert (report.created, report.rejected) == (2, 1)
