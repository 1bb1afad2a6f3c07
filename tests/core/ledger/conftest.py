"""An office whose books take whatever a test posts."""

from __future__ import annotations

import pytest

from bo.core import office
from bo.core.kernel.command import Registry
from tests.core.money_office import MoneyOffice

BOOKS = "tests.core.ledger.books"


def with_books(money: MoneyOffice) -> MoneyOffice:
    money.ws.registry = Registry((*office.MODULES, "tests.core.deeds", BOOKS), office.NOUNS)
    return money


@pytest.fixture
def books(money: MoneyOffice) -> MoneyOffice:
    return with_books(money)
