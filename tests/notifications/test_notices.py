"""An e-mail is looked at again when it is sent: what is no longer so isn't said. What is stored of it, and names."""

import json
from dataclasses import replace

import pytest

from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic, Fact, Link
from integrations.notifications.notices import EmailPayload, InvitationUnchanged, ResultUnchanged, first_name
from integrations.outbox.models.effect import Effect
from tests.notifications.outgoing import notify, send_all
from tests.support import factories


def uncertain(organization, **changes):
    """Return an uncertain invitation."""
    return factories.InvitationFactory.create(organization=organization, status="uncertain", **changes)


def notify_uncertain(invitation):
    """Enqueue the notice that an invitation is uncertain."""
    notify(
        invitation.organization,
        EmailTopic.INVITATION_UNCERTAIN,
        str(invitation.pk),
        subject="the invitation was possibly sent",
        lines=[f"Look for invitation {invitation.pk}."],
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
    )


def test_a_notice_that_still_holds_names_the_candidate(organization, super_admin):
    notify_uncertain(uncertain(organization, candidate_name="Candidate Birch", role_title="Chef"))
    [message] = send_all()
    assert message.subject == "Birch: the invitation was possibly sent"
    assert message.body.startswith("Candidate Birch · Chef\n\nLook for invitation")


@pytest.mark.parametrize("now", ["invited", "uncertain again", "deleted"])
def test_a_notice_that_no_longer_holds_is_not_sent(organization, super_admin, now):
    invitation = uncertain(organization)
    notify_uncertain(invitation)
    if now == "deleted":
        Effect.objects.update(invitation=None)
        invitation.delete()
    elif now == "invited":
        invitation.move("invited", instance_id="instance-1")
    else:
        for status in ("pending", "sending", "uncertain"):
            invitation.move(status)
    assert send_all() == []
    effect = Effect.objects.get(kind="send_email")
    assert effect.state == "cancelled"
    assert "no longer true" in effect.last_error


def test_nothing_about_candidates_goes_to_an_address_that_someone_left_in_lever(
    organization, super_admin, limited_member
):
    Membership.objects.filter(user=limited_member).update(gets_problems=True)
    limited = Membership.objects.get(user=limited_member)
    row = uncertain(organization)
    notify_uncertain(row)
    factories.on_candidate(organization, row.opportunity_id, limited.address)
    Membership.objects.filter(pk=limited.pk).update(address="former@acme.example")
    assert limited_member.email not in [message.to[0] for message in send_all()]
    assert Effect.objects.get(kind="send_email").state == "done"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Alder Birch", "Alder"),
        ("Dr. Alder Birch", "Alder"),
        ("Candidate Alder", "Alder"),
        ("Alder, B.", "Alder"),
        ("Candidate", "Candidate"),
        ("  ", "A candidate"),
    ],
)
def test_a_first_name_is_the_first_word_that_is_no_title(name: str, first: str) -> None:
    assert first_name(name) == first


FULL = EmailPayload(
    subject="the invitation bounced",
    lines=("One.", Fact("Score", "82"), Link("Two", "http://testserver/")),
    holds_while=InvitationUnchanged(7, "uncertain", "2026-11-24T12:00:00+00:00"),
    recipients=("a@portal.example", "b@portal.example"),
    requested="role",
    sent_to=("a@portal.example",),
)


@pytest.mark.parametrize(
    "payload", [EmailPayload(), FULL, replace(FULL, holds_while=ResultUnchanged(7, "Passed"))]
)
def test_a_payload_is_the_same_after_a_round_trip(payload):
    assert EmailPayload.from_json(json.loads(json.dumps(payload.to_json()))) == payload
    assert EmailPayload.from_json({}) == EmailPayload(), "what is missing has its default"
