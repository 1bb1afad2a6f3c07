"""What duplicates are looked up by.

The keys of a lead and of a report that is still to become one, so that a batch can fetch its rivals at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bo.core.kernel.parsing import email_key, household_key, name_key

if TYPE_CHECKING:
    from bo.core.leads.records import Lead


class Home(NamedTuple):
    """Where a customer lives and is called, in comparable form.

    `key` is the home, `neighbour` community and name; blank is unknown.
    """

    key: str
    neighbour: str
    community: str
    name: str


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


def sought_by(lead: Lead) -> list[tuple[str, str]]:
    """The lookup fields and values by which a lead's rivals are found."""
    found = _phones(lead.phone, lead.phone2)
    if lead.email_key:
        found.append(("email_key", lead.email_key))
    if lead.platform_id:
        found.append(("platform_id", lead.platform_id))
    if lead.home_key:
        found.append(("home_key", lead.home_key))
    if lead.neighbour_key:
        found.append(("neighbour_key", lead.neighbour_key))
    return found


def sought_for(values: Mapping[str, object]) -> list[tuple[str, object]]:
    """The same for the arguments of a report, and what makes it unique."""
    found: list[tuple[str, object]] = [*_phones(values.get("phone"), values.get("phone2"))]
    found += [(name, value) for name in ("number", "import_key", "platform_id") if (value := values.get(name))]
    if email := values.get("email"):
        found.append(("email_key", email_key(str(email))))
    if values.get("community"):
        home = home_of(*(str(values.get(name) or "") for name in ("district", "community", "room", "name")))
        found += [(name, value) for name, value in (("home_key", home.key), ("neighbour_key", home.neighbour)) if value]
    return found


def _phones(phone: object, phone2: object) -> list[tuple[str, str]]:
    """A number may be another lead's first or second."""
    found: list[tuple[str, str]] = []
    for number in (phone, phone2):
        if number:
            found += (("phone", str(number)), ("phone2", str(number)))
    return found
