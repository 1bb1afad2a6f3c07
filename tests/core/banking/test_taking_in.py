"""Taking statements in: what is new, what is known, how they follow each other, and what the ledger holds then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.banking.commands import NotAddingUp, WrongCurrency
from bo.core.banking.records import BankLine, BankStatement
from bo.core.exchange.statements import OtherAccount, SeveralCurrencies, StatementOptions, take_in_file
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError, NotAllowed, NotFound
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from tests.core.banking.files import IBAN, camt, detail, entry


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("banking") / "office"
    with create(folder, context_for("DE"), operator="boss") as made:
        furnish(made)
    return folder


@pytest.fixture
def ws(template: Path, tmp_path: Path) -> Iterator[Workspace]:
    with open_office(shutil.copytree(template, tmp_path / "office")) as made:
        yield made


def furnish(made: Workspace) -> None:
    account = {"holder": "Acme", "currency": "EUR"}
    made.run(
        [
            Call("bank_accounts.add", None, {"code": "MAIN", "number": IBAN, **account}),
            Call("bank_accounts.add", None, {"code": "SHOP", "number": "acct_1", "kind": "channel", **account}),
        ],
        atomic=True,
    )


def line(day: str, amount: int, purpose: str = "x", **more: object) -> dict[str, object]:
    return {"day": f"2026-11-{day}", "amount": amount, "purpose": purpose, **more}


def take(ws: Workspace, *lines: dict[str, object], **header: object) -> Outcome:
    return ws.do("bank_statements.take_in", account=header.pop("account", "MAIN"), lines=list(lines), **header)


def statements(ws: Workspace) -> list[BankStatement]:
    return ws.reader().records(BankStatement, "sort:until_day,id")


def held(ws: Workspace) -> dict[str, int]:
    return {item.account: item.amount for item in ws.ask("ledger.balance") if item.amount}


# -- lines that are new, and those that are known ----------------------------------------------------------------------


def test_the_ledger_holds_what_the_bank_says_from_the_first_statement_on(ws: Workspace) -> None:
    take(ws, line("02", 1000), line("02", -300), line("03", -300), opening=5000, closing=5400)
    assert held(ws) == {"bank": 5400, "suspense": -400, "opening": -5000}
    (told,) = ws.ask("bank_statements.check")
    assert (told.account, told.closing, told.ledger, told.difference, told.missing, told.not_explained) == (
        "MAIN", 5400, 5400, 0, 0, 400,
    )  # fmt: skip
    assert ws.ask("ledger.check").broken == ""


def test_money_of_a_channel_is_held_by_the_channel(ws: Workspace) -> None:
    take(ws, line("02", 970, fee=30), account="SHOP")
    assert held(ws) == {"channel": 970, "suspense": -970}
    (made,) = ws.reader().records(BankLine)
    assert (made.fee, made.amount, made.state, made.left) == (30, 970, "open", 970)


def test_the_same_statement_again_changes_nothing(ws: Workspace) -> None:
    rows = (line("02", 1000), line("03", -300), line("03", -300))
    take(ws, *rows, opening=0, closing=400, file_name="a.xml")
    again = take(ws, *rows, opening=0, closing=400, file_name="under another name.xml")
    assert again.status == "unchanged"
    assert (len(statements(ws)), ws.reader().count("bank_lines")) == (1, 3)


def test_an_export_that_overlaps_brings_only_what_is_new(ws: Workspace) -> None:
    # given
    first = [line("01", 100), line("02", 50), line("02", 50)]
    take(ws, *first, opening=0, closing=200)

    # when
    take(ws, *first[1:], line("03", 7), opening=100, closing=207)

    # then
    one, two = statements(ws)
    assert (one.gap, two.gap, two.lines, two.known, two.total) == (None, 0, 1, 2, 7)
    assert held(ws) == {"bank": 207, "suspense": -207}


def test_a_line_is_known_by_the_banks_reference_whatever_its_text_says(ws: Workspace) -> None:
    take(ws, line("01", 100, "as the bank wrote it", bank_reference="B1"))
    take(ws, line("01", 100, "as another export wrote it", bank_reference="B1"), line("01", 100, bank_reference="B2"))
    assert [item.lines for item in statements(ws)] == [1, 1]


def test_a_second_statement_of_a_day_that_goes_on_from_the_first_brings_equal_lines_too(ws: Workspace) -> None:
    # given: a fee in the morning, and a line
    take(ws, line("02", 1000), line("02", -15, "fee"), opening=0, closing=985)

    # when: two more such fees in the afternoon; then the afternoon again, and the whole day
    afternoon = (line("02", -15, "fee"), line("02", -15, "fee"))
    take(ws, *afternoon, opening=985, closing=955)
    again = take(ws, *afternoon, opening=985, closing=955)
    take(ws, line("02", 1000), line("02", -15, "fee"), *afternoon, opening=0, closing=955)

    # then
    assert again.status == "unchanged"
    assert [(item.lines, item.known) for item in ws.reader().records(BankStatement, "sort:created_at,id")] == [
        (2, 0), (2, 0), (0, 4),
    ]  # fmt: skip
    assert held(ws) == {"bank": 955, "suspense": -955}


def test_lines_of_another_account_are_other_lines(ws: Workspace) -> None:
    take(ws, line("01", 100, bank_reference="B1"))
    take(ws, line("01", 100, bank_reference="B1"), account="SHOP")
    assert ws.reader().count("bank_lines") == 2


# -- how statements follow each other ----------------------------------------------------------------------------------


def test_a_gap_is_told_and_goes_away_when_the_missing_statement_comes(ws: Workspace) -> None:
    # given
    take(ws, line("01", 100), opening=0, closing=100)
    take(ws, line("20", 5), opening=130, closing=135)
    assert [item.gap for item in statements(ws)] == [None, 30]
    assert [(item.missing, item.gaps) for item in ws.ask("bank_statements.check")] == [(30, 1)]

    # when
    take(ws, line("10", 30), opening=100, closing=130)

    # then
    assert [item.gap for item in statements(ws)] == [None, 0, 0]
    assert [(item.missing, item.difference) for item in ws.ask("bank_statements.check")] == [(0, 0)]


def test_an_older_first_statement_takes_over_the_opening_balance(ws: Workspace) -> None:
    take(ws, line("20", 5), opening=130, closing=135)
    take(ws, line("10", 30), opening=100, closing=130)
    assert held(ws) == {"bank": 135, "suspense": -35, "opening": -100}
    assert [item.gap for item in statements(ws)] == [None, 0]


def test_pages_of_one_day_follow_by_their_balances(ws: Workspace) -> None:
    take(ws, line("04", 100), opening=0, closing=100, number="4/1")
    take(ws, line("04", 50), opening=100, closing=150, number="4/2")
    take(ws, opening=150, closing=150, number="5/1", until_day="2026-11-05")
    assert [item.gap for item in statements(ws)] == [None, 0, 0]
    assert [item.reference for item in statements(ws)] == ["MAIN/2026-11-04", "MAIN/2026-11-04-2", "MAIN/2026-11-05"]


# -- refusals ----------------------------------------------------------------------------------------------------------


def refuses(ws: Workspace, error: type[BoError], *lines: dict[str, object], **header: object) -> str:
    before = (len(statements(ws)), ws.reader().count("bank_lines"), held(ws))
    with pytest.raises(error) as raised:
        take(ws, *lines, **header)
    assert (len(statements(ws)), ws.reader().count("bank_lines"), held(ws)) == before
    return str(raised.value)


def test_a_statement_that_does_not_add_up_is_refused(ws: Workspace) -> None:
    refuses(ws, NotAddingUp, line("01", 100), opening=0, closing=101)


def test_a_statement_in_another_currency_is_refused(ws: Workspace) -> None:
    refuses(ws, WrongCurrency, line("01", 100), currency="USD")


def test_who_may_not_take_in_statements_is_refused(ws: Workspace) -> None:
    ws.do("operators.add", login="rita", name="Rita", roles=["reviewer"])
    boss = ws.actor
    rows = ws.reader().page("operators", "login:rita", fields=("id",)).rows
    ws.actor = str(rows[0][0])
    with pytest.raises(NotAllowed):
        take(ws, line("01", 100))
    ws.actor = boss
    assert statements(ws) == []


# -- taking one back ---------------------------------------------------------------------------------------------------


def test_a_statement_taken_in_by_mistake_is_withdrawn_and_can_come_again(ws: Workspace) -> None:
    # given
    take(ws, line("01", 100), opening=0, closing=100)
    taken = take(ws, line("02", 50), opening=100, closing=150)

    # when
    ws.do("bank_statements.withdraw", taken.returned, reason="the wrong account")

    # then
    assert held(ws) == {"bank": 100, "suspense": -100}
    assert [item.state for item in statements(ws)] == ["taken", "withdrawn"]
    assert ws.reader().count("bank_lines") == 1
    assert take(ws, line("02", 50), opening=100, closing=150).status == "applied"
    assert held(ws) == {"bank": 150, "suspense": -150}
    assert ws.ask("ledger.check").broken == ""


def test_a_line_is_set_aside_with_a_reason_and_taken_up_again(ws: Workspace) -> None:
    take(ws, line("01", 100))
    (made,) = ws.reader().records(BankLine)
    ws.do("bank_lines.ignore", made.id, reason="interest of cents")
    assert [(item.state, item.reason) for item in ws.reader().records(BankLine)] == [("ignored", "interest of cents")]
    ws.do("bank_lines.reconsider", made.id)
    assert [(item.state, item.reason) for item in ws.reader().records(BankLine)] == [("open", "")]


# -- any history -------------------------------------------------------------------------------------------------------

DAYS = st.lists(st.lists(st.integers(-500, 500).filter(bool), max_size=4), min_size=2, max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS, cuts=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=6))
def test_whatever_is_exported_when_each_line_comes_in_once(
    template: Path, tmp_path_factory: pytest.TempPathFactory, days: list[list[int]], cuts: list[tuple[int, int]]
) -> None:
    """Exports of whole days, in any order, overlapping and repeated: each line once, and the books are the bank's once
    everything is there."""
    ws = open_office(shutil.copytree(template, tmp_path_factory.mktemp("any") / "office"))
    balances = [0]
    for amounts in days:
        balances.append(balances[-1] + sum(amounts))

    def export(first: int, last: int) -> None:
        rows = [line(f"{day + 1:02d}", amount) for day in range(first, last) for amount in days[day]]
        take(ws, *rows, opening=balances[first], closing=balances[last],
             from_day=date(2026, 11, first + 1), until_day=date(2026, 11, last))  # fmt: skip

    for one, other in cuts:
        first, last = sorted((one % len(days), other % len(days)))
        export(first, last + 1)
    export(0, len(days))

    assert ws.reader().count("bank_lines") == sum(map(len, days))
    (told,) = ws.ask("bank_statements.check")
    assert (told.missing, told.difference) == (0, 0)
    assert ws.ask("ledger.check").broken == ""
    ws.close()


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_finds_its_account_by_its_number(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "november.xml"
    path.write_text(camt(entry("12.50", "CRDT", detail(end_to_end="E-1", name="Li")), closing="112.50"))

    file, (taken,) = take_in_file(ws, path, StatementOptions(dry_run=True))
    assert (taken.outcome, taken.new, taken.known, statements(ws)) == ("applied", 1, 0, [])
    _file, (taken,) = take_in_file(ws, path, StatementOptions())
    assert (taken.account, taken.reference, taken.total, taken.closing) == ("MAIN", "MAIN/2026-11-30", 1250, 11250)
    path.rename(tmp_path / "other.xml")
    _file, (taken,) = take_in_file(ws, tmp_path / "other.xml", StatementOptions(account="main"))
    assert (taken.outcome, taken.new, taken.known) == ("unchanged", 0, 1)
    (made,) = statements(ws)
    assert (made.file_name, made.file_hash, made.format) == ("november.xml", file.hash, "camt.053")


def test_a_file_of_another_account_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(camt().replace(IBAN, "NL91ABNA0417164300"))
    with pytest.raises(OtherAccount, match="NL91ABNA0417164300, which is none of ours"):
        take_in_file(ws, path, StatementOptions())
    with pytest.raises(OtherAccount, match="and MAIN is DE89370400440532013000"):
        take_in_file(ws, path, StatementOptions(account="MAIN"))
    with pytest.raises(NotFound, match="no bank account NONE"):
        take_in_file(ws, path, StatementOptions(account="NONE"))


def test_an_account_may_be_written_as_banks_write_it(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.sta"
    path.write_text(":20:X\n:25:37040044/0532013000\n:28C:1\n:60F:C261031EUR0,00\n:62F:C261130EUR0,00\n-\n")
    _file, (taken,) = take_in_file(ws, path, StatementOptions(account="MAIN"))
    assert taken.account == "MAIN"


def test_of_several_currencies_one_is_to_be_named(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Date,Description,Amount,Currency\n2026-11-02,a,5.00,EUR\n2026-11-03,b,5.00,USD\n")
    with pytest.raises(SeveralCurrencies, match=r"EUR \(1\), USD \(1\)"):
        take_in_file(ws, path, StatementOptions(account="SHOP"))
    with pytest.raises(SeveralCurrencies, match="nothing in GBP"):
        take_in_file(ws, path, StatementOptions(account="SHOP", currency="GBP"))
    assert statements(ws) == []
    _file, (taken,) = take_in_file(ws, path, StatementOptions(account="SHOP", currency="eur"))
    assert (taken.currency, taken.new) == ("EUR", 1)


def test_of_a_file_with_one_bad_statement_nothing_is_kept(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    text = camt(entry("1.00"), closing="101.00")
    bad = text[text.index("<Stmt>") : text.index("</Stmt>") + 7].replace("101.00", "999.00")
    path.write_text(text.replace("</Stmt>", "</Stmt>" + bad))
    with pytest.raises(BoError, match="does not add up"):
        take_in_file(ws, path, StatementOptions())
    assert (statements(ws), held(ws)) == ([], {})


def test_a_mapping_that_the_office_has_saved_is_found_by_the_header(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "office" / "mappings" / "statements"
    folder.mkdir(parents=True)
    (folder / "own.toml").write_text(
        'format = "own"\nheader = ["Tag", "Geld"]\n[columns]\nday = "Tag"\namount = "Geld"\npurpose = "Wofür"\n',
        "utf-8",
    )
    path = tmp_path / "a.csv"
    path.write_text("Tag;Geld;Wofür\n2026-11-02;5,00;Tee\n", "utf-8")
    _file, (taken,) = take_in_file(ws, path, StatementOptions(account="SHOP"))
    assert (taken.format, taken.total) == ("own", 500)
