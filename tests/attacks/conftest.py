"""Two organizations: one attacks the other."""

import pytest

from tests.support import factories


@pytest.fixture
def acme(db):
    return factories.OrganizationFactory.create(slug="acme", name="Acme")


@pytest.fixture
def globex(db):
    return factories.OrganizationFactory.create(slug="globex", name="Globex")
