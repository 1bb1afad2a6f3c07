"""The catalogues of translations, kept whole: `python -m tools.catalogue` puts every text that a user can see into the
`.po` files of `src/bo/locale`, keeps what is translated, and drops what nothing says any more.

    python -m tools.catalogue                 bring the catalogues up to date
    python -m tools.catalogue --check         only say what is out of date; exit 1 if something is
    python -m tools.catalogue --missing       the texts without a translation, as JSON: {text: ""}
    python -m tools.catalogue --merge FILE    take translations from such a JSON file
    python -m tools.catalogue --unread        what is said from a variable, which no reading of the source can follow

`python -m tools.generate` then compiles them. Texts come from three places: the source, read without running it
(`_()`, errors with their hints, and functions that pass a text on to one of those); the registry (labels, helps,
options, summaries); and a few tables of message ids. There are no line numbers and no dates in a catalogue, so that a
change of it shows the texts that changed and nothing else.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.spoken import Source

if TYPE_CHECKING:
    from bo.core.kernel.command import Command, Query

PROJECT: Final = Path(__file__).parents[1]
SOURCE: Final = PROJECT / "src/bo"
LOCALE: Final = SOURCE / "locale"
HEADER: Final = (
    "Texts of bo. Written by `python -m tools.catalogue`; only the lines that begin with msgstr are by hand."
)
DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)  # no date of its own: it would change with every run

# Tables of message ids that are said from a variable: module -> names of constants, or of fields of structs.
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "bo.core.leads.rules": ("INVALID_REASONS", "LOST_REASONS", "DECLINE_REASONS"),
    "bo.core.leads.assignment": ("OBSTACLES", "PICKS", "OVERFLOWS"),
    "bo.core.referrers.payees": ("NO_ACCOUNT", "BLOCKED", "CHANGED", "SHARED"),
    "bo.core.settlement.making": ("CARRIED", "TAKEN_OUT"),
    "bo.core.rewards.earning": ("NET_UNKNOWN", "MARGIN_UNKNOWN", "KNOWN_NOW"),
    "bo.core.rewards.queries": ("EVENTS", "INPUTS"),
    "bo.core.banking.formats.reading": ("OTHERS",),
    "bo.core.banking.reconciling": ("PARTS", "WHY"),
    "bo.cli.reports": ("TITLES",),
    "bo.core.banking.formats.mapping": ("NO_STATEMENTS",),
    "bo.core.banking.formats.totals": ("STATED",),
    "bo.core.orders.exceptions": ("GONE",),
    "bo.cli.exit_codes": ("MEANINGS",),
    "bo.tui.form": ("DAYS_AHEAD",),
    "bo.tui.jobs_screen": ("WORDS",),
    "bo.tui.looks": ("THEMES",),
    "bo.tui.shown": ("SAID",),
}
PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def extracted() -> list[str]:
    """Every text that can be shown, sorted."""
    source = Source(SOURCE)
    found = {*source.texts(), *_declared(), *_tables(), *_of_screen(), *_of_queries(), *_of_views()}
    return sorted(text for text in found if any(letter.isalpha() for letter in text))


def placeholders(text: str) -> set[str]:
    """The facts that a text has room for, each with its format."""
    return {match[1] for match in PLACEHOLDER.finditer(text) if match[1] is not None}


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def translations(path: Path) -> dict[str, str]:
    """What a catalogue says for each text; "" where it is not translated yet."""
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def page(language: str, translated: Mapping[str, str], texts: list[str]) -> bytes:
    """A catalogue as it is kept: the texts in their order, and what is known of their translation."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    catalogue = Catalog(
        locale=language, domain="bo", header_comment=f"# {HEADER}", project="bo", version="1", charset="utf-8",
        creation_date=DAY, revision_date=DAY, last_translator="bo", language_team=language,
        msgid_bugs_address="-", fuzzy=False,
    )  # fmt: skip
    for text in texts:
        catalogue.add(text, translated.get(text, ""), flags=["python-brace-format"] if placeholders(text) else [])
    written = BytesIO()
    write_po(written, catalogue, width=118, no_location=True, sort_output=True)
    return written.getvalue()


def flaws(translated: Mapping[str, str], texts: list[str]) -> list[str]:
    """What is wrong with a catalogue, a line for each text."""
    said = [f"no translation: {text!r}" for text in texts if not translated.get(text)]
    for text, words in translated.items():
        if words and placeholders(text) != placeholders(words):
            said.append(f"other placeholders: {text!r} -> {words!r}")
        if words and text.endswith("\n") != words.endswith("\n"):
            said.append(f"one ends with a line end and the other does not: {text!r}")
    return said


# -- what is declared ------------------------------------------------------------------------------------------------


def _declared() -> Iterator[str]:
    """Texts of records, commands and queries as the faces show them, and the help texts derived from them."""
    from bo.cli.manifest import manifest
    from bo.core.kernel.record import declared_records
    from bo.core.office import registry

    office = registry().load_all()
    for noun, entry in manifest().items():
        yield from (entry["summary"], *_words(noun), *_words(entry.get("one", "")))
    for info in (found for found in declared_records().values() if found.cls.__module__.startswith("bo.")):
        for item in info.fields:
            yield from (item.label, item.meta.help, *_options(item.kind.describe()))
    called: list[Command | Query] = [*office.commands.values(), *office.queries.values()]
    for known in called:
        yield from (known.summary, known.doc.partition("\n\n")[2].strip())
        for param in known.params:
            yield from (param.label, param.label.capitalize(), param.meta.help, *_options(param.kind.describe()))


def _options(described: Mapping[str, object]) -> Iterator[str]:
    """The words for the options of a choice, and the options as they are stored: some answers hold those."""
    for name in ("labels", "options"):
        words = described.get(name)
        if isinstance(words, list):
            yield from (str(word) for word in words)


def _words(name: str) -> tuple[str]:
    return (name.replace("_", " "),)


def _of_queries() -> Iterator[str]:
    """Column titles of answers, made from the names of their fields."""
    from typing import get_args, get_type_hints

    from bo.core.office import registry

    for query in registry().load_all().queries.values():
        answer = get_type_hints(query.function).get("return")
        for cls in (answer, *get_args(answer)):
            for name in getattr(cls, "__annotations__", {}):
                yield from _words(name)


def _of_screen() -> Iterator[str]:
    """Titles and past tenses that the screen makes from the verbs of commands."""
    from bo.core.office import registry
    from bo.tui import words
    from bo.tui.specs import spec

    for command in registry().load_all().commands.values():
        offered = spec(command)
        yield from (offered.title, words.past(offered), words.noun(offered, 1), words.noun(offered, 2))


def _of_views() -> Iterator[str]:
    """Titles of the views and names of the rules that come with the office, and the names of what is no record."""
    from bo.core.orders.looks import LOOKS
    from bo.core.views.shipped import VIEWS
    from bo.tui.conflicts import COMMANDS, NOUN

    yield NOUN
    for views in VIEWS.values():
        yield from (name.replace("_", " ").capitalize() for name in views)
    yield from (look.name for look in LOOKS.values())
    for command in COMMANDS:
        yield from (command.title, command.done, command.summary)


def _tables() -> Iterator[str]:
    for module, names in TABLES.items():
        found = import_module(module)
        for name in names:
            yield from _texts_in(getattr(found, name))


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _texts_in(item)
    elif hasattr(value, "label"):
        yield str(value.label)


# -- the command line of this tool -----------------------------------------------------------------------------------


def update(more: Mapping[str, str], *, check: bool) -> int:
    """Write every catalogue anew, or only say which would change."""
    texts, code = extracted(), 0
    for path in catalogues():
        known = {**translations(path), **{text: words for text, words in more.items() if words}}
        content = page(path.parts[-3], known, texts)
        missing = sum(1 for text in texts if not known.get(text))
        changed = content != path.read_bytes()
        code = 1 if check and (changed or missing) else code
        if changed and not check:
            path.write_bytes(content)
        state = ("out of date" if check else "written") if changed else "up to date"
        print(f"{path.relative_to(PROJECT).as_posix()}: {state}, {len(texts)} texts, {missing} without translation")
        for flaw in flaws({text: known.get(text, "") for text in texts}, []):
            code = 1
            print(f"  {flaw}")
    return code


def main(arguments: list[str]) -> int:
    if "--unread" in arguments:
        for line in Source(SOURCE).unread():
            print(line)
        return 0
    if "--missing" in arguments:
        texts = extracted()
        for path in catalogues():
            known = translations(path)
            print(json.dumps({text: "" for text in texts if not known.get(text)}, ensure_ascii=False, indent=0))
        return 0
    if "--merge" in arguments:
        file = Path(arguments[arguments.index("--merge") + 1])
        return update(json.loads(file.read_text("utf-8")), check=False)
    return update({}, check="--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
