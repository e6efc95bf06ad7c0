"""Every verdict has a next step, on the candidate's page and in a note in Lever if a recruiter can act there."""

from html import unescape

import pytest
from django.urls import reverse

from integrations.case.texts import what_brings_back
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.verdict import next_step
from tests.pages.activity.test_candidate_filters import invited
from tests.support.page_text import text

#: Which verdicts leave a note in Lever; elsewhere nobody can act there, the portal decides again, or a tag says it.
NOTED = {
    "contact_not_allowed",
    "no_assessment",
    "unknown_assessment",
    "ambiguous_assessment",
    "origin_excluded",
    "no_email",
    "invited_elsewhere",
}


def test_a_note_is_left_where_a_recruiter_can_act_in_lever():
    assert {code for code in VerdictCode if code.record.leaves_note} == NOTED


@pytest.mark.parametrize("status", ["pending", "invited", "withdrawn"])
def test_the_next_step_follows_the_invitation_when_a_held_one_was_approved_or_refused(
    super_admin_client, organization, status
):
    invitation = invited(organization, "Alder", status, verdict="held_for_approval", opportunity_id="o")
    invitation.instance_id = "i"
    invitation.save()
    page = unescape(text(super_admin_client.get(reverse("candidate", args=["o"]))))
    is_cancelled = status == "withdrawn"
    step = what_brings_back(invitation) if is_cancelled else next_step("held_for_approval", invitation)
    assert step in page
    assert next_step("held_for_approval") not in page


def test_who_was_invited_elsewhere_has_a_link_to_that_invitation_in_lever_and_on_the_page(
    scenario, sandbox, super_admin_client
):
    for role in ("Backend Engineer", "Frontend Engineer"):
        scenario.organization.role_mappings.create(role=role, assessment="Backend")
    first = scenario.enter("Tamarack")
    delivery = scenario.enter("Tamarack again")
    assert delivery.verdict == "invited_elsewhere"
    [note] = sandbox.opportunity("Tamarack again")["note_texts"]
    said, _, where = note.partition("\n")
    step = f"{next_step(delivery.verdict)} That page: http://testserver/activity/{first.opportunity_id}/"
    assert said == f"CodeScreen: no assessment was sent. {delivery.explanation} {step}"
    assert where.endswith(f"/activity/{delivery.opportunity_id}/")
    assert "@" not in note
    assert "tamarack" not in note.casefold()
    page = super_admin_client.get(f"/activity/{delivery.opportunity_id}/").content.decode()
    assert f'<a href="/activity/{first.opportunity_id}/">See that invitation</a>' in page
