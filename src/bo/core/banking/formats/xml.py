"""XML read safely: as a stream, without document types, entities or anything from elsewhere.

Elements that are asked for are handed out as they end and let go, so memory is that of one of them. A document type,
the door of every known bomb, is refused when it opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final
from xml.parsers import expat

from bo.core.banking.statement import NotAStatement

DEPTH_MOST: Final = 64
TEXT_MOST: Final = 64 << 10
CHILDREN_MOST: Final = 500_000


@cache
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


class Node:
    """An element: its name without namespace, text, attributes and children; `line` where it is one that was asked
    for."""

    __slots__ = ("attributes", "children", "line", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int = 0) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.text = ""
        self.line = line

    def all(self, path: str) -> list[Node]:
        """Every element at the end of a path like `Refs/EndToEndId`."""
        found = [self]
        for tag in _parts(path):
            found = [child for node in found for child in node.children if child.tag == tag]
            if not found:
                break
        return found

    def first(self, *paths: str) -> Node | None:
        """The first element that one of the paths leads to."""
        return next((node for path in paths for node in self.all(path)), None)

    def said(self, *paths: str) -> str:
        """The text of the first element of these paths that has one."""
        for path in paths:
            for node in self.all(path):
                if text := " ".join(node.text.split()):
                    return text
        return ""


class _Builder:
    """Elements that are open, and those that have ended and are wanted."""

    def __init__(self, name: str, wanted: frozenset[str]) -> None:
        self.name, self.wanted = name, wanted
        self.ready: list[Node] = []
        self.open: list[Node] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.EntityDeclHandler = self.refuse

    def start(self, full: str, attributes: dict[str, str]) -> None:
        tag = full.rpartition(" ")[2]
        node = Node(tag, attributes, self.parser.CurrentLineNumber if tag in self.wanted else 0)
        if len(self.open) >= DEPTH_MOST or (self.open and len(self.open[-1].children) >= CHILDREN_MOST):
            raise self.too_much()
        if self.open:
            self.open[-1].children.append(node)
        self.open.append(node)

    def end(self, _full: str) -> None:
        node = self.open.pop()
        if node.tag in self.wanted:
            self.ready.append(node)
            if self.open:
                self.open[-1].children.pop()

    def data(self, text: str) -> None:
        node = self.open[-1]
        if len(node.text) + len(text) > TEXT_MOST:
            raise self.too_much()
        node.text += text

    def refuse(self, *_declared: object) -> None:
        raise NotAStatement(
            "{name}, line {line}: declares a document type or entities, which no statement needs",
            hint="Ask who made the file; nothing of it was read.",
            name=self.name,
            line=self.parser.CurrentLineNumber,
        )

    def too_much(self) -> NotAStatement:
        return NotAStatement(
            "{name}, line {line}: nested or filled beyond what any statement is",
            hint="Ask who made the file; nothing of it was kept.",
            name=self.name,
            line=self.parser.CurrentLineNumber,
        )


def elements(blocks: Iterable[bytes], name: str, wanted: frozenset[str]) -> Iterator[Node]:
    """Every element of these names as it ends, inner ones before the outer, which no longer hold them.

    Raises NotAStatement for what is no XML, is cut off, or declares a document type.
    """
    builder = _Builder(name, wanted)
    try:
        for block in blocks:
            builder.parser.Parse(block, False)
            yield from builder.ready
            builder.ready.clear()
        builder.parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotAStatement(
            "{name} breaks off or is no XML: {reason}", hint="Fetch the file again.", name=name, reason=error
        ) from error
    yield from builder.ready
