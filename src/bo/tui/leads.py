"""What the screen shows of a lead beside its fields: whom it may be a later report of, which store could take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.shown import Shown

NOUN = "leads"
COMPARED = (
    "number", "name", "phone", "phone2", "email", "platform_id", "company", "country", "province", "city", "district",
    "community", "room", "address", "category", "source", "brand", "referrer", "reported_at", "created_at", "budget",
    "store", "note",
)  # fmt: skip


class Compared(Struct, frozen=True):
    """One field of two leads."""

    title: str
    mine: str
    theirs: str

    @property
    def mark(self) -> str:
        """`=` the same, `!` different, `+` only one of them has it."""
        if self.mine.casefold() == self.theirs.casefold():
            return "="
        return "!" if self.mine and self.theirs else "+"


class RivalView(Struct, frozen=True):
    """A lead that may be the same customer: how sure that is, what agrees, and both field by field."""

    id: str
    title: str
    state: str
    points: int
    why: str
    fields: tuple[Compared, ...]


class Comparison(Struct, frozen=True):
    """A lead with all that it may be a later report of, the likeliest first."""

    id: str
    title: str
    state: str
    rivals: tuple[RivalView, ...]


class StoreOffer(Struct, frozen=True):
    """A store that a lead could go to: what it has to do, and why the rule would take it, or what is in the way."""

    id: str
    name: str
    open_leads: str
    this_month: str
    picked: bool
    blocked: bool
    why: str


def comparison(workspace: Workspace, shown: Shown, record_id: str) -> Comparison:
    """Raises NotAllowed, NotFound."""
    from bo.core.leads.records import Lead

    reader = workspace.reader()
    lead = reader.get(Lead, record_id)
    found = {item.lead: (item.points, item.why) for item in workspace.ask("leads.duplicates", record_id)}
    if lead.duplicate_of and lead.duplicate_of not in found:
        found[lead.duplicate_of] = (lead.duplicate_score, "")
    mine = _told(shown, lead)
    rivals = []
    for rival_id, (points, why) in found.items():
        rival = reader.get(Lead, rival_id)
        agreed = ", ".join(_(word.strip().replace("_", " ")) for word in why.split(",") if word.strip())
        rivals.append(RivalView(rival_id, rival.name or rival_id, rival.state, points, agreed,
                                _beside(shown, mine, _told(shown, rival))))  # fmt: skip
    # The one it is marked as a duplicate of comes first, whatever else is like it.
    rivals.sort(key=lambda rival: rival.id != lead.duplicate_of)
    return Comparison(record_id, lead.name or record_id, lead.state, tuple(rivals))


def _told(shown: Shown, lead: object) -> dict[str, str]:
    return shown.record({name: getattr(lead, name) for name in COMPARED})


def _beside(shown: Shown, mine: dict[str, str], theirs: dict[str, str]) -> tuple[Compared, ...]:
    titles = shown.titles(COMPARED)
    return tuple(
        Compared(titles[name], mine[name], theirs[name]) for name in COMPARED if mine[name] or theirs[name]
    )  # fmt: skip


def offers(workspace: Workspace, record_id: str) -> list[StoreOffer]:
    """Every store as the rule sees it for this lead, the one it would pick first. Raises NotAllowed, NotFound."""
    return [
        StoreOffer(
            item.store, " ".join(word for word in (item.name, item.code) if word),
            _of(item.open_leads, item.capacity), _of(item.this_month, item.quota),
            item.picked, bool(item.obstacle), _(item.why),
        )
        for item in workspace.ask("leads.candidates", record_id)
    ]  # fmt: skip


def _of(count: int, most: int) -> str:
    return f"{count}/{most}" if most else str(count)
