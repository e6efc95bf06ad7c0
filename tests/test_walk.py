"""From a stage change to the feedback: the whole portal at work, with the sandbox as Lever and CodeScreen."""

import time
import uuid

import pytest
from django.urls import reverse

from integrations.clients.models import ApiCall
from integrations.codescreen.acts import save_codescreen_key
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.acts import save_main_token
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from tests.support.factories import SIGNATURE_TOKEN
from tests.support.payloads import load, sign
from tests.support.second_factors import prove_now
from tests.support.waits import work_through_waits


@pytest.fixture
def connected(client, super_admin, organization, sandbox):
    """An organization that gave its consent in Lever and saved its signature token and API key."""
    client.force_login(super_admin)
    prove_now(client)
    begun = client.post(reverse("lever-connect"))
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    client.get(accepted["redirect"].removeprefix("http://testserver"))
    save_main_token(organization, SIGNATURE_TOKEN, super_admin)
    save_codescreen_key(organization, sandbox.api_key, super_admin)
    organization.refresh_from_db()
    return organization


class Recruiter:
    """Moves candidates in Lever, and delivers Lever's webhooks to the portal."""

    def __init__(self, client, organization, sandbox):
        self._client, self._organization, self._sandbox = client, organization, sandbox

    def enter(self, word, stage="CodeScreen Assessment", **changes):
        """Move a candidate into a stage and deliver the webhook. Return the portal's answer."""
        self._sandbox.lever_does("move", opportunities=[self._sandbox.opportunity_id(word)], stage=stage)
        return self.deliver(word, stage, **changes)

    def deliver(self, word, stage="CodeScreen Assessment", **changes):
        """Deliver a stage change, with `changes` to its payload: None removes a key. Return the portal's answer."""
        payload = load(
            "lever/candidate_stage_change",
            id=str(uuid.uuid4()),
            triggeredAt=int(time.time() * 1000),
            data={
                "opportunityId": self._sandbox.opportunity_id(word),
                "toStageId": self._sandbox.stage_id(stage),
            },
        )
        payload = {name: value for name, value in (payload | changes).items() if value is not None}
        return self._client.post(
            reverse("lever-webhook", args=[self._organization.webhook_key]),
            sign(payload, SIGNATURE_TOKEN),
            content_type="application/json",
        )


@pytest.fixture
def recruiter(client, connected, sandbox):
    return Recruiter(client, connected, sandbox)


def test_a_stage_change_becomes_feedback(recruiter, sandbox):
    assert recruiter.enter("Alder").status_code == 202
    worker.work()
    delivery = Delivery.objects.get(event="candidateStageChange")
    assert delivery.verdict == "invite", delivery.last_error
    invitation = Invitation.objects.get()
    assert invitation.status == "invited"
    assert sandbox.invitations_sent("alder@candidates.example") == 1
    assert "CodeScreen: Candidate Invited" in sandbox.opportunity("Alder")["tags"]
    person = {"email": "alder@candidates.example", "assessment": "Backend"}

    sandbox.codescreen_does("candidate", action="start", **person)
    assert queue_acts.poll_organization(invitation.organization) == 1
    worker.work()
    tags = sandbox.opportunity("Alder")["tags"]
    assert "CodeScreen: Assessment in Progress" in tags
    assert "CodeScreen: Candidate Invited" not in tags

    sandbox.codescreen_does("candidate", action="submit", **person)
    queue_acts.poll_organization(invitation.organization)
    invitation.refresh_from_db()
    assert invitation.status == "submitted"

    sandbox.codescreen_does("candidate", action="evaluate", score=82, result="Passed", **person)
    queue_acts.poll_organization(invitation.organization)
    worker.work()
    result = Result.objects.get()
    assert (result.outcome, result.score_text, result.rating) == ("Passed", "82", 4)
    opportunity = sandbox.opportunity("Alder")
    assert [tag for tag in opportunity["tags"] if tag.startswith("CodeScreen:")] == [
        "CodeScreen: Assessment Completed"
    ]
    assert result.report_url in opportunity["links"]
    [feedback] = opportunity["feedback"]
    assert feedback["fields"]["Rating"].startswith("4")
    assert feedback["fields"]["CodeScreen score"] == "82"
    assert feedback["fields"]["Result"] == "Passed"
    assert feedback["fields"]["Report link"] == result.report_url
    assert not Effect.objects.exclude(state="done").exclude(state="cancelled").exists()
    assert ApiCall.objects.filter(error="").count() > 5


def test_a_passed_candidate_is_moved_and_a_failed_one_stays(recruiter, connected, sandbox):
    set_policies(connected, {"stage_on_pass": "Phone screen"}, "test")
    for role in ("Backend Engineer", "Frontend Engineer"):
        connected.role_mappings.create(role=role, assessment="Backend")
    for word, result in (("Alder", "Passed"), ("Birch", "Failed")):
        recruiter.enter(word)
        worker.work()
        person = {"email": f"{word.lower()}@candidates.example", "assessment": "Backend"}
        sandbox.codescreen_does(
            "candidate", action=["start", "submit", "evaluate"], score=60, result=result, **person
        )
    queue_acts.poll_organization(connected)
    worker.work()
    assert sandbox.candidate("Alder").stage == sandbox.stage_id("Phone screen")
    assert sandbox.candidate("Birch").stage == sandbox.stage_id("CodeScreen Assessment")
    assert sandbox.candidate("Birch").archived is None
    # Lever sends a webhook for the portal's own move, which has no consequence
    assert recruiter.deliver("Alder", "Phone screen").status_code == 202
    worker.work()
    assert Delivery.objects.latest("pk").verdict == "not_a_trigger_stage"
    assert sandbox.invitations_sent() == 2
    assert not Effect.objects.exclude(state__in=["done", "cancelled"]).exists()


@pytest.mark.parametrize("keeps_id", [True, False])
def test_five_deliveries_of_one_stage_change_invite_once(recruiter, sandbox, keeps_id):
    moment = int(time.time() * 1000)
    same = {"id": "same" if keeps_id else None, "triggeredAt": moment}
    recruiter.enter("Alder", **same)
    answers = [recruiter.deliver("Alder", **same).status_code for _ in range(4)]
    answers.append(recruiter.deliver("Alder", id="another").status_code)
    worker.work()
    assert answers == [200, 200, 200, 200, 202]
    assert Invitation.objects.count() == 1
    assert sandbox.invitations_sent() == 1
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"invite", "already_invited"}


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("Upas", "origin_excluded"),
        ("Nyssa", "no_email"),
        ("Pine", "archived"),
        ("Quince", "not_visible"),
        ("Rowan", "contact_not_allowed"),
        ("Spruce", "anonymized"),
        ("Maple", "ambiguous_assessment"),
        ("Hazel", "no_assessment"),
        ("Ginkgo", "unknown_assessment"),
    ],
)
def test_each_reason_not_to_invite_has_its_verdict(recruiter, connected, sandbox, word, verdict):
    set_policies(connected, {"origins": {"sourced": "skip"}}, "test")
    recruiter.enter(word)
    work_through_waits()
    delivery = Delivery.objects.get(event="candidateStageChange")
    assert (delivery.verdict, delivery.last_error) == (verdict, "")
    assert delivery.explanation
    if verdict == "unknown_assessment":
        assert "Did you mean “Data Engineer”?" in delivery.explanation
    assert sandbox.invitations_sent() == 0


def test_who_needs_extra_time_waits_until_an_admin_sends(recruiter, connected, super_admin, sandbox):
    set_policies(connected, {"hold_tag": "Accommodation"}, "test")
    opportunity = sandbox.candidate("Alder")
    opportunity.tags.append("accommodation")
    recruiter.enter("Alder")
    recruiter.enter("Birch")
    worker.work()
    held = Invitation.objects.get(status="held")
    assert held.opportunity_id == opportunity.id
    assert "An Admin sets the extra time in CodeScreen, then sends it." in held.status_reason
    assert sandbox.invitations_sent() == 1
    approve(held, super_admin)
    worker.work()
    assert sandbox.invitations_sent("alder@candidates.example") == 1


def test_the_sweep_invites_a_candidate_when_the_webhook_was_lost(recruiter, connected, sandbox):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    assert queue_acts.sweep_organization(connected) == 1
    assert queue_acts.sweep_organization(connected) == 0
    worker.work()
    assert sandbox.invitations_sent("alder@candidates.example") == 1
    assert Delivery.objects.get(event="sweep").verdict == "invite"
