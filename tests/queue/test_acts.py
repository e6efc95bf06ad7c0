"""Poll all invitations of an organization at once."""

from integrations.queue import acts as queue_acts
from tests.support import factories


def test_polling_an_organization_returns_how_many_invitations_were_polled(connected_organization, sandbox):
    for status, instance in (("invited", "i1"), ("in_progress", "i2"), ("completed", "i3"), ("pending", "")):
        factories.InvitationFactory(organization=connected_organization, status=status, instance_id=instance)
    factories.InvitationFactory(status="invited", instance_id="i4")  # another organization's
    assert queue_acts.poll_organization(connected_organization) == 2
    assert queue_acts.poll_organization(connected_organization, everything=True) == 3
