"""What duplicates are looked up by: the keys of a lead, and of a report that is still to become one.

A batch fetches the rivals of all its reports at once, so the keys can be made from a command's arguments too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from bo.core.kernel.parsing import email_key, household_key, name_key

if TYPE_CHECKING:
    from bo.core.leads.records import Lead

KEYS: Final = ("phone_key", "phone2_key", "platform_key", "email_key", "home_key", "neighbour_key")
PHONES: Final = ("phone_key", "phone2_key")


class Home(NamedTuple):
    """Where a customer lives and is called, in comparable form; blank is unknown.

    `key` is the home, `neighbour` community and name.
    """

    key: str
    neighbour: str
    community: str
    name: str


def set_keys(lead: Lead) -> None:
    """What the lead is looked up by as a duplicate, from its fields."""
    lead.phone_key, lead.phone2_key = lead.phone, lead.phone2
    lead.platform_key = lead.platform_id.casefold() if lead.platform_id else None
    lead.email_key = email_key(lead.email) if lead.email else None
    if lead.community:
        home = home_of(lead.district, lead.community, lead.room, lead.name)
        lead.home_key, lead.neighbour_key = home.key or None, home.neighbour or None
    else:
        lead.home_key = lead.neighbour_key = None


def sought_by(lead: Lead) -> list[tuple[str, str]]:
    """The key fields and values by which a lead's rivals are found. A phone may be the other's first or second."""
    found: list[tuple[str, str]] = []
    for phone in (lead.phone_key, lead.phone2_key):
        if phone:
            found += (("phone_key", phone), ("phone2_key", phone))
    for name in KEYS[2:]:
        if value := getattr(lead, name):
            found.append((name, value))
    return found


def sought_for(values: Mapping[str, object]) -> list[tuple[str, object]]:
    """The same for the arguments of a report, and what makes it unique."""
    found = [(name, value) for name in ("number", "import_key") if (value := values.get(name))]
    for phone in (values.get("phone"), values.get("phone2")):
        if phone:
            found += (("phone_key", phone), ("phone2_key", phone))
    if platform := values.get("platform_id"):
        found.append(("platform_key", str(platform).casefold()))
    if email := values.get("email"):
        found.append(("email_key", email_key(str(email))))
    if values.get("community"):
        home = home_of(*(str(values.get(name) or "") for name in ("district", "community", "room", "name")))
        found += [(name, value) for name, value in (("home_key", home.key), ("neighbour_key", home.neighbour)) if value]
    return found


def forget_key(lead: Lead, value: str) -> None:
    """Look the lead up by this value no more: so many leads share it that it says nothing."""
    for name in KEYS:
        if getattr(lead, name) == value:
            setattr(lead, name, None)


@lru_cache(maxsize=8192)
def home_of(district: str, community: str, room: str, name: str) -> Home:
    """The keys of a household and of a name in a community."""
    place = _place(district, community)
    if not place:
        return Home("", "", "", "")
    person = name_key(name) if name else ""
    words = " ".join(sorted(person.split(" "))) if " " in person else person
    return Home(
        household_key(district, community, room) if room else "", f"{place}|{words}" if words else "", place, person
    )


@lru_cache(maxsize=8192)
def _place(district: str, community: str) -> str:
    return household_key(district, community, "0").rpartition("|")[0]
