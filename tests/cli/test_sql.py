"""`bo sql` reads everything and changes nothing."""

from __future__ import annotations

import pytest

from tests.cli.running import ROLES, Desk


def test_rows_come_in_every_format(desk: Desk) -> None:
    sql = "SELECT code, id FROM role WHERE code LIKE :wanted ORDER BY code"

    assert desk.well("sql", sql, "--param", "wanted=a%", "-o", "template", "--template", "{code}").lines() == [
        "admin",
        "approver",
        "auditor",
    ]
    assert desk.well("sql", "-", "-o", "json", stdin="SELECT count(*) AS roles FROM role").things() == [
        {"roles": ROLES}
    ]


def test_tables_and_how_they_are_made(desk: Desk) -> None:
    assert f"role\t{ROLES}" in desk.well("sql").lines()
    assert desk.well("sql", "--schema", "role").out.startswith("CREATE TABLE role (")
    assert desk.bo("sql", "--schema", "nothing").code == 2


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM role",
        "UPDATE head SET seq = 0",
        "INSERT INTO role (n) VALUES (1)",
        "DROP TABLE role",
        "WITH x AS (SELECT 1) DELETE FROM role",
        "VACUUM",
    ],
)
def test_nothing_can_be_changed(desk: Desk, sql: str) -> None:
    before = desk.operations()

    ran = desk.bo("sql", sql)

    assert ran.code in (2, 77)
    assert ran.out == ""
    assert desk.operations() == before
    assert desk.well("roles", "count").out == f"{ROLES}\n"


def test_sql_that_does_not_run_says_why(desk: Desk) -> None:
    ran = desk.bo("sql", "SELECT colour FROM role")

    assert ran.code == 2
    assert "no such column: colour" in ran.err


def test_two_columns_of_one_name_stay_two(desk: Desk) -> None:
    assert desk.well("sql", "SELECT 1 AS id, 2 AS id", "-o", "json").things() == [{"id": 1, "id_2": 2}]


def test_only_who_may_see_everything_may_ask_in_sql(desk: Desk) -> None:
    desk.well("operators", "add", "--login", "eve", "--roles", "auditor", "-q")

    assert desk.bo("sql", "SELECT 1", "--as", "eve").code == 77
