"""The same shop as for stock."""

from __future__ import annotations

from tests.core.inventory.conftest import shop as shop
from tests.core.inventory.conftest import shop_template as shop_template
