"""Choosing an assessment for a candidate who got none."""

from html import unescape

import pytest
from django.urls import reverse

from integrations.catalog.models import Assessment
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate
from tests.support.factories import recorded
from tests.support.page_text import text

HAZEL = "hazel@candidates.example"


@pytest.fixture
def hazel(scenario):
    """A candidate who got no assessment."""
    scenario.enter("Hazel")
    return Candidate.objects.get(delivery__verdict="no_assessment")


def page_of(one):
    return f"{reverse('candidates-bulk')}?act=decide&candidate={one.pk}"


def invite(client, one, assessment="Backend", **form):
    listed = Assessment.objects.filter(name=assessment).values_list("external_id", flat=True).first()
    form |= {"act": "decide", "row": one.pk, "assessment": listed or assessment}
    form["next"] = reverse("candidate", args=[one.opportunity_id])
    return client.post(reverse("candidates-bulk"), form, follow=True)


def test_the_assessment_that_an_admin_chooses_is_sent(organization_admin_client, hazel, scenario, sandbox):
    page = text(organization_admin_client.get(reverse("candidate", args=[hazel.opportunity_id])))
    assert page_of(hazel).replace("&", "&amp;") in page
    page = text(organization_admin_client.get(page_of(hazel)))
    for words in ("Candidate Hazel", "Backend", "Data Engineer", "CodeScreen e-mails them the assessment"):
        assert words in page, words
    page = text(invite(organization_admin_client, hazel, reason="Planned."))
    assert "done for 1." in page
    assert "Being decided" in page
    assert "chose to invite the candidate" in page
    entry = recorded().get(action="invite_candidate")
    assert (entry.reason, entry.changes) == ("Planned.", {"assessment": ["", "Backend"]})
    scenario.work()
    assert sandbox.invitations_sent(HAZEL) == 1
    verdict = hazel.delivery.verdicts.get(is_current=True)
    assert (verdict.code, verdict.cause, verdict.assessment_source) == ("invite", "chosen", "choice")
    assert verdict.explanation == "The assessment is “Backend”, because of an Admin's choice."


def test_the_chosen_assessment_is_sent_to_who_could_not_be_sent_another(
    organization_admin_client, scenario, sandbox
):
    scenario.codescreen_fails(status=422)
    scenario.enter("Alder")
    alder = Candidate.objects.get(invitation__status="failed")
    invite(organization_admin_client, alder, "Data Engineer")
    scenario.work()
    sent = Invitation.objects.exclude(instance_id="")
    assert list(sent.values_list("assessment_name", flat=True)) == ["Data Engineer"]


def test_what_codescreen_does_not_list_is_not_chosen(organization_admin_client, hazel):
    page = text(invite(organization_admin_client, hazel, "nonsense"))
    assert "CodeScreen no longer has this assessment." in page
    assert not recorded().filter(action="invite_candidate").exists()


@pytest.mark.parametrize(
    ("verdict", "status", "why"),
    [
        ("held_for_approval", "held", "is on hold: use “Send those on hold”."),
        ("invite", "invited", "already has “Backend”: invited, not started."),
        ("invite", "completed", "already has “Backend”: completed."),
        ("paused", "", "This candidate waits, and is decided automatically."),
        ("anonymized", "", "The person's data was removed."),
    ],
)
def test_who_cannot_be_invited_is_told_with_the_reason(
    organization_admin_client, organization, verdict, status, why
):
    one = candidate(organization, "Alder", verdict, status)
    assert "Nothing is ticked" in text(organization_admin_client.get(page_of(one)))
    assert why in unescape(text(invite(organization_admin_client, one)))
    assert Invitation.objects.count() == bool(status)
