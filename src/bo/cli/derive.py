"""From the manifest to the command line: which verbs a noun has, and what each of them takes.

Every parameter is plain text here; dispatch reads it by its kind, once. Nothing of the business is imported.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Final

from bo.cli.leaf import BULK, CODED, EVERYWHERE, KEYED, LISTS, READS, WRITES, Argument, Leaf, Option
from bo.cli.manifest import dashed, manifest
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.cli.manifest import CommandEntry, NounEntry, ParamEntry, QueryEntry

ASIDE: Final = "-file"
OWN_PREFIX: Final = "set-"  # for a parameter whose name an option of every command has
METAVARS: Final = {
    "amount": "AMOUNT",
    "rate": "PERCENT",
    "day": "DAY",
    "moment": "TIME",
    "whole": "N",
    "flag": "",
    "phone": "PHONE",
    "email": "EMAIL",
    "currency": "CODE",
    "tags": "WORD",
    "facts": "NAME=VALUE",
    "rows": "JSON",
}
READ: Final = ("csv", "tsv", "json", "jsonl", "xlsx", "xls", "ods", "xlsb")
FILTER: Final = Argument(
    "filter",
    "FILTER",
    'such as state:new city:杭州 amount>500 "kitchen" -tag:test sort:-created; bo help filter',
    many=True,
)
STANDARD: Final = {
    "list": "List {noun}.",
    "show": "Show {noun} whole, and what can be done with them now.",
    "count": "Count {noun}.",
    "history": "Show what was done to {noun}, by whom and when.",
    "import": "Import {noun} from a file.",
    "export": "Export {noun} to a file.",
}


def nouns() -> dict[str, str]:
    """Every noun as it is typed, with what it means."""
    return {dashed(noun): entry["summary"] for noun, entry in manifest().items()}


def verbs(noun: str) -> dict[str, str]:
    """The verbs of a noun as they are typed, each with its help text. The noun's own come before the standard ones."""
    entry = manifest()[noun]
    words = noun.replace("_", " ")
    written = {dashed(verb): item.summary for verb, item in _written(noun).items()}
    own = {dashed(verb): item["summary"] for verb, item in (*entry["commands"].items(), *entry["queries"].items())}
    own |= written
    standard = {_name(verb, own): _(text, noun=_(words)) for verb, text in STANDARD.items() if _has(entry, verb)}
    return {**standard, **own}


def leaf(noun: str, typed: str) -> Leaf | None:
    """The command that a verb of a noun stands for."""
    entry, verb = manifest()[noun], typed.replace("-", "_")
    if verb in _written(noun):
        return _written(noun)[verb]
    if verb in entry["commands"]:
        return _command(noun, verb, entry["commands"][verb])
    if verb in entry["queries"]:
        return _query(noun, verb, entry["queries"][verb])
    standard = typed.removesuffix(ASIDE)
    if (
        standard in STANDARD
        and typed == _name(standard, {*entry["commands"], *entry["queries"]})
        and _has(entry, standard)
    ):
        return _STANDARD[standard](noun, _(STANDARD[standard], noun=_(noun.replace("_", " "))))
    return None


def _written(noun: str) -> dict[str, Leaf]:
    """Verbs that are written by hand: what they take or give is a file, and nobody types its bytes."""
    if noun == "settlements":
        from bo.cli.bundles import BUNDLE
        from bo.cli.payouts import EXPORT

        return {"export": EXPORT, "bundle": BUNDLE}
    if noun == "bank_statements":
        from bo.cli.banking import IMPORT

        return {"import": IMPORT}
    if noun == "reconciliations":
        from bo.cli.reports import leaf_of

        return {verb: leaf_of(noun, verb) for verb in ("report", "open", "ageing")}
    if noun == "orders":
        from bo.cli.papers import PRINT

        return {"print": PRINT}
    if noun == "ledger":
        from bo.cli.books import leaves

        return leaves()
    if noun == "reports":
        from bo.cli.reports import leaves as reports

        return reports()
    return {}


def _name(verb: str, own: Container[str]) -> str:
    """A standard verb makes room for a command: `bo settlements export` is a step, `export-file` writes a file."""
    return verb + ASIDE if verb in own else verb


def _has(entry: NounEntry, verb: str) -> bool:
    """Whether a noun has a standard verb: records have all, but only those that a command makes can be imported."""
    return "fields" in entry and (verb != "import" or bool(entry.get("create")))


# -- commands and queries of the registry ------------------------------------------------------------------------------


def _command(noun: str, verb: str, entry: CommandEntry) -> Leaf:
    taken = {option.name for option in (*EVERYWHERE, *WRITES, *KEYED, *BULK)}
    coded = CODED if entry.get("step_up") else ()
    own = tuple(option_for(name, param, taken) for name, param in entry["params"].items())
    subject = entry.get("subject")
    arguments = (subjects(subject),) if subject else ()
    bulk = BULK if subject else ()
    return Leaf(
        f"{noun}.{verb}",
        entry["summary"],
        "bo.cli.writing:run",
        arguments=arguments,
        options=(*own, *coded, *bulk, *WRITES, *KEYED, *EVERYWHERE),
        params=tuple(entry["params"]),
        doc=_doc(entry),
    )


def _query(noun: str, verb: str, entry: QueryEntry) -> Leaf:
    taken = {option.name for option in (*EVERYWHERE, *READS, Option("to", ""))}
    own = tuple(option_for(name, param, taken) for name, param in entry["params"].items())
    subject = entry.get("subject")
    arguments = (
        (Argument("subjects", noun_metavar(subject), "id, unique end of an id, or key", required=True, record=subject),)
        if subject
        else ()
    )
    to = Option("to", "write the answer to this file", metavar="FILE")
    return Leaf(
        f"{noun}.{verb}",
        entry["summary"],
        "bo.cli.asking:run",
        arguments=arguments,
        options=(*own, to, *READS, *EVERYWHERE),
        params=tuple(entry["params"]),
        doc=_(entry.get("doc", "")),
    )


def option_for(name: str, param: ParamEntry, taken: set[str]) -> Option:
    """The option of a parameter. One whose name every command uses is written `--set-…`."""
    kind = param["kind"]
    words = [_(param["label"])] if "label" in param else []
    words += [_(param["help"])] if "help" in param else []
    words += [_("one of: {options}", options=", ".join(param["options"]))] if "options" in param else []
    words += [_("repeat for several")] if kind == "tags" else []
    words += [_("required")] if param.get("required") else []
    words += [_("default: {value}", value=param["default"])] if "default" in param else []
    record = param.get("record", "")
    metavar = noun_metavar(record) if record else METAVARS.get(kind, "CHOICE" if "options" in param else "TEXT")
    option = Option(
        name,
        "; ".join(words),
        kind={"flag": "switch", "tags": "many", "facts": "many"}.get(kind, "text"),
        metavar=metavar,
        choices=tuple(param.get("options", ())),
        record=record,
    )
    if name in taken:
        option.words = f"--{OWN_PREFIX}{dashed(name)}"
    return option


def subjects(noun: str) -> Argument:
    """The records a command is done to."""
    return Argument(
        "subjects",
        noun_metavar(noun),
        "ids, unique ends of ids, or keys; - reads them from stdin",
        many=True,
        record=noun,
    )


def noun_metavar(noun: str | None) -> str:
    """What stands for a record of a noun: LEAD, REWARD-RULE."""
    entry = manifest().get(noun or "")
    return dashed(entry.get("one", noun or "")).upper() if entry is not None else "ID"


def _doc(entry: CommandEntry) -> str:
    """The rest of a command's help: its docstring, and when it is offered."""
    moves, parts = entry.get("moves"), [_(entry["doc"])] if "doc" in entry else []
    if moves is not None:
        states = ", ".join(moves["from"])
        leads_to = " " + _("Leads to: {state}.", state=moves["to"]) if moves["to"] else ""
        parts.append(_("Offered in: {states}.", states=states) + leads_to)
    if entry.get("where") == "central":
        parts.append(_("Decided at the central store."))
    if entry.get("step_up"):
        parts.append(_("An operator with a second factor gives a fresh code of it."))
    parts.append(_("Permission: {needs}.", needs=entry["needs"]))
    return "\n\n".join(parts)


# -- what every record has ---------------------------------------------------------------------------------------------


def _list(noun: str, summary: str) -> Leaf:
    options = (
        Option("view", "a saved view by its name: its filter, order and columns; bo views mine", metavar="NAME"),
        *LISTS,
        Option("pager", "show it with this program, on a terminal (BO_PAGER)", metavar="PROGRAM"),
        *READS,
        *EVERYWHERE,
    )
    return Leaf(
        f"{noun}.list", summary, "bo.cli.reading:list_records", arguments=(FILTER,), options=options, takes_filter=True
    )


def _count(noun: str, summary: str) -> Leaf:
    return Leaf(
        f"{noun}.count",
        summary,
        "bo.cli.reading:count_records",
        arguments=(FILTER,),
        options=(LISTS[2], *EVERYWHERE),
        takes_filter=True,
    )


def _show(noun: str, summary: str) -> Leaf:
    return Leaf(
        f"{noun}.show",
        summary,
        "bo.cli.reading:show_records",
        arguments=(subjects(noun),),
        options=(*READS, *EVERYWHERE),
    )


def _history(noun: str, summary: str) -> Leaf:
    return Leaf(
        f"{noun}.history", summary, "bo.cli.journal:show_history", arguments=(subjects(noun),), options=EVERYWHERE
    )


def _import(noun: str, summary: str) -> Leaf:
    options = (
        Option("map", "which column is which field (TOML)", metavar="FILE.toml"),
        Option("suggest_map", "write a mapping for this file to stdout and import nothing", kind="flag"),
        Option("encoding", "encoding of a text file; found out when not given", metavar="NAME"),
        Option("format", "what the file is; by its content when not given", metavar="FORMAT", choices=READ),
        Option("delimiter", "what stands between the cells of a text file; found out when not given", metavar="SIGN"),
        Option("header_row", "line of the header; 0 when there is none", metavar="N"),
        Option("sheet", "sheet of a workbook, by name or number", metavar="SHEET"),
        Option("rejects", "keep the good rows; the others go to this file with the reason", metavar="FILE"),
        Option(
            "progress",
            "auto, json or never: how far it is, on stderr",
            metavar="WHEN",
            choices=("auto", "json", "never"),
        ),
    )
    file = Argument("file", "FILE", "the file; - for stdin", required=True)
    return Leaf(
        f"{noun}.import",
        summary,
        "bo.cli.exchange:import_file",
        arguments=(file,),
        options=(*options, *WRITES, *EVERYWHERE),
    )


def _export(noun: str, summary: str) -> Leaf:
    options = (
        Option(
            "format",
            "by the file's name when not given, csv for stdout",
            metavar="FORMAT",
            choices=("csv", "tsv", "json", "jsonl", "xlsx"),
        ),
        Option("fields", "fields to write, by comma", metavar="A,B"),
        Option("preset", "write the columns of a shop, such as shopify_orders", metavar="NAME"),
        Option("where", "only records that this filter finds", metavar="FILTER"),
        Option("limit", "write at most so many rows", metavar="N"),
        Option("encoding", "utf-8, or utf-8-sig by which Excel sees that it is", metavar="NAME"),
    )
    file = Argument("file", "FILE", "the file; - for stdout", required=True)
    return Leaf(
        f"{noun}.export", summary, "bo.cli.exchange:export_file", arguments=(file,), options=(*options, *EVERYWHERE)
    )


_STANDARD: Final = {
    "list": _list,
    "show": _show,
    "count": _count,
    "history": _history,
    "import": _import,
    "export": _export,
}
