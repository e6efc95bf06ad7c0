"""Migrations can be reversed and applied again, and leave the same tables."""

import pytest
from django.core.management import call_command
from django.db import connection

from integrations.models import Organization
from tests import factories


def _tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("integrations_")}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_migration_is_reversed_and_applied_again() -> None:
    before = _tables()
    assert before
    try:
        call_command("migrate", "integrations", "zero", verbosity=0)
        assert not _tables()
    finally:
        call_command("migrate", "integrations", verbosity=0)
    assert _tables() == before
    organization = factories.OrganizationFactory.create()
    assert Organization.objects.get() == organization
