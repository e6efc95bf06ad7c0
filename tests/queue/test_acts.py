"""Poll all invitations of an organization at once."""

from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue.models.duty_run import Duty
from tests.support import duty_runs, factories


def test_polling_an_organization_returns_how_many_invitations_were_polled(connected_organization, sandbox):
    for status, instance in (("invited", "i1"), ("in_progress", "i2"), ("completed", "i3"), ("pending", "")):
        factories.InvitationFactory(organization=connected_organization, status=status, instance_id=instance)
    factories.InvitationFactory(status="invited", instance_id="i4")  # another organization's
    assert queue_acts.poll_organization(connected_organization) == 2
    assert queue_acts.poll_organization(connected_organization, everything=True) == 3


def test_a_key_refused_while_polling_is_marked_and_notified_once(connected_organization, sandbox):
    connected_organization.codescreen_connection.api_key = "wrong"
    connected_organization.codescreen_connection.save()
    for number in range(2):
        factories.InvitationFactory(
            organization=connected_organization, status="invited", instance_id=f"i{number}"
        )
    queue_acts.poll_organization(connected_organization)
    connected_organization.codescreen_connection.refresh_from_db()
    assert connected_organization.codescreen_connection.state == "refused"
    for _ in range(2):
        duty_runs.perform(Duty.UPDATE_INCIDENTS, connected_organization)
    assert Effect.objects.filter(kind="send_email").count() == 1
