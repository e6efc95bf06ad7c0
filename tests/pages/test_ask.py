"""A member asks those who may do what they may not: one e-mail a day about a candidate, audited, its progress shown."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.core.act import Act
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import SENT_ALREADY, names_of, send_request
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.at_once import run_at_once
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.page_text import text

ASK = "/ask/"
CANDIDATE = {"act": "choose_assessment", "candidate": "lilac"}


@pytest.fixture
def lilac(organization):
    """A candidate whose role has no assessment."""
    return factories.CandidateFactory.create(
        organization=organization, opportunity_id="lilac", name="Candidate Lilac", role_title="Designer"
    )


@pytest.fixture
def admin(organization):
    return factories.member(organization, Membership.Role.ADMIN, "admin")


@pytest.mark.usefixtures("lilac")
def test_all_who_may_act_get_one_email_about_the_candidate(
    team_member_client, super_admin, admin, team_member
):
    page = text(team_member_client.post(ASK, CANDIDATE, follow=True))
    assert f"{admin} and {super_admin} will get an e-mail from you." in page
    message, another = sent_emails()
    assert sorted([message.to, another.to]) == sorted([[super_admin.email], [admin.email]])
    assert message.subject == f"Lilac: {team_member} asks you to choose an assessment for the role"
    assert "Candidate Lilac · Designer" in str(message.body)
    assert "http://testserver/activity/lilac/" in str(message.body)
    assert "List-Unsubscribe" not in message.extra_headers
    entry = recorded().get()
    assert (entry.actor, entry.action) == (team_member, "ask")
    assert entry.reason == "choose an assessment for the role"
    assert "Lilac" not in str(Effect.objects.get().payload)  # the name is read when it is sent


def test_who_is_asked_to_end_a_pause_is_told_in_it(team_member_client, team_member, super_admin):
    Organization.objects.update(paused=True)
    page = text(team_member_client.post(ASK, {"act": "end_pause"}, follow=True))
    assert f"You asked {super_admin} at" in page
    [told] = sent_emails()
    assert (told.to, told.subject) == ([super_admin.email], f"{team_member} asks you to end the pause")


@pytest.mark.usefixtures("lilac", "super_admin")
def test_about_one_candidate_a_member_asks_once_a_day(team_member_client, organization):
    for act in ("choose_assessment", "invite"):
        page = text(team_member_client.post(ASK, {"act": act, "candidate": "lilac"}, follow=True))
    assert SENT_ALREADY in page
    factories.InvitationFactory.create(organization=organization, opportunity_id="another")
    team_member_client.post(ASK, {"act": "approve", "candidate": "another"})
    team_member_client.post(ASK, {"act": "end_pause"})
    assert Effect.objects.count() == recorded().count() == 3
    Effect.objects.update(created_at=timezone.now() - timedelta(hours=25))
    team_member_client.post(ASK, CANDIDATE)
    assert Effect.objects.count() == 4


@pytest.mark.usefixtures("super_admin")
def test_a_request_can_be_repeated_when_its_email_failed(team_member_client):
    team_member_client.post(ASK, {"act": "connect"})
    Effect.objects.update(state=Effect.State.FAILED, due_at=None)
    assert "will get an e-mail" in text(team_member_client.post(ASK, {"act": "connect"}, follow=True))


def test_who_lost_the_right_before_sending_gets_nothing(team_member_client, super_admin, admin):
    team_member_client.post(ASK, {"act": "approve"})
    Membership.objects.filter(user=admin).update(role=Membership.Role.TEAM_MEMBER)
    assert [message.to for message in sent_emails()] == [[super_admin.email]]


@pytest.mark.usefixtures("super_admin")
def test_once_the_asking_member_has_left_nothing_is_sent(team_member_client, team_member):
    team_member_client.post(ASK, {"act": "connect"})
    Membership.objects.filter(user=team_member).delete()
    assert not sent_emails()


@pytest.mark.usefixtures("super_admin")
@pytest.mark.parametrize("act", ["", "everything", "open_in_lever"])
def test_what_nobody_can_be_asked_for_is_refused(team_member_client, act):
    team_member_client.post(ASK, {"act": act})
    assert not Effect.objects.exists()


@pytest.mark.usefixtures("super_admin", "lilac")
def test_nobody_asks_about_a_candidate_that_they_cannot_see(limited_member_client, stranger_client):
    for client in (limited_member_client, stranger_client):
        assert "No such candidate here." in text(client.post(ASK, CANDIDATE, follow=True))
    assert not Effect.objects.exists()


def test_only_who_gets_the_email_is_named_on_the_button(team_member_client, super_admin, admin, organization):
    candidate(organization, "Alder", "no_assessment")
    assert f"Ask {admin} or {super_admin}</button>" in text(team_member_client.get("/activity/o-alder/"))
    admin.email = ""
    admin.save()
    assert f"Ask {super_admin}</button>" in text(team_member_client.get("/activity/o-alder/"))


@pytest.mark.parametrize(
    ("names", "said"), [("A", "A"), ("AB", "A or B"), ("ABC", "A, B or C"), ("ABCDE", "A, B, C or 2 others")]
)
def test_at_most_three_are_named(names, said):
    members = [Membership(user=User(first_name=name)) for name in names]
    assert names_of(members, "or") == said


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("super_admin")
def test_two_clicks_at_once_are_one_request(team_member):
    member = Membership.objects.get(user=team_member)
    refusals = run_at_once(lambda: send_request(member, Act.CONNECT))
    assert Effect.objects.count() == 1
    assert [(type(error), str(error)) for error in refusals] == [(ActionNotAllowed, SENT_ALREADY)] * 3
