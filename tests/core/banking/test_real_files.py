"""Real money files, as others publish them: each is taken in with its totals met, or refused with the reason.

They lie beside the project (`../shared/data`, or `BO_REAL_DATA`) and are not part of it; without them these tests are
skipped. docs/formats.md shows the same table, which a test compares.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bo.core.banking.formats import Hints
from bo.core.exchange.statements import read_file
from bo.core.kernel.amounts import format_amount
from bo.core.kernel.errors import BadFile

PROJECT = Path(__file__).parents[3]
# Read at load, because the settings of whoever runs the tests are taken away before each of them.
DATA = Path(os.environ.get("BO_REAL_DATA") or PROJECT.parent / "shared" / "data") / "06-payments"
PAGE = PROJECT / "docs" / "formats.md"
WITHOUT_CURRENCY = ("balance.csv", "debit_credit.csv", "empty_statement_en.csv", "test.qif")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def names() -> list[str]:
    return sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file())


def told(name: str) -> str:
    """What becomes of a file, as the table says it."""
    path = DATA / name
    try:
        file = read_file(path, Hints(currency="USD" if path.name in WITHOUT_CURRENCY else ""))
    except BadFile as error:
        return f"refused: {_without_place(str(error), path)}"
    sums: dict[str, list[int]] = {}
    for each in file.statements:
        found = sums.setdefault(each.currency, [0, 0, 0])
        found[0] += 1
        found[1] += len(each.lines)
        found[2] += each.total
    said = [
        f"{statements} × {currency}, {lines} lines, {format_amount(total, currency)}"
        for currency, (statements, lines, total) in sorted(sums.items())
    ]
    paid_out = sum(-line.amount for each in file.statements for line in each.lines if line.kind == "payout")
    if paid_out:
        said.append(f"paid out {format_amount(paid_out, file.statements[0].currency)}")
    return f"{file.statements[0].format}: {'; '.join(said)}"


def _without_place(reason: str, path: Path) -> str:
    return re.sub(r"^[,: ]+(is )?", "", reason.replace(str(path), ""))


def table() -> dict[str, str]:
    tried = PAGE.read_text("utf-8").partition("## Files that were tried")[2]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", tried, re.MULTILINE))


@pytest.mark.parametrize("name", names())
def test_a_file_is_taken_in_or_refused_as_the_page_says(name: str) -> None:
    assert table()[name] == told(name)


def test_the_page_tells_of_every_file() -> None:
    assert sorted(table()) == names()


def test_the_totals_that_are_known_are_met() -> None:
    stripe = {each.currency: each for each in read_file(DATA / "stripe/payments_semicolon.csv", Hints()).statements}
    assert {code: (len(each.lines), each.total) for code, each in stripe.items()} == {
        "EUR": (319, 310750),
        "MXN": (106, 1911500),
        "USD": (197, 355300),
    }
    (amazon,) = read_file(DATA / "amazon/settlement.txt", Hints()).statements
    assert [line.amount for line in amazon.lines if line.kind == "payout"] == [-67633]
    assert (len(amazon.lines), amazon.total, amazon.closing) == (13, 0, 0)
