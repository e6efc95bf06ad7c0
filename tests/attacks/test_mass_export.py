"""Taking out everybody's names and addresses leaves a trace, which names nobody."""

import pytest

from integrations.audit.models.entry import AuditAction
from tests.support import factories
from tests.support.factories import recorded


@pytest.mark.parametrize(
    ("address", "name", "lines"),
    [
        ("/candidates/export/", "candidates", 1),
        ("/candidates/export/?q=Alder", "candidates", 1),
        ("/audit/export/", "audit log", 4),
        ("/reports/export/", "report", 0),
    ],
)
def test_an_export_is_recorded_with_what_and_how_many(super_admin_client, super_admin, address, name, lines):
    organization = super_admin.memberships.get().organization
    factories.CandidateFactory.create(organization=organization, name="Alder Grey", email="alder@x.example")
    answer = super_admin_client.get(address)
    assert answer.getvalue().count(b"\r\n") > lines
    entry = recorded().get()
    assert (entry.action, entry.actor) == (AuditAction.EXPORT_LIST, super_admin)
    assert (entry.changes["list"][1], entry.changes["lines"][1]) == (name, lines)
    assert "Alder" not in str(entry.changes)
