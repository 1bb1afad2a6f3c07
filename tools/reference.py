"""The reference pages, written from what the command line itself reads: a page for each noun, one for the rest, exit
codes, filter and output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bo.cli import builtin, derive, exit_codes, guide
from bo.cli.leaf import BULK, EVERYWHERE, KEYED, LISTS, READS, WRITES, Leaf, Option
from bo.cli.manifest import dashed, manifest

if TYPE_CHECKING:
    from bo.cli.manifest import NounEntry

MADE: Final = "<!-- Written by `make docs`; do not edit. -->"
SHARED: Final = (
    ("every command", EVERYWHERE),
    ("lists and shows", (*READS, *LISTS)),
    ("what writes", (*WRITES, *KEYED)),
    ("commands on records", BULK),
)
SHARED_NAMES: Final = {option.name for _title, options in SHARED for option in options}


def pages() -> Iterator[tuple[str, str]]:
    """The name and the text of every page."""
    yield "README.md", _index()
    for noun, entry in manifest().items():
        yield f"{dashed(noun)}.md", _noun_page(noun, entry)
    yield "office.md", _office_page()
    yield "exit-codes.md", _exit_codes()
    yield "filter.md", _plain("The filter language", guide.FILTER)
    yield "output.md", _plain("Output", guide.OUTPUT)


def _index() -> str:
    nouns = [
        f"| [`bo {dashed(noun)}`]({dashed(noun)}.md) | {_cell(entry['summary'])} |"
        for noun, entry in manifest().items()
    ]
    return (
        "\n".join(
            [
                "# Reference of the command line",
                "",
                MADE,
                "",
                "`bo <noun> <verb> [SUBJECT…] [--options]`.",
                "Every record can be listed, shown, counted and exported, and has a history.",
                "",
                "| records | |",
                "|---|---|",
                *nouns,
                "",
                "The rest: [commands of the office](office.md), [filter](filter.md), [output](output.md),",
                "[exit codes](exit-codes.md).",
                "",
                "Programs reach the same commands and queries at a central store by [HTTP](http.md):",
                "[every endpoint](http-endpoints.md).",
                "",
                "## Options that many commands share",
                "",
                *_shared(),
            ]
        )
        + "\n"
    )


def _shared() -> Iterator[str]:
    for title, options in SHARED:
        yield f"### Of {title}"
        yield ""
        yield from _options(options)
        yield ""


def _noun_page(noun: str, entry: NounEntry) -> str:
    name = dashed(noun)
    lines = [f"# bo {name}", "", MADE, "", entry["summary"], ""]
    if "key" in entry:
        lines += [f"Known by: {', '.join(f'`{key}`' for key in entry['key'])}, or the end of its id.", ""]
    if "states" in entry:
        lines += [f"States: {', '.join(f'`{state}`' for state in entry['states'])}.", ""]
        lines += _moves(entry)
    for verb in derive.verbs(noun):
        leaf = derive.leaf(noun, verb)
        assert leaf is not None
        lines += _leaf(f"bo {name} {verb}", leaf)
    if "fields" in entry:
        lines += ["## Fields", "", "| field | kind | |", "|---|---|---|"]
        for field, item in entry["fields"].items():
            if not item.get("internal"):
                kind = (
                    f"{item['kind']} of [{item['record']}]({dashed(item['record'])}.md)"
                    if "record" in item
                    else item["kind"]
                )
                words = [item.get("label", ""), item.get("help", ""), ", ".join(item.get("options", []))]
                lines.append(f"| `{field}` | {kind} | {_cell('; '.join(word for word in words if word))} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _moves(entry: NounEntry) -> list[str]:
    """The state machine as a diagram that GitHub draws."""
    arrows = []
    for verb, command in entry["commands"].items():
        moves = command.get("moves")
        if moves is not None and moves["to"]:
            arrows += [f"    {state} --> {moves['to']}: {dashed(verb)}" for state in moves["from"]]
    return ["```mermaid", "stateDiagram-v2", *arrows, "```", ""] if arrows else []


def _office_page() -> str:
    lines = ["# Commands of the office", "", MADE, ""]
    for path, leaf in builtin.LEAVES.items():
        lines += _leaf(" ".join(("bo", *path)), leaf)
    return "\n".join(lines).rstrip() + "\n"


def _leaf(path: str, leaf: Leaf) -> list[str]:
    lines = [f"## {path}", "", leaf.summary, "", "```", leaf.usage(path), "```", ""]
    if leaf.doc:
        lines += [*_doc(leaf.doc), ""]
    own = [option for option in leaf.options if option.name not in SHARED_NAMES or option.words.startswith("--set-")]
    lines += [*_options(tuple(own)), ""] if own else []
    return lines


def _doc(doc: str) -> list[str]:
    """A docstring as Markdown: what is raised becomes a list."""
    lines = []
    for line in doc.split("\n"):
        if line.startswith("Raises:"):
            lines.append("Refused:")
            lines.append("")
        elif line.startswith("    "):
            lines.append(f"- {line.strip()}")
        else:
            lines.append(line)
    return lines


def _options(options: tuple[Option, ...]) -> list[str]:
    rows = []
    for option in options:
        value = f" {option.metavar}" if option.takes_value else ""
        spelled = ", ".join(f"`{word}{value}`" for word in option.spellings)
        rows.append(f"| {spelled} | {_cell(option.help)} |")
    return ["| option | |", "|---|---|", *rows]


def _exit_codes() -> str:
    rows = [f"| {code} | {_cell(meaning)} |" for code, meaning in exit_codes.MEANINGS]
    return "\n".join(["# Exit codes", "", MADE, "", "| code | meaning |", "|---|---|", *rows]) + "\n"


def _plain(title: str, text: str) -> str:
    return f"# {title}\n\n{MADE}\n\n```\n{text.rstrip()}\n```\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
