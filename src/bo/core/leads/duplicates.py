"""Whether a new lead is one that is known already.

Only keys are compared, made by `kernel.parsing`; whoever holds the records finds candidates by an index and hands
them in. The strongest agreement decides: weak ones are not added up, since a name and a community that agree are one
household's evidence twice. A key shared by many leads (a switchboard, `test@test.com`, a show flat) says nothing and
is left out. A duplicate is marked or shown, never dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["new", "show", "mark"]

MARK_FROM: Final = 80
SHOW_FROM: Final = 60
SAYS_NOTHING_FROM: Final = 21
NAME_LIKENESS_LEAST: Final = 90
PROTECTION_DAYS: Final = 90

POINTS: Final = {"phone": 100, "platform_id": 100, "email": 80, "household": 80, "name": 60}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What identifies the customer of a lead, in comparable form; empty is unknown and agrees with nothing.

    `kernel.parsing` makes the keys: `parse_phone`, `email_key`, `name_key`, `surname_key`, `household_key` for `room`;
    `community` carries its district, `platform_id` the platform's name and the customer's id on it.
    """

    phone_keys: tuple[str, ...] = ()
    email_key: str = ""
    platform_id: str = ""
    name: str = ""
    surname: str = ""
    community: str = ""
    room: str = ""


@dataclass(frozen=True, slots=True)
class KnownLead:
    """A lead that may be the first of the new one."""

    id: str
    reported: datetime
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Match:
    """How strongly one known lead agrees, and in what: words of `POINTS`, strongest first."""

    id: str
    points: int
    agreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do with a new lead, the first it belongs to (when marked), and all that agree, strongest first."""

    verdict: Verdict
    duplicate_of: str
    matches: tuple[Match, ...]


NEW: Final = Judgement("new", "", ())


def judge(
    fingerprint: Fingerprint, reported: datetime, known: Sequence[KnownLead], *, protection_days: int = PROTECTION_DAYS
) -> Judgement:
    """Compare a new lead with those that may be the same customer.

    Leads reported more than `protection_days` earlier protect nobody any more and are passed over. Of several that are
    strong enough to mark, the earliest reported is the first. Hand in all candidates of a key, or at least 21.
    """
    protected_from = reported - timedelta(days=protection_days)
    rivals = [lead for lead in known if lead.reported >= protected_from]
    if not rivals:
        return NEW
    agreed = [(lead, _agreements(fingerprint, lead.fingerprint)) for lead in rivals]
    crowded = _crowded(agreed)
    matches = []
    for lead, agreements in agreed:
        telling = tuple(sorted({word for word, key in agreements if (word, key) not in crowded}, key=_by_points))
        if telling and POINTS[telling[0]] >= SHOW_FROM:
            matches.append((lead, Match(lead.id, POINTS[telling[0]], telling)))
    if not matches:
        return NEW
    matches.sort(key=lambda pair: (-pair[1].points, pair[0].reported, pair[0].id))
    firsts = [lead for lead, match in matches if match.points >= MARK_FROM]
    first = min(firsts, key=lambda lead: (lead.reported, lead.id), default=None)
    shown = tuple(match for _, match in matches)
    return Judgement("mark", first.id, shown) if first else Judgement("show", "", shown)


def protected_until(reported: datetime, protection_days: int = PROTECTION_DAYS) -> datetime:
    """Until when a report keeps its customer: the last moment that still counts."""
    return reported + timedelta(days=protection_days)


def likeness(one: str, other: str) -> int:
    """How alike two name keys are, 0 to 100; words may stand in another order."""
    if one == other:
        return 100
    from rapidfuzz import fuzz

    return int(fuzz.token_sort_ratio(one, other))


def _agreements(one: Fingerprint, other: Fingerprint) -> list[tuple[str, str]]:
    """Each kind of agreement with the key that both share."""
    return list(_each_agreement(one, other))


def _each_agreement(one: Fingerprint, other: Fingerprint) -> Iterator[tuple[str, str]]:
    for phone in one.phone_keys:
        if phone in other.phone_keys:
            yield "phone", phone
    if one.platform_id and one.platform_id == other.platform_id:
        yield "platform_id", one.platform_id
    if one.email_key and one.email_key == other.email_key:
        yield "email", one.email_key
    if not one.community or one.community != other.community:
        return
    if one.room and one.room == other.room and one.surname and one.surname == other.surname:
        yield "household", f"{one.room}|{one.surname}"
    if one.name and other.name and likeness(one.name, other.name) >= NAME_LIKENESS_LEAST:
        yield "name", one.community


def _crowded(agreed: list[tuple[KnownLead, list[tuple[str, str]]]]) -> frozenset[tuple[str, str]]:
    """Keys that so many leads share that they say nothing."""
    counts = Counter(agreement for _, agreements in agreed for agreement in agreements)
    return frozenset(agreement for agreement, count in counts.items() if count >= SAYS_NOTHING_FROM)


def _by_points(word: str) -> tuple[int, str]:
    return -POINTS[word], word
