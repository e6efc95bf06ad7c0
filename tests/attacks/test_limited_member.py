"""A Limited Team Member reads the candidates they are not on in Lever: by lists, search, counts, addresses, e-mails."""

import pytest
from django.urls import reverse

from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic
from tests.notifications.outgoing import notify
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.mailbox import sent_emails
from tests.support.page_text import text

OWN, OTHER = "Candidate Own", "Candidate Other"


@pytest.fixture
def candidates(ready_organization, limited_member):
    """Two candidates with a row of each kind; the member follows the first in Lever."""
    rows = {}
    for name, opportunity_id in ((OWN, "own"), (OTHER, "other")):
        row = candidate(
            ready_organization,
            name,
            "held_for_approval",
            "held",
            "Passed",
            opportunity_id=opportunity_id,
            role_title=f"Role of {name}",
        )
        factories.EffectFactory.create(
            organization=ready_organization,
            invitation=row.invitation,
            state="failed",
            due_at=None,
            last_error=f"An error about {name}.",
        )
        rows[name] = row
    factories.on_candidate(ready_organization, "own", limited_member.email)
    return rows


def test_lists_searches_and_files_show_the_own_candidates_alone(limited_member_client, candidates):
    for query in ("", "q=Candidate", "status=held", "view=attention"):
        page = text(limited_member_client.get(f"/activity/?{query}"))
        assert OWN in page, query
        assert OTHER not in page, query
    assert OTHER not in text(limited_member_client.get("/"))
    for wanted in ("other", OTHER, f"Role of {OTHER}", f"Why {OTHER}"):
        assert len(limited_member_client.get("/activity/", {"q": wanted}).context["page"]) == 0, wanted
    assert limited_member_client.get("/candidates/export/").status_code == 403


def test_counts_are_of_the_own_candidates(limited_member_client, team_member_client, candidates):
    for client, number in ((limited_member_client, 1), (team_member_client, 2)):
        context = client.get("/").context
        assert (context["waiting"].held, context["waiting"].failed_steps) == (number, number)
        assert context["today"][0].number == number


def test_being_on_a_candidate_of_another_organization_gives_nothing(
    limited_member, limited_member_client, candidates, stranger
):
    theirs = stranger.memberships.get().organization
    OpportunityPerson.objects.all().delete()
    factories.on_candidate(theirs, "own", limited_member.email)
    assert limited_member_client.get(reverse("candidate", args=["own"])).status_code == 404


def test_an_address_that_is_not_proven_gives_nothing(limited_member, limited_member_client, candidates):
    """An account whose address was changed to that of a colleague, without a link sent to it."""
    Membership.objects.filter(user=limited_member).update(address="somebody.else@acme.example")
    factories.on_candidate(candidates[OWN].organization, "own", "somebody.else@acme.example")
    assert limited_member_client.get(reverse("candidate", args=["own"])).status_code == 404
    Membership.objects.filter(user=limited_member).update(address="")
    limited_member.email = ""
    limited_member.save()
    factories.on_candidate(candidates[OWN].organization, "own", "x@acme.example")
    assert limited_member_client.get(reverse("candidate", args=["own"])).status_code == 404


def test_findings_name_no_candidate_to_them(limited_member_client, candidates):
    Invitation.objects.update(status="uncertain")
    page = limited_member_client.get("/")
    assert [item.title for item in page.context["attention"]] == [
        "Did 1 candidate get the invitation? We don't know.",
        "1 step failed",
    ]
    assert page.context["health"] is None


@pytest.mark.parametrize(("name", "is_told"), [(OWN, True), (OTHER, False)])
def test_e_mails_are_about_the_own_candidates_alone(
    ready_organization, super_admin, limited_member, candidates, name, is_told
):
    wants(limited_member)
    notify(ready_organization, EmailTopic.RESULT, invitation=candidates[name].invitation)
    reached = {message.to[0] for message in sent_emails()}
    assert (limited_member.email in reached) is is_told
    assert super_admin.email in reached


def test_an_incident_is_not_told_to_them(ready_organization, super_admin, limited_member, candidates):
    wants(limited_member)
    notify(ready_organization, EmailTopic.INCIDENT_BEGUN, lines=[OTHER])
    assert {message.to[0] for message in sent_emails()} == {super_admin.email}


def wants(user) -> None:
    """Let the member choose to get every kind of e-mail."""
    Membership.objects.filter(user=user).update(gets_results=True, gets_problems=True)
