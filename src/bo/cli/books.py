"""The register and the journals of the ledger, which may be long: written as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.derive import option_for
from bo.cli.leaf import EVERYWHERE, Leaf, Option
from bo.cli.manifest import manifest
from bo.cli.office import opened
from bo.cli.output import Column
from bo.cli.saving import placed

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.reader import Reader
    from bo.core.kernel.workspace import Workspace

AT_ONCE: Final = 1000
TO: Final = Option("to", "write it to this file", metavar="FILE")


def leaves() -> dict[str, Leaf]:
    """The verbs of the ledger whose answers are streams."""
    queries = manifest()["ledger"]["queries"]
    found = {}
    for verb, more in (("register", ()), ("export", (TO,))):
        entry = queries[verb]
        params = {name: param for name, param in entry["params"].items() if name != "page"}
        own = tuple(option_for(name, param, set()) for name, param in params.items())
        found[verb] = Leaf(
            f"ledger.{verb}",
            entry["summary"],
            f"bo.cli.books:{verb}",
            options=(*own, *more, *EVERYWHERE),
            params=tuple(params),
            doc=entry.get("doc", ""),
        )
    return found


def register(asked: Asked) -> int:
    """The postings, however many there are."""
    with opened(asked) as workspace:
        from bo.core.kernel.wire import kinds_of, plain
        from bo.core.ledger.queries import RegisterLine, register_lines

        read, values = _asked(workspace, asked)
        lines = register_lines(read, **{**NOTHING, **values})
        kinds, currency = kinds_of(RegisterLine), workspace.context.currency
        columns = [Column(name, kind.name if kind else "text") for name, kind in kinds.items()]
        rows = ([*plain(line, currency).values()] for line in lines)
        output.rows(asked, columns, _batches(rows), zone=workspace.context.zone)
    return exit_codes.OK


def export(asked: Asked) -> int:
    """The journal, written as it is read."""
    with opened(asked) as workspace:
        from bo.core.ledger.queries import journal_pieces

        read, values = _asked(workspace, asked)
        pieces = (piece.encode() for piece in journal_pieces(read, **{"since": None, "until": None, **values}))
        if not asked.text("to"):
            with output.stream() as stdout:
                stdout.writelines(pieces)
            return exit_codes.OK
        path = Path(asked.text("to"))
        with placed(path, pieces):
            pass
        diagnostics.note(asked, "{name} written, {size} bytes", name=str(path), size=path.stat().st_size)
    return exit_codes.OK


NOTHING: Final[dict[str, Any]] = {"account": "", "party": "", "by_party": False, "since": None, "until": None}


def _asked(workspace: Workspace, asked: Asked) -> tuple[Reader, dict[str, Any]]:
    """Eyes that may read the ledger, and the values that were given, read by their kinds."""
    from bo.core.kernel.arguments import decode_arguments

    query, read = workspace.registry.query(asked.command), workspace.reader()
    read.require(query.needs)
    return read, decode_arguments(query, asked.arguments(), workspace.context)


def _batches(rows: Iterable[list[object]]) -> Iterator[list[list[object]]]:
    stream = iter(rows)
    while batch := list(islice(stream, AT_ONCE)):
        yield batch
