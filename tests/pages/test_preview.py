"""The dry run: the verdict and effects of the real run, without writing anything."""

import re
from html import unescape

import pytest

from integrations.catalog import lists
from integrations.catalog.models import RoleMapping
from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.pages.preview import opportunity_id
from tests.support import factories
from tests.support.page_text import text

URL = "/preview/"
ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def mapped_organization(connected_organization):
    """A connected organization with copies of the lists and one mapping."""
    lists.refresh_stages(connected_organization, provider.lever_client(connected_organization))
    RoleMapping.objects.create(
        organization=connected_organization, role="Backend Engineer", assessment="Backend"
    )
    return connected_organization


def plain_stage(client) -> str:
    """Return the id of a stage that doesn't invite."""
    choices = client.get(URL).context["form"].fields["stage"].choices
    return next(pk for pk, name in choices if not name.startswith("CodeScreen"))


def row_counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Delivery, Effect, Invitation)}


@pytest.mark.parametrize(
    "written",
    [
        f"  {ID} ",
        f"https://hire.lever.co/candidates/{ID}?origin=x#notes",
        f"hire.lever.co/candidates/{ID}/",
        f"https://hire.lever.co/candidates/{ID}/feedback/77777777-2222-3333-4444-555555555555?x=1#top",
        f"https://hire.lever.co/opportunities/{ID}?stage=abc",
        f"https://hire.lever.co/#/candidates/{ID}?tab=notes",
        f"http://127.0.0.1:9/acme/candidates/{ID}/stage",
        f"https://portal.example/activity/{ID}/",
    ],
)
def test_a_link_or_an_id_names_the_candidate(written):
    assert opportunity_id(written) == ID


def test_an_invitation_is_shown_with_its_effects_and_nothing_but_the_calls_is_written(
    team_member_client, mapped_organization, sandbox, settings
):
    before, sent = row_counts(), sandbox.invitations_sent()
    called = set(ApiCall.objects.values_list("pk", flat=True))
    stage, candidate = sandbox.stage_id("CodeScreen Assessment"), sandbox.opportunity_id("Alder")
    answer = team_member_client.get(URL, {"candidate": candidate, "stage": stage})
    assert answer.context["answer"]["decision"].verdict == "invite"
    for words in ("The assessment is “Backend”", "Send invitation"):
        assert words in text(answer)
    assert row_counts() == before
    assert sandbox.invitations_sent() == sent
    calls = ApiCall.objects.exclude(pk__in=called)
    assert {call.opportunity_id for call in calls} == {candidate}  # by it they are erased with the candidate
    assert not calls.exclude(effect=None, delivery=None).exists()
    settings.LEVER_API_URL = "http://127.0.0.1:9/v1"
    answer = team_member_client.get(URL, {"candidate": candidate, "stage": stage})
    assert answer.status_code == 200
    assert "Try again when Lever and CodeScreen answer" in text(answer)


def test_a_stage_that_does_not_invite_would_do_nothing_but_withdraw_an_unstarted_invitation(
    team_member_client, mapped_organization, sandbox
):
    candidate = sandbox.opportunity_id("Alder")
    query = {"candidate": candidate, "stage": plain_stage(team_member_client)}
    answer = team_member_client.get(URL, query)
    assert answer.context["answer"]["decision"].verdict == "not_a_trigger_stage"
    assert "Nothing would be sent, and nothing written in Lever." in text(answer)
    invitation = factories.in_status(mapped_organization, "invited", opportunity_id=candidate)
    assert "The invitation is cancelled" in text(team_member_client.get(URL, query))
    invitation.refresh_from_db()
    assert invitation.status == "invited"


@pytest.mark.usefixtures("ready_organization")
@pytest.mark.parametrize(
    "query",
    [
        {"candidate": "", "stage": "stage-codescreen"},
        {"candidate": ID, "stage": "unheard-of"},
        {"candidate": "two words", "stage": "stage-codescreen"},
        {"candidate": "https://hire.lever.co/", "stage": "stage-codescreen"},
        {"candidate": "https://hire.lever.co/candidates/a b", "stage": "stage-codescreen"},
        {"candidate": "a" * 2000, "stage": "stage-codescreen"},
    ],
)
def test_invalid_input_is_rejected_at_its_field(team_member_client, query):
    answer = team_member_client.get(URL, query)
    assert answer.status_code == 200
    assert "answer" not in answer.context
    assert answer.context["form"].errors


@pytest.fixture
def two_robins(mapped_organization, sandbox):
    """Two candidates with the same first name."""
    for word in ("Alder", "Birch"):
        factories.CandidateFactory.create(
            organization=mapped_organization,
            opportunity_id=sandbox.opportunity_id(word),
            name=f"Robin {word}",
            email=f"{word.lower()}@candidates.example",
        )


@pytest.mark.usefixtures("two_robins")
def test_one_match_is_answered_and_several_are_listed(team_member_client, sandbox):
    stage = sandbox.stage_id("CodeScreen Assessment")
    answer = team_member_client.get(URL, {"candidate": "robin Alder", "stage": stage})
    assert answer.context["answer"]["candidate_id"] == sandbox.opportunity_id("Alder")
    page = team_member_client.get(URL, {"candidate": "Robin", "stage": stage})
    assert "answer" not in page.context
    assert {opportunity_id for opportunity_id, _, _ in page.context["matches"]} == {
        sandbox.opportunity_id("Alder"),
        sandbox.opportunity_id("Birch"),
    }
    chosen = re.findall(r'<a href="(\?[^"]+)">Robin Birch</a>', page.content.decode())
    answer = team_member_client.get(URL + unescape(chosen[0]))
    assert answer.context["answer"]["candidate_id"] == sandbox.opportunity_id("Birch")


def test_a_candidate_without_invitation_is_found_in_lever_by_address(
    team_member_client, mapped_organization, sandbox
):
    stage = sandbox.stage_id("CodeScreen Assessment")
    answer = team_member_client.get(URL, {"candidate": " Alder@candidates.example", "stage": stage})
    assert answer.context["answer"]["candidate_id"] == sandbox.opportunity_id("Alder")
    assert answer.context["answer"]["decision"].verdict == "invite"
    both = team_member_client.get(URL, {"candidate": "tamarack@candidates.example", "stage": stage})
    assert len(both.context["matches"]) == 2
    nobody = team_member_client.get(URL, {"candidate": "nobody@candidates.example", "stage": stage})
    assert "Nobody has this address" in str(nobody.context["form"].errors)
    assert not ApiCall.objects.filter(path__contains="candidates.example").exists()


def test_without_a_stage_the_one_that_the_candidate_entered_last_is_meant(
    team_member_client, mapped_organization, sandbox
):
    other, candidate = plain_stage(team_member_client), sandbox.opportunity_id("Alder")
    delivery = factories.DeliveryFactory.create(
        organization=mapped_organization, payload={"data": {"opportunityId": candidate, "toStageId": other}}
    )
    factories.CandidateFactory.create(
        organization=mapped_organization, opportunity_id=candidate, delivery=delivery
    )
    answer = team_member_client.get(URL, {"candidate": candidate})
    assert answer.context["answer"]["decision"].verdict == "not_a_trigger_stage"
