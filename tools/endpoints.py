"""The list of HTTP endpoints, written from the document that describes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bo.core.office import registry
from bo.sync.openapi import document
from tools.reference import MADE

PERMISSION: Final = re.compile(r"Permission: `([^`]+)`")
HEAD: Final = ("| endpoint | | permission |", "|---|---|---|")


def page() -> str:
    """Every endpoint, by noun."""
    made = document(registry(), "ORG")
    lines = ["# HTTP endpoints", "", MADE, ""]
    lines += [
        "Below `https://HOST/ORG/v1`. How they are used is in [HTTP for programs](http.md); arguments, answers and"
    ]
    lines += ["examples are in the document that `GET /openapi.json` gives.", ""]
    by_noun: dict[str, list[str]] = {}
    for noun, row in _rows(made):
        by_noun.setdefault(noun, []).append(row)
    for noun in ("", *(tag["name"] for tag in made["tags"])):
        if noun in by_noun:
            lines += [f"## {noun or 'The whole'}", "", *HEAD, *by_noun[noun], ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in made["paths"].items():
        for method, item in methods.items():
            found = PERMISSION.search(item.get("description", ""))
            permission = f"`{found[1]}`" if found else ""
            summary = item["summary"].replace("|", "\\|")
            yield "".join(item.get("tags", [])[:1]), f"| `{method.upper()} {path}` | {summary} | {permission} |"
