"""`bo help`: a command's help page, or a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.cli import exit_codes, output
from bo.core.kernel.errors import UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.cli.asked import Asked

FILTER: Final = """\
A filter is words; all of them must hold. It is the same on the command line, in the screen and in HTTP.

  state:new,valid      one of these values            -city:杭州     not this one
  city:杭*             a pattern                      name~li        contains
  amount>=500          compared: > >= < <= !=         phone:8000     a phone's last digits
  store:west           a reference, by key or id      store:none     empty; any: not empty
  created:2026-11-01   that day, in the office's zone created>=-7d   in the last seven days; also h and m
  total:100..500       from one to the other         created:2026-11-01..2026-11-07   those seven days
  due<now              today, yesterday and tomorrow work too
  kitchen "new house"  words and phrases in the full text
  sort:-created,name   order, - for descending; at most three fields

The full-width signs ： ＞ ＜ ＝ ， work too. bo NOUN list --fields all shows every field.
"""
OUTPUT: Final = """\
stdout is data, stderr is talk. -o chooses the form of the data:

  table      columns for people; the default on a terminal, cut to its width
  tsv        a line for each row under a heading; the default in a pipe. Inside a value
             \\t \\n \\r \\\\ stand for tab, line ends and backslash
             stand for tab, line ends and backslash
  csv        as `bo NOUN export` writes it, safe to open in a spreadsheet program
  json       one document: a list, or an object where one thing was asked for
  jsonl      one JSON object for each row
  ids        ids alone, one a line: bo leads list state:new -o ids | bo leads accept -
  template   --template '{number} {name}' for each row

In tsv, csv, json and jsonl an amount is a decimal text in major units with its currency beside it, a moment is
RFC 3339 in UTC.
With -o json or jsonl an error is one JSON object on stderr: code, command, subject, message, fields,
retryable, hint.
--output-version 1 asks for this form; fields may be added to it, none is taken away or changed.
"""


def show(asked: Asked) -> int:
    """Write a topic, or the help page of a command. Raises UsageError for what is neither."""
    words = list(asked.many("words"))
    if words == ["exit-codes"]:
        rows = [f"  {code:>3}  {_(meaning)}" for code, meaning in exit_codes.MEANINGS]
        output.write("\n".join([_("Exit codes of bo:"), "", *rows]) + "\n")
    elif words == ["filter"]:
        output.write(_(FILTER))
    elif words == ["output"]:
        output.write(_(OUTPUT))
    else:
        output.write(page(words) + "\n")
    return exit_codes.OK


def page(words: list[str]) -> str:
    """The help page of a command, or of bo itself."""
    from bo.cli.parser import PROGRAM, Group, Root

    root = Root(lambda _leaf, _asked: None)
    context = root.make_context(PROGRAM, [], resilient_parsing=True)
    group: Root | Group = root
    for place, word in enumerate(words):
        _name, command, _rest = group.resolve_command(context, [word])
        assert command is not None
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
        if not isinstance(command, Group):
            if place + 1 < len(words):
                raise UsageError(
                    "{path} takes no further word", hint="bo help {path}", path=" ".join(words[: place + 1])
                )
            return command.get_help(context)
        group = command
    return group.get_help(context)
