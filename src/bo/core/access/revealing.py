"""Showing what is behind the masks: written down first, then read."""

from __future__ import annotations

from msgspec import structs

from bo.core.kernel.errors import Refused
from bo.core.kernel.reader import Reader
from bo.core.kernel.tx import SEE_PERSONAL
from bo.core.kernel.workspace import Workspace


class NothingMasked(Refused):
    """A record whose values are all in plain sight, or blank."""

    code = "nothing_masked"


def reveal(workspace: Workspace, noun: str, record_id: str) -> dict[str, str]:
    """The plain values of the fields of a record that this operator sees masked, by name.

    That they were shown is in the journal before they are read. Raises NotAllowed, NotFound or NothingMasked.
    """
    reader = workspace.reader()
    reader.require(f"{noun}.read")
    info = reader.info(noun)
    record = reader.get(info.cls, record_id)
    names = [item.name for item in reader.actor.masks(info) if getattr(record, item.name)]
    if not names:
        raise NothingMasked("nothing of this record is masked")
    workspace.do("reveals.note", None, of=noun, record=record.id, fields=names)
    seeing = structs.replace(reader.actor, permissions=reader.actor.permissions | {SEE_PERSONAL})
    eyes = Reader(reader.session, reader.registry, reader.context, seeing, reader.now)
    plain = eyes.get(info.cls, record.id)
    return {name: str(getattr(plain, name)) for name in names}
