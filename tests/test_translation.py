"""Everything a user reads is translated, and the catalogues say what the source says."""

from __future__ import annotations

import gettext
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bo.core.kernel.record import declared_records
from bo.core.kernel.text import LANGUAGES, _, use_language
from bo.core.office import registry
from tests.cli.running import process
from tools.catalogue import catalogues, extracted, flaws, page, placeholders, translations
from tools.generate import catalogues as compiled
from tools.spoken import Source

HOW = """
What to run:
    python -m tools.catalogue                        takes texts in and drops old ones
    python -m tools.catalogue --missing > new.json   what is not translated: write it into that file
    python -m tools.catalogue --merge new.json
    python -m tools.generate                         compiles the catalogues
The words of the trade are in docs/glossary.md."""
CHINESE = {"BO_LANG": "zh_CN"}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Every text of the source and the registry."""
    return extracted()


@pytest.fixture
def office(tmp_path: Path) -> dict[str, str]:
    """An office with one lead, and an environment that works there in Chinese."""
    env = {**CHINESE, "BO_WORKSPACE": str(tmp_path / "office"), "BO_OPERATOR": "ada"}
    well("init", str(tmp_path / "office"), "--operator", "ada", env=env)
    well("leads", "report", "--number", "R1", "--name", "王芳", "--phone", "13800138000", "--city", "杭州", env=env)
    return env


def well(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    ran = process(*words, env=env)
    assert ran.returncode == 0, ran.stderr
    return ran


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {path.parts[-3] for path in catalogues()} == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parts[-3])
def test_nothing_is_untranslated_and_placeholders_are_kept(path: Path, texts: list[str]) -> None:
    found = flaws(translations(path), texts)
    assert not found, "\n".join(found[:40]) + HOW


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parts[-3])
def test_a_catalogue_holds_what_the_source_says_and_nothing_else(path: Path, texts: list[str]) -> None:
    known = translations(path)
    assert sorted(set(known) ^ set(texts)) == [], HOW
    assert page(path.parts[-3], known, texts) == path.read_bytes(), "It is laid out otherwise." + HOW


def test_the_compiled_catalogues_are_those_of_the_source() -> None:
    found = list(compiled())
    assert [path for path, content in found if not path.exists() or path.read_bytes() != content] == [], HOW
    for path, _content in found:
        with path.open("rb") as file:
            spoken = gettext.GNUTranslations(file)
        for text, words in translations(path.with_suffix(".po")).items():
            assert spoken.gettext(text) == (words or text)


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != "en"])
def test_no_two_fields_of_a_record_have_the_same_title(name: str) -> None:
    registry().load_all()
    use_language(name)
    for noun, info in declared_records().items():
        titles = Counter(_(item.label) for item in info.fields if not item.meta.internal)
        assert [title for title, count in titles.items() if count > 1] == [], noun


def test_texts_are_found_where_they_are_said(tmp_path: Path) -> None:
    """Through constants, choices, tables, loops, and functions that pass a text on; not in what nobody is shown."""
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "words.py").write_text(
        "HINT = 'Look {there}.'\n"
        "WORDS = {'a': 'first of a table', 'b': 'second of a table'}\n"
        "class Odd(Refused): ...\n"
        "class Refused(BoError): ...\n"
        "def note(asked, message, **facts): print(_(message, **facts))\n"
        "def told(asked, key, kind):\n"
        "    raise Odd('it is odd', hint=HINT)\n"
        "    _('if so' if key else 'if not')\n"
        "    _(WORDS[key])\n"
        "    [_(title) for title in ('one', 'two')]\n"
        "    note(asked, 'passed on')\n"
        "    print('not for people')\n"
        "    _(kind.label)\n",
        "utf-8",
    )
    source = Source(folder)
    assert set(source.texts()) == {
        "it is odd", "Look {there}.", "if so", "if not", "first of a table", "second of a table", "one", "two",
        "passed on",
    }  # fmt: skip
    assert list(source.unread()) == ["some/words.py:13: kind.label"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("no facts", set()), ("{a} and {b:.0f}", {"a", "b:.0f"}), ("{{a}} is a brace", set()), ("{{{a}}}", {"a"})],
)
def test_placeholders_are_the_facts_of_a_text(text: str, wanted: set[str]) -> None:
    assert placeholders(text) == wanted


def test_a_list_has_chinese_headings(office: dict[str, str]) -> None:
    ran = well("leads", "list", "-o", "table", env=office)
    heading = ran.stdout.splitlines()[0].split()
    assert heading[:4] == ["ID", "报备编号", "状态", "名称"]
    assert "王芳" in ran.stdout


def test_a_list_for_programs_is_the_same_in_every_language(office: dict[str, str]) -> None:
    shown = [well("leads", "list", "-o", form, env=office).stdout for form in ("tsv", "json", "csv")]
    english = {**office, "BO_LANG": "en"}
    assert shown == [well("leads", "list", "-o", form, env=english).stdout for form in ("tsv", "json", "csv")]


def test_errors_and_hints_are_in_chinese(office: dict[str, str]) -> None:
    missing = process("leads", "show", "R9", env=office)
    assert (missing.returncode, missing.stdout) == (66, "")
    assert missing.stderr == "bo: leads.show: 没有 线索 R9。 bo leads list 显示现有的内容。\n"

    unknown = process("leads", "frob", env=office)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("bo: 没有命令 bo leads frob。")


def test_the_language_of_the_line_counts_before_parsing() -> None:
    """Help pages and wrong calls are written before any command runs."""
    for words in (("--lang", "zh_CN", "help"), ("help", "--lang=zh_CN"), ("--lang", "zh_CN", "--help")):
        ran = well(*words, env={"BO_LANG": "en"})
        assert "后台管理：线索、奖励与结算" in ran.stdout, words
        assert "有人报备来的客户。" in ran.stdout, words
    page_of_accept = well("leads", "accept", "--help", "--lang", "zh_CN", env={"BO_LANG": "en"}).stdout
    assert "判线索有效。" in page_of_accept
    assert "所需权限：leads.review。" in page_of_accept
    assert process("leads", "frob", "--lang", "zh_CN", env={"BO_LANG": "en"}).stderr.startswith("bo: 没有命令")


@pytest.mark.parametrize(
    "condition", ["状态:pending_review", "城市:杭州", "姓名:王芳", "电话:8000", "状态：pending_review"]
)
def test_a_filter_takes_chinese_names_of_fields(office: dict[str, str], condition: str) -> None:
    assert well("leads", "count", condition, env=office).stdout == "1\n"
    assert well("leads", "count", f"-{condition}", env=office).stdout == "0\n"
