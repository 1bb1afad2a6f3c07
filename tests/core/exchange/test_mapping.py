"""What the columns of a file are taken for: by name, by a saved mapping, by a suggestion."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bo.core.exchange.mapping import Binding, SavedMapping, bind, find_mapping, read_mapping
from bo.core.exchange.pipeline import commands_of
from bo.core.exchange.source import plain_name
from bo.core.exchange.suggesting import suggest_mapping
from bo.core.kernel.errors import Ambiguous, BadFile, UsageError
from bo.core.kernel.workspace import Workspace


def bound(office: Workspace, *columns: str, mapping: SavedMapping | None = None) -> Binding:
    info, create, _edit = commands_of(office, "leads")
    return bind(info, create, columns, mapping)


def roles(binding: Binding) -> dict[str, str]:
    return {column.header: f"{column.role} {column.field}".strip() for column in binding.columns}


@pytest.mark.parametrize(
    ("header", "plain"),
    [("Full Name", "fullname"), ("ＦＵＬＬ＿name!", "fullname"), ("手机 号码：", "手机号码"), ("--", "")],
)
def test_headers_are_compared_without_case_width_spaces_and_punctuation(header: str, plain: str) -> None:
    assert plain_name(header) == plain


def test_a_header_may_be_a_field_its_label_or_an_alias_in_either_language(office: Workspace) -> None:
    # When
    found = bound(
        office, "NAME", "报备编号", "second phone", "Lead Source", "E-mail", "城市", "Store named on the form"
    )
    # Then
    assert roles(found) == {
        "NAME": "field name",
        "报备编号": "field number",
        "second phone": "field phone2",
        "Lead Source": "field source",
        "E-mail": "field email",
        "城市": "field city",
        "Store named on the form": "field wanted_store",
    }
    assert not found.own


def test_a_column_that_means_nothing_is_kept_as_it_is(office: Workspace) -> None:
    assert roles(bound(office, "name", "Shoe size", "州", "--")) == {
        "name": "field name",
        "Shoe size": "extra",
        "州": "extra",
        "--": "extra",
    }


def test_state_is_a_province_in_the_files_of_others_and_the_state_in_our_own(office: Workspace) -> None:
    assert roles(bound(office, "Name", "State"))["State"] == "field province"
    ours = bound(office, "id", "name", "province", "state", "created_at", "extra")
    assert ours.own
    assert roles(ours) == {
        "id": "id id",
        "name": "field name",
        "province": "field province",
        "state": "read_only state",
        "created_at": "read_only created_at",
        "extra": "facts extra",
    }


def test_a_second_phone_column_is_the_second_phone_and_a_third_stays_beside(office: Workspace) -> None:
    # When
    found = bound(office, "手机", "电话", "Mobile")
    # Then
    assert roles(found) == {"手机": "field phone", "电话": "field phone2", "Mobile": "extra"}
    assert found.notes == ["both 手机 and Mobile could be phone; the second is kept as an extra column"]


def test_a_second_phone_column_leaves_the_second_phone_to_the_column_that_is_called_so(office: Workspace) -> None:
    assert roles(bound(office, "手机", "电话", "备用电话")) == {
        "手机": "field phone",
        "电话": "extra",
        "备用电话": "field phone2",
    }


def test_a_second_column_for_one_field_is_kept_and_told(office: Workspace) -> None:
    found = bound(office, "Prospect ID", "Lead Number")
    assert roles(found) == {"Prospect ID": "field number", "Lead Number": "extra"}
    assert found.notes == ["both Prospect ID and Lead Number could be number; the second is kept as an extra column"]


def test_the_columns_of_a_reject_file_are_passed_over_only_when_all_are_there(office: Workspace) -> None:
    assert set(roles(bound(office, "bo_record", "bo_line", "bo_column", "bo_value", "bo_reason")).values()) == {
        "dropped"
    }
    assert roles(bound(office, "name", "bo_line"))["bo_line"] == "extra"


# -- mappings ----------------------------------------------------------------------------------------------------------

MAPPING = """
null = ["Select", "N/A"]
day_order = "dmy"
decimal = ","

[match]
noun = "leads"
columns = ["Nom", "Tél"]

[columns]
"Nom" = "name"
"Tél" = "phone"
"Remarque" = ""
"Interne" = "-"

[values.source]
"Site" = "web"

[set]
country = "FR"

[split]
tags = "|"
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_mapping_says_what_a_column_is(office: Workspace, tmp_path: Path) -> None:
    # Given
    mapping = read_mapping(written(tmp_path / "fr.toml", MAPPING))
    # When
    found = bound(office, "nom", "Tél", "Remarque", "Interne", "Ville", "City", mapping=mapping)
    # Then
    assert roles(found) == {
        "nom": "field name",
        "Tél": "field phone",
        "Remarque": "extra",
        "Interne": "dropped -",
        "Ville": "extra",
        "City": "field city",
    }
    assert mapping.constants == {"country": "FR"}
    assert (mapping.null, mapping.day_order, mapping.decimal) == (["Select", "N/A"], "dmy", ",")
    assert (mapping.values, mapping.split) == ({"source": {"Site": "web"}}, {"tags": "|"})


def test_a_mapping_that_names_columns_the_file_has_not_is_told(office: Workspace) -> None:
    found = bound(office, "Nom", mapping=SavedMapping(columns={"Nom": "name", "Prénom": "name"}))
    assert found.notes == ["the mapping names columns that the file has not: Prénom"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (SavedMapping(columns={"Nom": "nme"}), "leads have no field nme to import"),
        (SavedMapping(columns={"Nom": "state"}), "state is set by commands and not by imports"),
        (SavedMapping(constants={"storey": "1"}), "leads have no field storey to import"),
        (SavedMapping(values={"sauce": {}}), "leads have no field sauce to import"),
    ],
)
def test_a_mapping_onto_a_field_that_cannot_be_imported_is_refused(
    office: Workspace, mapping: SavedMapping, words: str
) -> None:
    with pytest.raises(UsageError) as refused:
        bound(office, "Nom", mapping=mapping)
    assert str(refused.value) == words
    assert "name, phone" in str(refused.value.facts["names"])


@pytest.mark.parametrize("text", ["[columns", 'day_order = "later"', "colums = 1", "\xff"])
def test_a_file_that_is_no_mapping_is_refused_with_the_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadFile, match=r"broken\.toml is no mapping: .+"):
        read_mapping(path)


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        read_mapping(tmp_path / "none.toml")


def test_a_saved_mapping_is_chosen_when_all_its_columns_are_there(tmp_path: Path) -> None:
    # Given
    folder = tmp_path / "mappings"
    written(folder / "fr.toml", MAPPING)
    written(folder / "other.toml", MAPPING.replace('noun = "leads"', 'noun = "stores"'))
    written(folder / "wide.toml", MAPPING.replace('["Nom", "Tél"]', '["Nom", "Tél", "Ville"]'))
    # Then
    assert find_mapping(folder, "leads", ["Nom"]) is None
    narrow = find_mapping(folder, "leads", ["Tél", "Nom", "Age"])
    wide = find_mapping(folder, "leads", ["Tél", "Nom", "Ville"])
    assert narrow is not None
    assert wide is not None
    assert (Path(narrow.name).name, Path(wide.name).name) == ("fr.toml", "wide.toml")


def test_two_saved_mappings_that_fit_alike_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        written(tmp_path / "mappings" / name, MAPPING)
    with pytest.raises(Ambiguous, match=r"several saved mappings fit this file: a\.toml, b\.toml"):
        find_mapping(tmp_path / "mappings", "leads", ["Nom", "Tél"])


# -- suggestions -------------------------------------------------------------------------------------------------------


def test_a_suggestion_is_a_mapping_with_reasons(office: Workspace, tmp_path: Path) -> None:
    # Given
    path = written(
        tmp_path / "leads.csv",
        'Name,Phone,Company name,"Quote ""x""",Reported,Budget\n'
        "Ann,13800138000,Acme,Select,03/04/2026,1.234\nBob,,,N/A,2026-04-05,2\n",
    )
    # When
    text = suggest_mapping(office, "leads", path)
    # Then: it is read back as a mapping that the file takes
    (tmp_path / "made.toml").write_text(text, "utf-8")
    mapping = read_mapping(tmp_path / "made.toml")
    assert mapping.match.columns == ["Name", "Phone", "Company name", 'Quote "x"', "Reported", "Budget"]
    assert mapping.columns == {
        "Name": "name",
        "Phone": "phone",
        "Company name": "",
        'Quote "x"': "",
        "Reported": "reported_at",
        "Budget": "budget",
    }
    assert '"Name" = "name"  # e.g. Ann | Bob' in text
    assert '"Company name" = ""  # perhaps company (' in text
    assert '# null = ["Select", "N/A"]' in text
    assert '# day_order = "dmy"' in text
    assert '# decimal = ","' in text
    assert tomllib.loads(text.replace("# null", "null"))["null"] == ["Select", "N/A"]


def test_a_suggestion_lists_the_words_that_a_field_does_not_know(office: Workspace, tmp_path: Path) -> None:
    path = written(tmp_path / "people.csv", "referrer code,name,kind\n1,Ann,Designers\n2,Bob,shopper\n")
    text = suggest_mapping(office, "referrers", path)
    assert "[values.kind]  # one of: designer, partner, shopper, employee, store, other\n" in text
    assert '# "Designers" = "designer"' in text
    assert 'shopper" =' not in text
