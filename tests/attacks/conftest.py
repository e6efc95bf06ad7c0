"""Two organizations with their Super Admins: one attacks the other."""

import pytest

from tests.attacks.invitations import Owner, owner_of


@pytest.fixture
def acme(db) -> Owner:
    return owner_of("Acme")


@pytest.fixture
def globex(db) -> Owner:
    return owner_of("Globex")
