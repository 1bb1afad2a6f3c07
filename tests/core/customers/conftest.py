"""The same office as for leads."""

from __future__ import annotations

from tests.core.leads.conftest import brand as brand
from tests.core.leads.conftest import scene as scene
