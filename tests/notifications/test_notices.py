"""An e-mail is looked at again when it is sent: what is no longer so isn't said."""

import pytest

from integrations.members.models.membership import Membership
from integrations.notifications import payload
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.models.preferences import NotificationPreference
from integrations.notifications.payload import InvitationUnchanged
from integrations.outbox.models import Effect
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
        subject="The invitation was possibly sent",
        lines=[f"Look for invitation {invitation.pk}."],
        invitation=invitation,
        holds_while=InvitationUnchanged.of(invitation),
    )


def test_a_notice_that_still_holds_names_the_candidate(organization, super_admin):
    notify_uncertain(uncertain(organization, candidate_name="Candidate Birch", role_title="Chef"))
    [message] = send_all()
    assert message.subject == "Birch: the invitation was possibly sent"
    assert message.body.startswith("Candidate Birch · Chef\n\nLook for invitation")


def test_a_notice_that_no_longer_holds_is_not_sent(organization, super_admin):
    invitation = uncertain(organization)
    notify_uncertain(invitation)
    invitation.move("invited", instance_id="instance-1")
    assert send_all() == []
    effect = Effect.objects.get(kind="send_email")
    assert effect.state == "cancelled"
    assert "no longer true" in effect.last_error


def test_a_notice_about_an_earlier_uncertainty_is_not_sent(organization, super_admin):
    invitation = uncertain(organization)
    notify_uncertain(invitation)
    for status in ("pending", "sending", "uncertain"):
        invitation.move(status)
    assert send_all() == []


def test_a_notice_about_a_deleted_invitation_is_not_sent(organization, super_admin):
    invitation = uncertain(organization)
    notify_uncertain(invitation)
    Effect.objects.update(invitation=None)
    invitation.delete()
    assert send_all() == []


@pytest.mark.parametrize("resolved", [0, 1])
def test_a_digest_of_which_one_notice_holds_is_an_e_mail_about_that_one(organization, super_admin, resolved):
    invitations = [uncertain(organization, candidate_name=name) for name in ("Alder", "Birch")]
    for invitation in invitations:
        notify_uncertain(invitation)
    invitations[resolved].move("invited", instance_id="instance-1")
    [message] = send_all()
    names = ("Alder", "Birch")
    assert message.subject == f"{names[1 - resolved]}: the invitation was possibly sent"
    assert names[1 - resolved] in message.body
    assert names[resolved] not in message.body


def test_a_digest_says_only_what_still_holds(organization, super_admin):
    invitations = [uncertain(organization) for _ in range(3)]
    for invitation in invitations:
        notify_uncertain(invitation)
    invitations[0].move("invited", instance_id="instance-1")
    [message] = send_all()
    assert message.subject == "Several invitations were possibly sent"
    assert [f"invitation {row.pk}." in message.body for row in invitations] == [False, True, True]


@pytest.fixture
def own_only(organization, team_member):
    """A Team Member who wants e-mails about their own candidates alone."""
    member = Membership.objects.get(user=team_member)
    member.only_own_emails = True
    member.save()
    NotificationPreference.objects.create(membership=member, kind="attention", is_wanted=True)
    return member


def told(member) -> list[str]:
    return [message.body for message in send_all() if message.to == [member.user.email]]


def test_who_wants_their_own_candidates_alone_gets_that_part_of_a_digest(organization, super_admin, own_only):
    rows = [uncertain(organization, candidate_name=name) for name in ("Alder", "Birch", "Cedar")]
    for row in rows:
        notify_uncertain(row)
    for row in rows[:2]:
        factories.on_candidate(organization, row.opportunity_id, own_only.lever_address)
    [body] = told(own_only)
    assert [row.candidate_name in body for row in rows] == [True, True, False]
    assert "notifications" in body or "unsubscribe" in body


def test_who_wants_only_what_no_longer_fitted_is_told_how_many_there_are(
    organization, super_admin, own_only, monkeypatch
):
    monkeypatch.setattr(payload, "MAX_DIGEST_LINES", 4)
    rows = [uncertain(organization, candidate_name=name) for name in ("Alder", "Birch", "Cedar")]
    for row in rows:
        notify_uncertain(row)
    factories.on_candidate(organization, rows[2].opportunity_id, own_only.lever_address)
    own, everybody = sorted(send_all(), key=lambda message: len(message.body))
    assert own.subject == everybody.subject == "Several invitations were possibly sent"
    assert [message.body.count("And 1 more") for message in (own, everybody)] == [1, 1]
    assert ("Alder" in own.body, "Cedar" in own.body) == (False, False)


def test_who_is_on_none_of_the_candidates_gets_no_e_mail(organization, super_admin, own_only):
    notify_uncertain(uncertain(organization))
    assert told(own_only) == []
    assert Effect.objects.get(kind="send_email").state == "done"


def test_what_is_about_no_single_candidate_reaches_them(organization, super_admin, own_only):
    notify(organization, EmailTopic.INCIDENT_BEGUN, subject="A problem", lines=["What it is."])
    assert len(told(own_only)) == 1


def test_nothing_about_candidates_goes_to_an_address_that_someone_left_in_lever(
    organization, super_admin, own_only
):
    row = uncertain(organization)
    notify_uncertain(row)
    factories.on_candidate(organization, row.opportunity_id, own_only.address)
    Membership.objects.filter(pk=own_only.pk).update(address="former@acme.example")
    assert told(own_only) == []
