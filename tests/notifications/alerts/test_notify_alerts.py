"""Which events are alerts, and to which addresses: once per address and event."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from integrations.health import incidents
from integrations.health.models import Incident
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.models.preferences import AlertAddress
from integrations.outbox.models import Effect
from tests.notifications.outgoing import notify
from tests.support import factories


def alerts(**columns):
    return Effect.objects.filter(kind="send_alert", **columns).order_by("pk")


def test_one_alert_per_address_and_event(organization, super_admin):
    first, second = (factories.alert_address(organization, name=name) for name in "ab")
    for _ in range(2):
        notify(organization, EmailTopic.INCIDENT_BEGUN, "7")
    notify(organization, EmailTopic.INCIDENT_BEGUN, "8")
    assert [effect.payload["address"] for effect in alerts()] == [first.pk, second.pk] * 2


def test_alerts_are_sent_when_no_member_wants_the_email(organization):
    factories.alert_address(organization)
    notify(organization, EmailTopic.INCIDENT_BEGUN, "7")
    assert alerts().count() == 1
    assert not Effect.objects.filter(kind="send_email").exists()


@pytest.mark.parametrize(
    "topic",
    [EmailTopic.SUBMITTED, EmailTopic.INVITATION_FAILED],
)
def test_an_event_of_which_only_emails_tell_is_no_alert(organization, topic):
    factories.alert_address(organization)
    notify(organization, topic, "7")
    assert not alerts().exists()


def test_an_address_gets_only_its_topics_and_none_while_it_is_stopped(organization):
    only_results = factories.alert_address(organization, wants_held=False, wants_incidents=False)
    factories.alert_address(organization, name="stopped", stopped_at=factories.a_moment_ago())
    notify(organization, EmailTopic.INCIDENT_BEGUN, "7")
    assert not alerts().exists()
    notify(organization, EmailTopic.RESULT, "7")
    assert [effect.payload["address"] for effect in alerts()] == [only_results.pk]


def test_another_organization_gets_nothing(organization):
    factories.alert_address(factories.OrganizationFactory.create())
    notify(organization, EmailTopic.INCIDENT_BEGUN, "7")
    assert not alerts().exists()


def test_invitations_on_hold_are_their_own_topic(organization):
    factories.alert_address(organization, wants_results=False, wants_incidents=False)
    invitation = factories.InvitationFactory.create(organization=organization, status="held")
    incidents.update_incidents(organization)
    [begun] = alerts()
    assert (begun.payload["type"], begun.payload["phase"]) == ("held", "began")
    assert begun.payload["link"].endswith("/activity/?view=held")
    assert begun.payload["lines"] == [
        "1 candidate needs approval.",
        "An Admin sends or cancels their invitations.",
    ]
    alerts().update(attempts=1)
    type(invitation).objects.filter(pk=invitation.pk).update(status="withdrawn")
    incidents.update_incidents(organization)
    assert [effect.payload["phase"] for effect in alerts()] == ["began", "ended"]


def test_the_end_of_what_nobody_was_told_is_no_alert(organization):
    factories.alert_address(organization)
    invitation = factories.InvitationFactory.create(organization=organization, status="held")
    incidents.update_incidents(organization)
    type(invitation).objects.filter(pk=invitation.pk).update(status="withdrawn")
    incidents.update_incidents(organization)
    assert Incident.objects.get().ended_at
    assert alerts().count() == 1


def test_the_alert_of_a_result_holds_no_name(organization):
    factories.alert_address(organization)
    notify(
        organization,
        EmailTopic.RESULT,
        subject="Alder: Passed 82",
        lines=["Alder Birch: Passed 82"],
        variables={"candidate": "Alder Birch", "result": "Passed 82", "outcome": "Passed", "score": "82"},
        invitation=factories.InvitationFactory.create(
            organization=organization, candidate_name="Alder Birch"
        ),
    )
    [effect] = alerts()
    assert "Alder" not in str(effect.payload)
    assert effect.payload["result"] == "Passed 82"


@pytest.mark.parametrize(
    "columns", [{"kind": "other"}, {"wants_results": False, "wants_held": False, "wants_incidents": False}]
)
def test_an_address_that_cannot_be_used_is_not_stored(organization, columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.alert_address(organization, **{"url": "https://hooks.example/x", "host": "x", **columns})


def test_the_url_and_the_secret_are_encrypted_in_the_database(organization):
    factories.alert_address(organization, kind="signed", secret=factories.WEBHOOK_SECRET)
    stored = AlertAddress.objects.annotate(
        as_stored=Cast("url", TextField()), sealed=Cast("secret", TextField())
    )
    text = " ".join(stored.values_list("as_stored", "sealed").get())
    assert text.startswith("gAAAA")
    assert "hooks.example" not in text
    assert "whsec_" not in text
