"""One act in front of a candidate's page, by the reason and by the person's role; the others behind “More”."""

import re

import pytest
from django.urls import reverse

from integrations.core.act import Act
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.members.models.membership import Membership
from integrations.pages.candidate.card import card_of_candidate
from integrations.pages.candidate.offer import offer
from integrations.pages.candidate.rows import CandidateRows
from tests.pages.activity.test_candidate_filters import candidate
from tests.support.page_text import text

ROLES = Membership.Role


def offered(organization, role, opportunity_id="o-alder"):
    rows = CandidateRows(organization, opportunity_id)
    return offer(rows, card_of_candidate(rows), Membership(organization=organization, role=role))


@pytest.mark.parametrize("verdict", [code for code in VerdictCode if code.record.act])
def test_the_act_that_fits_the_reason_is_in_front_or_others_are_asked(organization, verdict):
    candidate(organization, "Alder", verdict)
    for role in ROLES.values:
        act, found = verdict.record.act, offered(organization, role)
        may = not act.record.needs or getattr(Membership(role=role), act.record.needs)
        assert (found.front.act if found.front else None) == (act if may else None), role
        assert found.ask == (None if may else act), role
        assert act not in {button.act for button in found.more}, role


@pytest.mark.parametrize("status", InvitationStatus)
def test_an_invitations_acts_are_offered_once_to_who_may(organization, status):
    candidate(organization, "Alder", "invite", status)
    for role in ROLES.values:
        found = offered(organization, role)
        shown = [button.act for button in filter(None, [found.front, *found.more])]
        may_act = role in {ROLES.SUPER_ADMIN, ROLES.ADMIN}
        expected = set(status.record.allows) if may_act else set()
        assert set(shown) - {Act.PREVIEW} == expected, role
        assert len(shown) == len(set(shown)), role
        assert found.ask == (None if may_act else status.record.act), role
        assert found.takes_reason == any(button.act.record.posts for button in found.more), role


def test_a_role_without_an_assessment_leads_to_the_mapping_with_the_role_filled_in(
    organization_admin_client, organization
):
    row = candidate(organization, "Alder", "no_assessment")
    row.role_title = "Product Designer"
    row.save()
    page = text(organization_admin_client.get("/activity/o-alder/"))
    link = re.search(
        r'<a class="button primary" href="([^"]+)">Choose an assessment for Product Designer<', page
    )
    assert link
    form = text(organization_admin_client.get(link[1].replace("&amp;", "&")))
    assert "Product Designer" in form
    assert 'value="/activity/o-alder/"' in form  # it leads back


def test_a_decision_can_be_made_again_by_the_rules_of_now(organization):
    row = candidate(organization, "Alder", "no_email")
    urls = {button.act: button.url for button in offered(organization, ROLES.ADMIN).more}
    assert urls[Act.INVITE] == reverse("delivery-replay", args=[row.delivery_id])
    assert Act.INVITE not in {button.act for button in offered(organization, ROLES.TEAM_MEMBER).more}


def test_nothing_is_offered_once_the_data_is_erased_for_good(organization):
    candidate(organization, "Alder", "no_assessment")
    organization.erasures.create(opportunity_id="o-alder", cause="deleted")
    found = offered(organization, ROLES.SUPER_ADMIN)
    assert (found.front, found.ask, found.more) == (None, None, ())
