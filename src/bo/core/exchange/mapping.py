"""From the columns of a file to the fields of a record: by name, by a mapping that somebody saved, or as a suggestion.

Owns the meaning of a header, and the TOML that says it otherwise. It refuses a mapping that names fields that are not
there; a column that nothing is known about is kept as it is, in `extra`, and never dropped without a word.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from bo.core.exchange.gathering import Gather
from bo.core.exchange.rejects import REJECT_COLUMNS, is_reject_file
from bo.core.exchange.source import plain_name, shorten
from bo.core.kernel.command import Command, Param
from bo.core.kernel.errors import Ambiguous, BadFile, UsageError
from bo.core.kernel.kinds import PhoneKind
from bo.core.kernel.moments import DayOrder
from bo.core.kernel.record import RecordInfo
from bo.core.kernel.text import LOCALE_DIR, _

Role: TypeAlias = Literal["id", "field", "read_only", "facts", "extra", "dropped"]

KEEP, DROP = "", "-"
IMPORT_KEY: Final = "import_key"
FACTS: Final = "extra"
SECRETS: Final = ("password", "passwd", "pwd", "密码")  # columns that are never kept without being asked for
MORE: Final = "2"  # phone2 takes what a second column, or a second number in the cell, has for phone


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a saved mapping is meant: for these records, and where the file has all these columns. `tables` are those
    of a dump that it reads together."""

    noun: str = ""
    columns: list[str] = []
    tables: list[str] = []


class SavedMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"constants": "set"}):
    """A mapping as its TOML file says it. All tables are optional; columns it does not name go by their names.

    `columns`: header = field, "" to keep it as an extra column, "-" to leave it out. Several columns of one field are
    joined by a space. `values`: for each field, what its words mean. `null`: words that mean blank. `set`: fields with
    one value for all rows that have none. `split`: field = the mark between several values of a cell. `blank`: field =
    the word that is written where it has nothing, when a file of that shop is made. `joins`: field = the mark that is
    put between its columns, in the order of the mapping, in the place of a space. `loose`: phones that are kept as an
    extra column where they cannot be read. `skip`: column = the cell of rows that are no records. `refuse`: why such a
    file is not imported, `unwritten`: why one is not made. `entities`: cells are written as in HTML, with &quot; for a
    quotation mark.
    """

    match: Match = Match()
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    null: list[str] = []
    constants: dict[str, str] = {}
    split: dict[str, str] = {}
    blank: dict[str, str] = {}
    joins: dict[str, str] = {}
    loose: list[str] = []
    skip: dict[str, str] = {}
    day_order: DayOrder = ""
    gather: Gather | None = None
    entities: bool = False
    refuse: str = ""
    unwritten: str = ""
    decimal: Literal["", ".", ","] = ""
    name: str = ""


class Column(msgspec.Struct, frozen=True):
    """What one column of the file is taken for. `field` is the record's field for `field` and `read_only`."""

    place: int
    header: str
    role: Role
    field: str = ""


class Binding(msgspec.Struct, frozen=True):
    """All columns of a file with their roles, and what is worth telling about them."""

    columns: tuple[Column, ...]
    mapping: SavedMapping
    own: bool
    notes: list[str]

    def of(self, role: Role) -> list[Column]:
        return [column for column in self.columns if column.role == role]

    @property
    def fields(self) -> dict[str, list[Column]]:
        """The columns of each field, in the order of the file."""
        found: dict[str, list[Column]] = {}
        for column in self.of("field"):
            found.setdefault(column.field, []).append(column)
        return found


def importable(create: Command) -> dict[str, Param]:
    """The fields that an import may give: the parameters of the command that makes the record."""
    return {param.name: param for param in create.params if param.name not in (FACTS, IMPORT_KEY)}


def bind(info: RecordInfo, create: Command, columns: Sequence[str], mapping: SavedMapping | None = None) -> Binding:
    """Say of each column what it is. Raises UsageError for a mapping that names unknown fields."""
    said = mapping or SavedMapping()
    params = importable(create)
    _refuse_unknown(info, params, said)
    given = _given_columns(columns, said)
    own = not said.columns and _is_own(info, params, columns)
    names = _names_of(info, params, own=own)
    notes: list[str] = []
    taken = {field for field in given.values() if field not in (KEEP, DROP)}
    bound: list[Column] = []
    second: list[tuple[int, Column]] = []
    settled = is_reject_file(columns)
    for place, header in enumerate(columns):
        column = _column(info, params, names, place, header, given.get(place), settled)
        if column.role == "field" and place not in given and column.field in taken:
            second.append((place, column))
        taken |= {column.field} if column.role == "field" else set()
        bound.append(column)
    _settle_second(bound, second, params, taken, notes)
    missing = [header for header in said.columns if _place(header, columns) is None]
    if missing:
        notes.append(_("the mapping names columns that the file has not: {names}", names=shorten(missing)))
    return Binding(tuple(bound), said, own, notes)


def _column(
    info: RecordInfo,
    params: Mapping[str, Param],
    names: Mapping[str, str],
    place: int,
    header: str,
    said: str | None,
    settled: bool,
) -> Column:
    if settled and header in REJECT_COLUMNS:
        return Column(place, header, "dropped")
    if said is not None:
        return Column(
            place,
            header,
            "extra" if said == KEEP else "dropped" if said == DROP else "id" if said == "id" else "field",
            said,
        )
    plain = plain_name(header)
    if plain.endswith(SECRETS):
        return Column(place, header, "dropped")
    if plain == "id":
        return Column(place, header, "id", "id")
    if header == FACTS and FACTS in info.by_name:
        return Column(place, header, "facts", FACTS)
    field = names.get(header) or names.get(plain, "")
    if not field:
        return Column(place, header, "extra")
    return Column(place, header, "field" if field in params else "read_only", field)


def _settle_second(
    bound: list[Column],
    second: Iterable[tuple[int, Column]],
    params: Mapping[str, Param],
    taken: set[str],
    notes: list[str],
) -> None:
    """A second column for a field fills its twin (phone2) where that is free, or stays an extra column."""
    for place, column in second:
        twin = column.field + MORE
        if twin in params and twin not in taken:
            taken.add(twin)
            bound[place] = Column(place, column.header, "field", twin)
            continue
        bound[place] = Column(place, column.header, "extra")
        first = next(item.header for item in bound if item.role == "field" and item.field == column.field)
        notes.append(
            _("both {first} and {second} could be {field}; the second is kept as an extra column",
              first=first, second=column.header, field=column.field)
        )  # fmt: skip


def _refuse_unknown(info: RecordInfo, params: Mapping[str, Param], said: SavedMapping) -> None:
    wanted = [*said.columns.values(), *said.values, *said.constants, *said.split]
    unknown = [field for field in wanted if field not in params and field not in (KEEP, DROP, "id")]
    if not unknown:
        return
    message = "{noun} have no field {field} to import"
    if unknown[0] in info.by_name:
        message = "{field} is set by commands and not by imports"
    raise UsageError(message, hint="Fields: {names}.", noun=info.noun, field=unknown[0], names=", ".join(params))


def _given_columns(columns: Sequence[str], said: SavedMapping) -> dict[int, str]:
    """What the mapping says, by the place of the column."""
    found: dict[int, str] = {}
    for header, field in said.columns.items():
        place = _place(header, columns)
        if place is not None:
            found[place] = field
    return found


def _place(header: str, columns: Sequence[str]) -> int | None:
    if header in columns:
        return columns.index(header)
    plain = plain_name(header)
    alike = [place for place, name in enumerate(columns) if plain and plain_name(name) == plain]
    return alike[0] if len(alike) == 1 else None


def _is_own(info: RecordInfo, params: Mapping[str, Param], columns: Sequence[str]) -> bool:
    """Whether the file may be an export of ours: every column is called as a field is, or as what is told with it."""
    return all(name in info.by_name or name in params for name in columns if name not in REJECT_COLUMNS)


def _names_of(info: RecordInfo, params: Mapping[str, Param], *, own: bool) -> dict[str, str]:
    """Field by name as it may stand in a header: a name comes before a label, a label before an alias.

    Fields that cannot be imported count in exports of our own alone; elsewhere they are columns like any other.
    """
    found: dict[str, str] = {}
    if own:
        found.update({name: name for name in info.by_name})
    for names in (_plain_names, _labels, _aliases):
        for name, param in params.items():
            for written in names(info, name, param):
                found.setdefault(plain_name(written), name)
    return found


def _plain_names(_info: RecordInfo, name: str, _param: Param) -> tuple[str, ...]:
    return (name,)


def _labels(info: RecordInfo, name: str, param: Param) -> tuple[str, ...]:
    labels = [param.label] + ([info.by_name[name].label] if name in info.by_name else [])
    return (*labels, *(_in_chinese(label) for label in labels))


def _aliases(info: RecordInfo, name: str, param: Param) -> tuple[str, ...]:
    return (*param.meta.aliases, *(info.by_name[name].meta.aliases if name in info.by_name else ()))


@cache
def _in_chinese(label: str) -> str:
    import gettext

    return gettext.translation("bo", LOCALE_DIR, ["zh_CN"], fallback=True).gettext(label)


# -- saved mappings ----------------------------------------------------------------------------------------------------


def read_mapping(path: str | os.PathLike[str]) -> SavedMapping:
    """The mapping in a TOML file. Raises BadFile that says what is wrong with it."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
        return msgspec.structs.replace(msgspec.convert(content, SavedMapping), name=name)
    except OSError as error:
        raise BadFile(
            "{name} cannot be read: {reason}",
            hint="Check the name of the mapping.",
            name=name,
            reason=error.strerror or error,
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadFile(
            "{name} is no mapping: {reason}",
            hint="bo NOUN import FILE --suggest-map writes one to begin with.",
            name=name,
            reason=error,
        ) from error


PRESETS: Final = Path(__file__).parent / "presets"


def find_preset(noun: str, columns: Sequence[str]) -> SavedMapping | None:
    """The shipped mapping for a file of a shop or a platform that we know by its header."""
    return find_mapping(PRESETS, noun, columns)


def tables_for(noun: str, tables: Sequence[str]) -> str:
    """The tables of a dump that a shipped mapping reads, with + between; "" where there is none for them."""
    present = set(tables)
    for path in sorted(PRESETS.glob("*.toml")):
        match = read_mapping(path).match
        if match.noun == noun and match.tables and present.issuperset(match.tables):
            return "+".join(match.tables)
    return ""


def shipped_mapping(name: str, noun: str) -> SavedMapping:
    """The shipped mapping of that name, such as shopify_orders. Raises UsageError where there is none for this noun."""
    path = PRESETS / f"{name}.toml"
    if name != path.stem or not path.is_file() or (found := read_mapping(path)).match.noun != noun:
        known = [item.stem for item in sorted(PRESETS.glob("*.toml")) if read_mapping(item).match.noun == noun]
        raise UsageError(
            "there is no preset {name} of {noun}", hint="One of: {known}.",
            name=name, noun=noun, known=", ".join(known) or "-",
        )  # fmt: skip
    return found


def find_mapping(folder: str | os.PathLike[str], noun: str, columns: Sequence[str]) -> SavedMapping | None:
    """The saved mapping whose columns the file has, all of them; of several the one that names most.

    Raises Ambiguous where two fit equally well, BadFile for one that cannot be read.
    """
    place = Path(folder)
    if not place.is_dir():
        return None
    present = set(columns)
    fitting: list[SavedMapping] = []
    for path in sorted(place.glob("*.toml")):
        saved = read_mapping(path)
        wanted = saved.match.columns
        if wanted and present.issuperset(wanted) and saved.match.noun in ("", noun):
            fitting.append(saved)
    if not fitting:
        return None
    most = max(len(saved.match.columns) for saved in fitting)
    best = [saved for saved in fitting if len(saved.match.columns) == most]
    if len(best) > 1:
        names = ", ".join(Path(saved.name).name for saved in best)
        raise Ambiguous("several saved mappings fit this file: {names}", hint="Say which one with --map.", names=names)
    return best[0]


def several_phones(params: Mapping[str, Param], field: str) -> bool:
    """Whether a field is a phone with a twin for a second number."""
    twin = params.get(field + MORE)
    return twin is not None and isinstance(params[field].kind, PhoneKind) and isinstance(twin.kind, PhoneKind)
