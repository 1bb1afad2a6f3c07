"""The same offices as for leads and for orders."""

from __future__ import annotations

from tests.core.kernel.conftest import new_database as new_database
from tests.core.leads.conftest import brand as brand
from tests.core.leads.conftest import scene as scene
from tests.core.orders.desk import desk as desk
from tests.core.orders.desk import desk_template as desk_template
