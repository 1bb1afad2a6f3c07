"""Completion by TAB: the words that may come next, from the manifest; ids and keys of records from the workspace.

The shell's script asks `bo __complete SHELL INDEX WORDS…`. That starts no parser and no business module; whatever
goes wrong there offers nothing, since a message in the middle of typing helps nobody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bo.cli import builtin, derive, exit_codes, output
from bo.cli.leaf import EVERYWHERE, Leaf, Option
from bo.cli.manifest import manifest, noun_called
from bo.core.kernel.errors import Configuration, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from bo.cli.asked import Asked

RECORDS_MOST: Final = 50
WORDS_MOST: Final = 3  # of a command's name
FILTER_START: Final = re.compile(r"-[a-z_]+:")
Offers = dict[str, str]

SCRIPTS: Final = {
    "bash": """\
_bo_complete() {
    local IFS=$'\\n'
    COMPREPLY=($(bo __complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace
    return 0
}
complete -o default -F _bo_complete bo
""",
    "zsh": """\
#compdef bo
_bo() {
    local -a offers
    offers=("${(@f)$(bo __complete zsh "$((CURRENT - 1))" "${words[@]}" 2>/dev/null)}")
    [[ -n "$offers" ]] && _describe 'bo' offers || _files
}
compdef _bo bo
""",
    "fish": """\
function __bo_complete
    set -l words (commandline -opc)
    bo __complete fish (count $words) $words (commandline -ct) 2>/dev/null
end
complete -c bo -f -a '(__bo_complete)'
""",
}
PLACES: Final = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/bo"),
    "zsh": ("ZDOTDIR", "", ".zfunc/_bo"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/bo.fish"),
}


def answer(words: Sequence[str]) -> int:
    """Write the offers for `SHELL INDEX WORDS…`; nothing rather than an error."""
    try:
        shell, place, line = words[0], int(words[1]), list(words[2:])
        typed = line[1:place]
        current = line[place] if place < len(line) else ""
        offers = offered(typed, current)
        output.write(_written(shell, offers))
        output.flush()
    except Exception:
        return exit_codes.OK
    return exit_codes.OK


def offered(typed: Sequence[str], current: str) -> Offers:
    """What may stand in the place of `current`, each with a word about it."""
    path, leaf, given = _reached(list(typed))
    if leaf is None:
        options = {word: option.help for option in EVERYWHERE for word in option.spellings} if not path else {}
        found = {**_next_words(path), **({**options, "--help": "", "--version": ""} if current.startswith("-") else {})}
        return _starting(found, current)
    waiting = next(
        (option for option in leaf.options if given and given[-1] in option.spellings and option.takes_value), None
    )
    if waiting is not None:
        return _starting(_values(waiting, typed, current), current)
    name, sign, value = current.partition("=")
    attached = (
        next((option for option in leaf.options if option.words == name and option.takes_value), None) if sign else None
    )
    if attached is not None:
        return {f"{name}={word}": text for word, text in _starting(_values(attached, typed, value), value).items()}
    if current.startswith("-") and not (leaf.takes_filter and FILTER_START.match(current)):
        return _starting(
            {word: option.help for option in leaf.options for word in option.spellings} | {"--help": ""}, current
        )
    return _starting(_arguments(leaf, typed, current), current)


def _reached(typed: list[str]) -> tuple[list[str], Leaf | None, list[str]]:
    """The command that the words before have reached: its path, itself, and the words after it."""
    words, path = list(typed), list[str]()
    while words and len(path) < WORDS_MOST:
        word = words.pop(0)
        option = next((item for item in EVERYWHERE if word in item.spellings), None)
        if option is not None:
            if option.takes_value and words:
                words.pop(0)
            continue
        path.append(word)
        leaf = _leaf_at(path)
        if leaf is not None:
            return path, leaf, words
    return path, None, words


def _leaf_at(path: Sequence[str]) -> Leaf | None:
    found = builtin.LEAVES.get(tuple(path))
    if found is not None or len(path) < 2:
        return found
    noun = noun_called(path[0])
    return derive.leaf(noun, path[1]) if noun is not None else None


def _next_words(path: Sequence[str]) -> Offers:
    if not path:
        return {**derive.nouns(), **builtin.first_words()}
    if " ".join(path) in builtin.GROUPS:
        return builtin.next_words(tuple(path))
    noun = noun_called(path[0])
    return derive.verbs(noun) if noun is not None and len(path) == 1 else {}


def _arguments(leaf: Leaf, typed: Sequence[str], current: str) -> Offers:
    if not leaf.arguments:
        return {}
    argument = leaf.arguments[0]
    if leaf.takes_filter:
        return _filter_words(leaf.command.partition(".")[0], current)
    if argument.choices:
        return dict.fromkeys(argument.choices, "")
    return _records(argument.record, typed, current) if argument.record else {}


def _values(option: Option, typed: Sequence[str], current: str) -> Offers:
    if option.choices:
        return dict.fromkeys(option.choices, "")
    _path, leaf, _given = _reached(list(typed))
    noun = leaf.command.partition(".")[0] if leaf is not None else ""
    if option.name == "fields" and noun in manifest():
        before, comma, _last = current.rpartition(",")
        return {f"{before}{comma}{name}": "" for name in manifest()[noun].get("fields", {})}
    if option.name == "where":
        return _filter_words(noun, current)
    return _records(option.record, typed, current) if option.record else {}


def _filter_words(noun: str, current: str) -> Offers:
    """Fields with a colon; after the colon of a field with few values, those."""
    if noun not in manifest():
        return {}
    fields = manifest()[noun].get("fields", {})
    minus = "-" if current.startswith("-") else ""
    name, colon, value = current.removeprefix("-").partition(":")
    if not colon:
        return {
            f"{minus}{field}:": entry.get("label", "") for field, entry in fields.items() if not entry.get("internal")
        } | {"sort:": ""}
    if name == "sort":
        return {f"sort:{sign}{field}": "" for field in fields for sign in ("", "-")}
    before, comma, _last = value.rpartition(",")
    options = fields[name].get("options", []) if name in fields else []
    return {f"{minus}{name}:{before}{comma}{option}": "" for option in options}


def _records(noun: str, typed: Sequence[str], current: str) -> Offers:
    """Keys of records that begin as typed, or the ends of the newest ids; from the workspace that the line names."""
    from bo.cli.asked import Asked
    from bo.cli.office import opened
    from bo.core.kernel.ids import short

    values: dict[str, object] = {}
    for place, word in enumerate(typed):
        for option in EVERYWHERE:
            if word in option.spellings and place + 1 < len(typed):
                values[option.name] = typed[place + 1]
    entry = manifest()[noun]
    key = next(iter(entry.get("key", [])), "")
    label = next((name for name in ("name", "code", "login") if name in entry.get("fields", {})), "id")
    with opened(Asked(f"{noun}.list", values)) as workspace:
        reader = workspace.reader()
        if key:
            rows = reader.page(
                noun, f"{key}:{current}*" if current else "", fields=(key, label), limit=RECORDS_MOST
            ).rows
            found = {str(row[0]): str(row[1] or "") for row in rows if row[0]}
            if found:
                return found
        rows = reader.page(noun, "", fields=("id", label), limit=RECORDS_MOST).rows
        return {short(str(row[0])): str(row[1] or "") for row in rows}


def _starting(offers: Offers, current: str) -> Offers:
    return {word: text for word, text in offers.items() if word.startswith(current)}


def _written(shell: str, offers: Offers) -> str:
    from bo.core.kernel.text import visible

    if shell == "bash":
        # bash breaks words at colons: what stands before the last one is on the line already.
        return "".join(f"{word.rpartition(':')[2] if ':' in word[:-1] else word}\n" for word in offers)
    lines = []
    for word, text in offers.items():
        about = visible(text).split("\n")[0]
        if shell == "zsh":
            lines.append(word.replace(":", "\\:") + (f":{about}" if about else ""))
        else:
            lines.append(f"{word}\t{about}")
    return "".join(f"{line}\n" for line in lines)


def show(asked: Asked) -> int:
    """Write a shell's completion script."""
    output.write(SCRIPTS[_shell(asked.text("shell"))])
    return exit_codes.OK


def install(asked: Asked) -> int:
    """Put the script where the shell looks for it, and say where that is."""
    shell = _shell(asked.text("shell") or os.path.basename(os.environ.get("SHELL", "")))
    path = script_path(shell)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPTS[shell], "utf-8")
    except OSError as error:
        raise Configuration(
            "{path} cannot be written: {reason}",
            hint="bo completion show prints it.",
            path=str(path),
            reason=error.strerror or str(error),
        ) from None
    from bo.cli import diagnostics

    output.record(asked, [output.Column("shell"), output.Column("path")], [shell, str(path)])
    if shell == "zsh":
        diagnostics.note(asked, "~/.zshrc needs, before compinit: fpath+={folder}", folder=str(path.parent))
    diagnostics.note(asked, "Open a new shell to use it.")
    return exit_codes.OK


def script_path(shell: str) -> Path:
    """Where a shell looks for completion scripts."""
    from pathlib import Path

    variable, fallback, name = PLACES[shell]
    home = os.environ.get(variable)
    return (Path(home) if home else Path.home() / fallback) / name


def _shell(name: str) -> str:
    if name not in SCRIPTS:
        raise UsageError(
            "there is no completion for {shell}", hint="One of: {known}.", shell=name or "?", known=", ".join(SCRIPTS)
        )
    return name
