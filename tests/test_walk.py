"""From a stage change to the feedback: the whole portal at work, with the sandbox as Lever and CodeScreen."""

import time

import pytest
from django.urls import reverse

from integrations.clients.models import ApiCall
from integrations.codescreen.acts import save_codescreen_key
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.acts.webhooks import save_main_token
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from tests.support.factories import SIGNATURE_TOKEN
from tests.support.payloads import post_stage_change


@pytest.fixture
def connected(super_admin_client, super_admin, organization, sandbox):
    """An organization that gave its consent in Lever and saved its signature token and API key."""
    begun = super_admin_client.post(reverse("lever-connect"))
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    super_admin_client.get(accepted["redirect"].removeprefix("http://testserver"))
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
        stage_id, opportunity_id = self._sandbox.stage_id(stage), self._sandbox.opportunity_id(word)
        data = {"opportunityId": opportunity_id, "toStageId": stage_id}
        address = self._organization.lever_webhook_url
        return post_stage_change(self._client, address, SIGNATURE_TOKEN, data=data, **changes)


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
