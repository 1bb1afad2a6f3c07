"""Which column of a table is what: mappings in TOML, shipped and saved, found by the header of the file.

A mapping names its columns as the file does; case, width, spaces and punctuation do not count. Of several headers for
one field the first that is there is taken; of `purpose` and the sums all that are there.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal
from unicodedata import normalize

import msgspec

from bo.core.banking.formats.totals import STATED
from bo.core.banking.statement import LINE_KINDS
from bo.core.kernel.errors import BadFile
from bo.core.kernel.text import _

PRESETS: Final = Path(__file__).parent.parent / "presets"
FIELDS: Final = (
    "day", "value_day", "amount", "amounts", "credit", "debit", "direction", "currency", "gross", "fee", "net",
    "balance", "counterparty", "counterparty_account", "reference", "end_to_end_id", "bank_reference", "purpose",
    "kind", "account", "number", "stated_total",
)  # fmt: skip
# Tables that look like money and are none of an account; presets name them.
NO_STATEMENTS: Final = {
    "amazon_orders": "a list of Amazon's orders, not of money that was moved; bo orders import reads it",
    "amazon_stock": "a list of Amazon's stock, not of money that was moved",
    "amazon_returns": "a list of what came back to Amazon: pieces, and no money",
    "amazon_reimbursements": "a list of what Amazon made good; the money comes with the settlement report",
    "payment_order": "a batch of payment orders: it asks a bank to pay, and does not say that it did",
    "broker": "a broker's list of trades in securities, which this office does not keep",
}
SEVERAL: Final = frozenset(("amounts", "fee", "purpose", "credit", "debit"))


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rows with a value in a column are: `has` is a pattern found in it. The first rule that fits counts."""

    column: str
    has: str
    kind: str = ""
    sign: Literal["", "in", "out", "skip"] = ""


class Payout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel that tells what it paid out by naming the payout beside each entry: a line is made of each."""

    by: str
    day: str
    column: str = ""
    values: tuple[str, ...] = ()


class TableMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of table. `fee` says whether fees are above or below zero there, `after_fee` that the amounts are what
    is left. `less` finds what is to be taken off an amount; `memo` says that rows may repeat the balance. `totals` are
    patterns of what the file says above or below its rows, with groups named count, credit, credit_count, debit, …;
    `summary` names the columns of a last row of sums."""

    format: str
    header: tuple[str, ...] = ()
    columns: dict[str, str | tuple[str, ...]] = {}
    facts: tuple[str, ...] = ()
    currency: str = ""
    decimal: Literal["", ".", ","] = ""
    days: Literal["", "ymd", "dmy", "mdy"] = ""
    fee: Literal["cost", "negative"] = "cost"
    after_fee: bool = False
    credit: tuple[str, ...] = ()
    debit: tuple[str, ...] = ()
    kinds: dict[str, str] = {}
    rules: tuple[Rule, ...] = ()
    totals: tuple[str, ...] = ()
    summary: dict[str, str] = {}
    account: str = ""
    less: str = ""
    memo: bool = False
    keep_order: bool = False
    payout: Payout | None = None
    no_statement: str = ""

    def named(self, field: str) -> tuple[str, ...]:
        names = self.columns.get(field, ())
        return (names,) if isinstance(names, str) else names


class Bound(msgspec.Struct, frozen=True):
    """A mapping put to the header of one file: the places of each field's columns."""

    mapping: TableMapping
    places: dict[str, tuple[int, ...]]
    facts: tuple[tuple[str, int], ...]
    names: dict[str, int]


@cache
def plain(header: str) -> str:
    """A header as it is compared."""
    return re.sub(r"[\W_]+", "", normalize("NFKC", header).casefold())


def read_mapping(path: str | os.PathLike[str]) -> TableMapping:
    """The mapping in a TOML file. Raises BadFile that says what is wrong with it."""
    name = os.fspath(path)
    try:
        made = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), TableMapping)
        odd = _unknown(made)
    except OSError as error:
        raise BadFile(
            "{name} cannot be read: {reason}", hint="Check the name of the mapping.", name=name,
            reason=error.strerror or error,
        ) from error  # fmt: skip
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, re.error) as error:
        raise _wrong(name, str(error)) from error
    if odd:
        raise _wrong(name, _("{word} is not known", word=odd[0]))
    return made


def _unknown(mapping: TableMapping) -> list[str]:
    """Words in a mapping that mean nothing. Raises re.error for a pattern that is none."""
    for pattern in (mapping.account, mapping.less, *(rule.has for rule in mapping.rules)):
        re.compile(pattern)
    stated = {name for pattern in mapping.totals for name in re.compile(pattern).groupindex}
    kinds = {*mapping.kinds.values(), *(rule.kind for rule in mapping.rules)} - {""}
    return [
        *(field for field in mapping.columns if field not in FIELDS),
        *sorted((stated | set(mapping.summary.values())) - set(STATED)),
        *sorted(kinds - set(LINE_KINDS)),
        *({mapping.no_statement} - {"", *NO_STATEMENTS}),
    ]


def _wrong(name: str, reason: str) -> BadFile:
    return BadFile(
        "{name} is no mapping of a statement: {reason}", hint="docs/formats.md shows one.", name=name, reason=reason
    )


@cache
def presets() -> tuple[TableMapping, ...]:
    """The mappings that are shipped."""
    return tuple(read_mapping(path) for path in sorted(PRESETS.glob("*.toml")))


def saved(folders: Iterable[str]) -> list[TableMapping]:
    """The mappings that an office has saved for its banks."""
    return [read_mapping(path) for folder in folders for path in sorted(Path(folder).glob("*.toml"))]


def bind(mapping: TableMapping, cells: Sequence[str]) -> Bound | None:
    """The mapping put to a row that may be the header; None where it is not."""
    names: dict[str, int] = {}
    for place, cell in enumerate(cells):
        if name := plain(cell):
            names.setdefault(name, place)
    if not all(plain(name) in names for name in mapping.header):
        return None
    places = {field: found for field in mapping.columns if (found := _places(mapping, field, names))}
    if not mapping.no_statement and not _says_enough(places):
        return None
    facts = tuple((name, names[plain(name)]) for name in mapping.facts if plain(name) in names)
    return Bound(mapping, places, facts, names)


def _places(mapping: TableMapping, field: str, names: Mapping[str, int]) -> tuple[int, ...]:
    found = tuple(names[plain(name)] for name in mapping.named(field) if plain(name) in names)
    return found if field in SEVERAL else found[:1]


def _says_enough(places: Mapping[str, tuple[int, ...]]) -> bool:
    has_amount = any(field in places for field in ("amount", "amounts", "net", "credit", "debit"))
    texts = any(field in places for field in ("purpose", "counterparty", "reference", "bank_reference", "balance"))
    return "day" in places and has_amount and texts
