"""Every verdict has a next step: on the candidate's page, under Candidates, and in a note in Lever if it is fixable."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.case.texts import what_brings_back
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from tests.support import factories
from tests.support.waits import work_through_waits

STAGE = "CodeScreen Assessment"
VERDICTS_WITH_A_NOTE = {code for code in VerdictCode if code.record.leaves_note}

#: Why no note is left in Lever.
NOT_NOTED = {
    "test_request": "it is about nobody",
    "ignored_event": "it is about nothing the portal does",
    "erased": "nobody can act",
    "not_a_trigger_stage": "nobody expected an assessment",
    "paused": "it is decided again automatically",
    "disconnected": "nothing can be written, and it is decided again automatically",
    "not_visible": "Lever doesn't show the candidate",
    "anonymized": "nobody can act",
    "entered_before": "it is from before, and an Admin acts in the portal",
    "left_stage": "the recruiter has just moved them on",
    "archived": "the recruiter has just archived them",
    "already_invited": "the progress tag says how it stands",
    "held_for_approval": "an Admin acts in the portal",
    "invite": "the progress tag follows",
    "noted": "it is CodeScreen's and changes nothing",
}
#: The seeded candidate that gets each of these verdicts.
CANDIDATE_FOR = {"no_email": "Nyssa", "unknown_assessment": "Ginkgo", "archived": "Pine", "invite": "Alder"}

#: The verdict of a second stage change, where it differs.
AGAIN = {"invite": "already_invited"}


def text(answer) -> str:
    return " ".join(unescape(answer.content.decode()).split())


def test_every_verdict_has_a_next_step_and_is_noted_or_exempt():
    assert set(VerdictCode) == VERDICTS_WITH_A_NOTE | set(NOT_NOTED)
    assert not VERDICTS_WITH_A_NOTE & set(NOT_NOTED)


@pytest.mark.parametrize("code", list(Delivery.VerdictCode))
def test_a_verdict_is_shown_with_explanation_and_next_step_on_each_page(
    super_admin_client, organization, code
):
    status = "held" if code == "held_for_approval" else "pending"
    invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id="somebody", status=status
    )
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="somebody",
        verdict=code,
        explanation=f"This is why it is {code}.",
        decided_at=timezone.now(),
        due_at=None,
        invitation=invitation,
    )
    label = str(Delivery.VerdictCode(code).label)
    page = text(super_admin_client.get(f"{reverse('candidate', args=['somebody'])}?show=technical"))
    for words in (f"This is why it is {code}.", next_step(code), label):
        assert words in page


@pytest.mark.parametrize("status", ["pending", "invited", "withdrawn"])
def test_the_next_step_follows_the_invitation_when_a_held_one_was_approved_or_refused(
    super_admin_client, organization, status
):
    invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id="somebody", status=status, instance_id="i"
    )
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="somebody",
        verdict="held_for_approval",
        decided_at=timezone.now(),
        due_at=None,
        invitation=invitation,
    )
    is_cancelled = status == "withdrawn"
    step = what_brings_back(invitation) if is_cancelled else next_step("held_for_approval", invitation)
    page = text(super_admin_client.get(reverse("candidate", args=["somebody"])))
    assert step in page
    assert next_step("held_for_approval") not in page


@pytest.fixture
def enter(connected_organization, sandbox):
    """Return a function that moves a candidate into the stage and returns the decided delivery."""

    def move(word: str) -> Delivery:
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=STAGE)
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(STAGE)}
        delivery = factories.DeliveryFactory.create(
            organization=connected_organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={"event": "candidateStageChange", "data": data},
        )
        work_through_waits()
        delivery.refresh_from_db()
        return delivery

    return move


def assert_noted_once(sandbox, word: str, delivery: Delivery, link: str = "") -> None:
    """Check that the candidate has one note with explanation, next step and link, and without personal data."""
    [note] = sandbox.opportunity(word)["note_texts"]
    said, _, where = note.partition("\n")
    step = f"{next_step(delivery.verdict)}{link}"
    assert said == f"CodeScreen: no assessment was sent. {delivery.explanation} {step}"
    assert where.endswith(f"/activity/{delivery.opportunity_id}/")
    assert "@" not in note
    assert word.casefold() not in note.casefold()


@pytest.mark.parametrize("code", CANDIDATE_FOR)
def test_only_fixable_verdicts_leave_one_note_in_lever(enter, sandbox, code):
    word = CANDIDATE_FOR[code]
    for _ in range(2):
        delivery = enter(word)
        assert delivery.verdict in {code, AGAIN.get(code, code)}
    if code in VERDICTS_WITH_A_NOTE:
        assert_noted_once(sandbox, word, delivery)
    else:
        assert sandbox.opportunity(word)["note_texts"] == []


def test_invited_elsewhere_leaves_a_note_in_lever_and_a_link_to_the_invitation(
    enter, connected_organization, sandbox, super_admin_client
):
    for role in ("Backend Engineer", "Frontend Engineer"):
        connected_organization.role_mappings.create(role=role, assessment="Backend")
    first = enter("Tamarack")
    delivery = enter("Tamarack again")
    assert delivery.verdict == "invited_elsewhere"
    link = f" That page: http://testserver/activity/{first.opportunity_id}/"
    assert_noted_once(sandbox, "Tamarack again", delivery, link)
    page = super_admin_client.get(f"/activity/{delivery.opportunity_id}/").content.decode()
    assert f'<a href="/activity/{first.opportunity_id}/">See that invitation</a>' in page
