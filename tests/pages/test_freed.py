"""Whoever removes what kept candidates from being invited is told how many, and invites them with one click more."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from integrations.catalog import lists
from integrations.catalog.models import RoleMapping
from integrations.clients import provider
from integrations.core.act import Act
from integrations.invitations.models.candidate import Candidate
from integrations.pages.activity.candidate_filters import CORRECTABLE_REASON, FREED_REASON, REASONS
from tests.inbox.test_today import CANDIDATES, end_reason
from tests.support.page_text import text


@pytest.fixture
def hazel(scenario):
    """A candidate who wasn't invited: the role has no assessment."""
    lever = provider.lever_client(scenario.organization)
    lists.refresh_roles(scenario.organization, lever)
    lists.refresh_assessments(scenario.organization, provider.codescreen_client(scenario.organization))
    assert scenario.enter("Hazel").verdict == "no_assessment"
    return Candidate.objects.get(name="Candidate Hazel")


def save_mapping(client, role):
    """Give the role an assessment. Return the answer, whose page has the messages."""
    answer = client.post(reverse("mapping-add"), {"role": role, "assessment": "Backend"})
    assert answer.status_code == 302, text(answer)
    return answer


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_saving_a_mapping_frees_a_candidate_who_is_invited_with_one_click(
    scenario, hazel, organization_admin_client
):
    client = organization_admin_client
    link = f"{reverse('candidates-bulk')}?act=invite&candidate={hazel.pk}"
    assert client.get(link).context["rows"] == []
    scenario.set_policies(paused=True)
    assert len(said(save_mapping(client, hazel.role_title))) == 1  # nobody is freed during a pause
    page = client.post(reverse("resume"), follow=True)
    assert f"1 candidate was not invited because “{hazel.role_title}” had no assessment. <a" in text(page)
    assert f'<a href="{link}">Invite them</a>'.replace("&", "&amp;") in text(page)
    assert len(said(save_mapping(client, "Data Engineer"))) == 1  # who was free before isn't told again
    question = client.get(link)
    assert [row.candidate for row in question.context["rows"]] == [hazel]
    assert "it has one now" in text(question)
    answer = client.post(reverse("candidates-bulk"), {"act": "invite", "row": hazel.pk})
    assert said(answer) == ["“Invite”: done for 1."]
    scenario.work()
    hazel.refresh_from_db()
    assert hazel.invitation is not None
    assert hazel.invitation.status == "invited"


def test_the_row_offers_to_choose_an_assessment_while_the_role_has_none(hazel, organization_admin_client):
    button, page = ">Choose an assessment<", reverse("activity")
    assert button in text(organization_admin_client.get(page))
    # what stops them now is something else
    RoleMapping.objects.create(
        organization=hazel.organization, role=hazel.role_title, assessment="Removed one"
    )
    answer = organization_admin_client.get(page)
    [row] = answer.context["rows"]
    assert button not in text(answer)
    assert row.standing.next in text(answer)


def reasons(client, candidate) -> set[str]:
    """Return the reasons that list, overview, page and Preview have for a candidate: one where they agree."""
    overview = [part.text for item in client.get("/").context["attention"] for part in item.parts]
    listed = [
        code
        for code in REASONS
        if code != CORRECTABLE_REASON and client.get("/activity/", {"reason": code}).context["page"]
    ]
    (row,) = client.get("/activity/", {"view": "not_invited"}).context["rows"]
    card = client.get(f"/activity/{candidate.opportunity_id}/").context["card"]
    decision = client.get("/preview/", {"candidate": candidate.opportunity_id}).context["answer"]["decision"]
    is_invite = decision.verdict == "invite"
    assert row.is_freed == card.is_freed
    assert row.explanation == card.why
    # what nobody can correct isn't counted
    counted = [f"1 {REASONS[code]}" for code in listed if code not in {"archived", "origin_excluded"}]
    assert overview == counted
    return {
        *listed,
        FREED_REASON if row.is_freed else card.record.code,
        FREED_REASON if is_invite else decision.verdict,
    }


@pytest.mark.slow
@pytest.mark.parametrize("code", ["no_assessment", "archived"])
def test_list_overview_page_and_preview_agree_before_and_after(scenario, organization_admin_client, code):
    scenario.enter(CANDIDATES[code])
    candidate = Candidate.objects.get()
    client = organization_admin_client
    assert reasons(client, candidate) == {code}
    if code == "no_assessment":
        scenario.set_policies(default_assessment="Nothing like it")
        assert reasons(client, candidate) == {"unknown_assessment"}
    end_reason(scenario, code)
    assert reasons(client, candidate) == {FREED_REASON}
    offer = client.get(f"/activity/{candidate.opportunity_id}/").context["offer"]
    assert offer.front.act == Act.INVITE


def test_a_page_agrees_with_a_preview_that_read_a_correction_in_lever(scenario, organization_admin_client):
    delivery = scenario.enter("Nyssa")
    scenario.correct("Nyssa", "nyssa@candidates.example")
    page = f"/activity/{delivery.opportunity_id}/"
    assert not organization_admin_client.get(page).context["card"].is_freed
    organization_admin_client.get("/preview/", {"candidate": delivery.opportunity_id})
    card = organization_admin_client.get(page).context["card"]
    assert card.why.startswith(
        "The candidate had no e-mail address when they entered the stage; they have one now."
    )
