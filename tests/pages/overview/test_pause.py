"""The buttons that pause sending and resume it."""

from integrations.audit.models.entry import AuditEntry
from integrations.inbox.models.delivery import Delivery
from tests.support import factories


def test_an_admin_ends_the_pause_and_what_waited_is_due(organization_admin_client, ready_organization):
    ready_organization.paused = True
    ready_organization.save()
    delivery = factories.DeliveryFactory.create(
        organization=ready_organization,
        verdict="paused",
        decided_at=ready_organization.created_at,
        due_at=None,
    )
    assert "Resume" in organization_admin_client.get("/").content.decode()
    answer = organization_admin_client.post("/resume/")
    assert answer["Location"] == "/"
    ready_organization.refresh_from_db()
    assert not ready_organization.paused
    assert Delivery.objects.due().get() == delivery
    (entry,) = AuditEntry.objects.filter(action="change_policies")
    assert entry.changes == {"paused": [True, False]}
    assert 'action="/resume/"' not in organization_admin_client.get("/").content.decode()


def test_an_admin_pauses_with_one_button_and_can_undo_it(organization_admin_client, ready_organization):
    assert 'action="/pause/"' not in organization_admin_client.get("/").content.decode()
    factories.CandidateFactory.create(organization=ready_organization)
    assert 'action="/pause/"' in organization_admin_client.get("/").content.decode()
    page = organization_admin_client.post("/pause/", follow=True).content.decode()
    assert "Paused. Nothing is sent until somebody presses “Resume”." in page
    assert 'action="/resume/"' in page
    assert 'action="/pause/"' not in page
    ready_organization.refresh_from_db()
    assert ready_organization.paused
    assert AuditEntry.objects.get(action="change_policies").changes == {"paused": [False, True]}
    assert "Already paused." in organization_admin_client.post("/pause/", follow=True).content.decode()
    assert AuditEntry.objects.filter(action="change_policies").count() == 1


def test_the_pause_is_ended_although_another_stored_policy_is_invalid(
    organization_admin_client, ready_organization
):
    ready_organization.paused, ready_organization.time_zone = True, "Mars/Phobos"
    ready_organization.save()
    page = organization_admin_client.post("/resume/", follow=True).content.decode()
    assert "The pause has ended." in page
    ready_organization.refresh_from_db()
    assert not ready_organization.paused


def test_nothing_changes_when_the_pause_had_ended(organization_admin_client, ready_organization):
    page = organization_admin_client.post("/resume/", follow=True).content.decode()
    assert "had ended already" in page
    assert not AuditEntry.objects.filter(action="change_policies").exists()
