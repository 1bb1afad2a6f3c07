"""Places as people write them, compared: 上海市 is 上海, and a territory holds what it does not rule out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from bo.core.stores.records import Territory

_RANKS: Final = "(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|自治州|新区|省|市|区|县)$"


@lru_cache(maxsize=8192)
def place_key(name: str) -> str:
    """A place in comparable form: without case, spaces and, where something is left, the Chinese word for its rank."""
    plain = re.sub(r"[\W_]+", "", normalize("NFKC", name).casefold())
    bare = re.sub(_RANKS, "", plain)
    return bare if len(bare) > 1 else plain


def place_path(province: str, city: str, district: str) -> str:
    """One place as `province/city/district`, blank where nothing is said; cut at the narrowest part that is given."""
    return "/".join(place_key(part) for part in (province, city, district)).rstrip("/") or "*"


def holds(territory: Territory, province: str, city: str, district: str) -> bool:
    """Whether a territory holds a place.

    A part that only one of them names is no objection, except that a territory of a city or district
    holds only places that name it."""
    if territory.province and province and place_key(territory.province) != place_key(province):
        return False
    if territory.city and place_key(territory.city) != place_key(city):
        return False
    if territory.district and place_key(territory.district) != place_key(district):
        return False
    return bool(territory.city or not territory.province or province)


def narrowness(territory: Territory) -> int:
    """How narrow a territory is: a district 4, a city 2, a province 1, everywhere 0."""
    return 4 * bool(territory.district) + 2 * bool(territory.city) + bool(territory.province)
