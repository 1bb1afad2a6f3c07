"""Writes the files that are made from others: `python -m tools.generate`. With `--check` it only says which are old.

A generated file is committed, so that a change of it shows in review; a test compares it with what would be written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

PROJECT = Path(__file__).parents[1]
Pages = Iterator[tuple[Path, bytes]]


def catalogues() -> Pages:
    """The compiled form of every catalogue of translations, which is what gettext reads."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in sorted((PROJECT / "src/bo/locale").glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3], abort_invalid=True)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        yield source.with_suffix(".mo"), compiled.getvalue()


def command_line() -> Pages:
    """The wire form of all commands, which the command line reads at every start."""
    from bo.core.office import registry
    from tools.wire_form import wire_form, written

    yield PROJECT / "src/bo/cli/manifest.json", written(wire_form(registry())).encode()


def reference() -> Pages:
    """The reference pages, made from what the command line reads."""
    from bo.cli.manifest import manifest
    from tools.reference import pages

    manifest.cache_clear()
    for name, text in pages():
        yield PROJECT / "docs/reference" / name, text.encode()


def endpoints() -> Pages:
    """The list of HTTP endpoints."""
    from tools.endpoints import page

    yield PROJECT / "docs/reference/http-endpoints.md", page().encode()


# What makes generated files; each yields the path of a file and what belongs in it.
MAKERS: tuple[Callable[[], Pages], ...] = (catalogues, command_line, reference, endpoints)


def outdated() -> list[tuple[Path, bytes]]:
    """The generated files that are not what they would be if they were written now."""
    return [page for make in MAKERS for page in _old(make)]


def _old(make: Callable[[], Pages]) -> Pages:
    return ((path, content) for path, content in make() if not path.exists() or path.read_bytes() != content)


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    changed = False
    for make in MAKERS:  # in their order, since the reference is made from the wire form
        for path, content in _old(make):
            changed = True
            print(("out of date: " if check else "written: ") + path.relative_to(PROJECT).as_posix())
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return 1 if changed and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
