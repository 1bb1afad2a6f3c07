"""Writing the bundle of a settlement: a folder for each payee, or one zip file. Nothing is sent."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes
from bo.cli.asked import Asked
from bo.cli.leaf import EVERYWHERE, Argument, Leaf, Option
from bo.cli.office import opened
from bo.core.kernel.errors import BadFile, UsageError

if TYPE_CHECKING:
    from bo.core.settlement.bundling import Parcel

BUNDLE: Final = Leaf(
    "settlements.bundle",
    "Write for each payee of a settlement the statement as PDF and CSV, and a draft of the mail. Nothing is sent.",
    "bo.cli.bundles:bundle",
    arguments=(Argument("settlement", "SETTLEMENT", "number or id", required=True, record="settlements"),),
    options=(
        Option("to", "a folder that is not there yet, or a file that ends with .zip", metavar="PLACE"),
        *EVERYWHERE,
    ),
    doc="Each payee is written to in their own language. Permission: settlements.read.",
)
NO_DAY: Final = (1980, 1, 1, 0, 0, 0)  # a zip has times, and this one is to have the same bytes each time


def bundle(asked: Asked) -> int:
    """All or nothing: what cannot be written whole is taken away again."""
    if not asked.text("to"):
        raise UsageError("{command} needs {field}", hint="Give it with --{option}.", command=asked.command, field="to",
                         option="to")  # fmt: skip
    path = Path(asked.text("to"))
    if path.exists():
        raise BadFile("{name} is there already", hint="Name another place, or take it away.", name=str(path))
    from bo.core.settlement.bundling import parcels
    from bo.core.settlement.records import Settlement

    with opened(asked) as workspace:
        reader = workspace.reader()
        found = parcels(reader, reader.get(Settlement, asked.text("settlement")))
        try:
            folders = _zipped(path, found) if path.suffix.lower() == ".zip" else _placed(path, found)
        except OSError as error:
            raise BadFile("{name} cannot be written: {reason}", hint="Check the folder and your rights to it.",
                          name=str(path), reason=error.strerror or str(error)) from None  # fmt: skip
    diagnostics.note(asked, "{count} payees in {name}", count=folders, name=str(path))
    return exit_codes.OK


def _zipped(path: Path, found: Iterable[Parcel]) -> int:
    part, folders = path.with_name(f".{path.name}.part"), set()
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for item in found:
                folders.add(item.folder)
                entry = zipfile.ZipInfo(f"{item.folder}/{item.name}", NO_DAY)
                entry.external_attr, entry.create_system = 0o600 << 16, 3
                archive.writestr(entry, item.content, zipfile.ZIP_DEFLATED)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return len(folders)


def _placed(path: Path, found: Iterable[Parcel]) -> int:
    import shutil

    part, folders = path.with_name(f".{path.name}.part"), set()
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        for item in found:
            if item.folder not in folders:
                (part / item.folder).mkdir()
                folders.add(item.folder)
            (part / item.folder / item.name).write_bytes(item.content)
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(folders)
