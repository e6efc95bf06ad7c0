"""A connected organization with its sandbox: candidates in Lever and CodeScreen, and work that a test starts."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.catalog import lists
from integrations.clients import provider
from integrations.inbox import stage_lists
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.values import stable_id
from tests.support import factories
from tests.support.effects import enqueue_invitation

ASSESSMENT = stable_id("acme", "assessment", "Backend")
STAGE = "CodeScreen Assessment"


def verdict(delivery: Delivery) -> str:
    """Return the verdict of a delivery, read again."""
    delivery.refresh_from_db()
    return delivery.verdict


def end_wait() -> None:
    """Make the deliveries that wait for another try due now."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=factories.a_moment_ago())


class Scenario:
    """One connected organization and the sandbox of both platforms; nothing is worked until the test asks for it."""

    def __init__(self, organization, sandbox) -> None:
        self.organization = organization
        self.sandbox = sandbox

    def pending_invitation(self, word="Alder", **changes):
        """Return a pending invitation of a seeded candidate, who is in the stage, with its effect enqueued."""
        self.place(word)
        values = {
            "opportunity_id": self.sandbox.opportunity_id(word),
            "contact_id": stable_id("acme", "contact", word),
            "candidate_name": f"Candidate {word}",
            "email": f"{word.lower()}@candidates.example",
            "assessment_id": ASSESSMENT,
            "stage_id": self.sandbox.stage_id(STAGE),
        }
        invitation = factories.InvitationFactory(organization=self.organization, **values | changes)
        enqueue_invitation(invitation)
        return invitation

    def place(self, word="Alder", stage=STAGE):
        """Put a seeded candidate in a stage in Lever, without a webhook."""
        account = self.sandbox.account
        opportunity = account.opportunities.get(self.sandbox.opportunity_id(word))
        if opportunity is not None:
            opportunity.stage = self.sandbox.stage_id(stage)
            candidacies.record_stage(account, opportunity, None)

    def stage_of(self, word="Alder"):
        """Return the name of the stage in which a candidate is in Lever."""
        return self.sandbox.account.stages[self.sandbox.candidate(word).stage].text

    def moves_of(self, word="Alder"):
        """Return how often the API moved a candidate."""
        return self.sandbox.opportunity(word)["writes"].get("stage", 0)

    def correct(self, word="Alder", email="alder.correct@candidates.example", name=""):
        """Correct a seeded candidate's address, and the name if given, in Lever."""
        contact = self.sandbox.account.contact_of(self.sandbox.candidate(word))
        contact.emails = [email]
        contact.name = name or contact.name

    def sent_invitation(self, word="Alder"):
        """Move a candidate into the stage and return the invitation, sent and with its progress tag set."""
        self.sandbox.lever_does("move", opportunities=[self.sandbox.opportunity_id(word)], stage=STAGE)
        invitation = self.pending_invitation(word)
        self.work()
        invitation.refresh_from_db()
        assert invitation.status == "invited"
        return invitation

    def deliver(self, word="Alder", stage=STAGE, event="candidateStageChange", **changes) -> Delivery:
        """Store a webhook about a candidate's change of stage, and return its delivery."""
        opportunity_id = self.sandbox.opportunity_id(word)
        data = {"opportunityId": opportunity_id, "toStageId": self.sandbox.stage_id(stage)}
        values: dict[str, Any] = {
            "opportunity_id": opportunity_id,
            "event": event,
            "payload": {"event": event, "data": data},
        }
        return factories.DeliveryFactory.create(organization=self.organization, **values | changes)

    def move(self, word="Alder", stage=STAGE, **changes) -> Delivery:
        """Move a candidate into a stage in Lever, and return the delivery of the webhook about it."""
        self.sandbox.lever_does("move", opportunities=[self.sandbox.opportunity_id(word)], stage=stage)
        return self.deliver(word, stage, **changes)

    def enter(self, word="Alder", stage=STAGE, **changes) -> Delivery:
        """Move a candidate into a stage in Lever, work the webhook of it, and return its delivery."""
        delivery = self.move(word, stage, **changes)
        self.work()
        delivery.refresh_from_db()
        return delivery

    def held_invitation(self, word="Alder") -> Invitation:
        """Let a candidate enter the stage who is more than the bulk limit allows; return the invitation."""
        self.set_policies(bulk_limit=1)
        factories.InvitationFactory.create(
            organization=self.organization, status="invited", instance_id="i-0"
        )
        self.enter(word)
        return Invitation.objects.get(status="held", opportunity_id=self.sandbox.opportunity_id(word))

    def failed_invitation(self, word="Alder") -> Invitation:
        """Return an invitation that CodeScreen refused."""
        return self._ended(word, "failed", status=422)

    def uncertain_invitation(self, word="Alder", kind="reset_before") -> Invitation:
        """Return an invitation whose call had no answer; it didn't arrive unless `kind` says otherwise."""
        return self._ended(word, "uncertain", kind=kind)

    def _ended(self, word, ending, **fault) -> Invitation:
        self.codescreen_fails(**fault)
        invitation = self.pending_invitation(word)
        self.work()
        invitation.refresh_from_db()
        assert invitation.status == ending
        return invitation

    def completed_invitation(self, days_ago=0, **verdict) -> Invitation:
        """Return an invitation that the candidate completed so many days ago."""
        invitation = self.sent_invitation()
        self.evaluate(**verdict)
        if days_ago:
            Invitation.objects.update(completed_at=timezone.now() - timedelta(days=days_ago, seconds=5))
        return self.reread(invitation)

    def candidate_acts(self, *actions, word="Alder", assessment="Backend", **verdict):
        """Let the candidate act in CodeScreen, and poll CodeScreen; the effects that follow are due."""
        person = {"email": f"{word.lower()}@candidates.example", "assessment": assessment}
        self.sandbox.codescreen_does("candidate", action=list(actions), **person, **verdict)
        self.poll()

    def candidate_does(self, *actions, **more):
        """Let the candidate act in CodeScreen, poll CodeScreen, and perform the effects."""
        self.candidate_acts(*actions, **more)
        self.work()

    def evaluate(self, **more):
        """Let the candidate start and submit, CodeScreen evaluate it, and perform the effects."""
        self.candidate_does("start", "submit", "evaluate", **more)

    def evaluated_invitation(self, **verdict):
        """Return an invitation whose evaluation was polled; the effects that follow are due."""
        invitation = self.sent_invitation()
        self.candidate_acts("start", "submit", "evaluate", **verdict)
        return invitation

    def read_lists(self):
        """Read Lever's stages and roles into their copies."""
        lever = provider.lever_client(self.organization)
        lists.refresh_stages(self.organization, lever)
        lists.refresh_roles(self.organization, lever)

    def set_policies(self, **changes):
        """Change policies of the organization."""
        set_policies(self.organization, changes, "test")

    def poll(self):
        """Poll CodeScreen about all invitations, without performing the effects."""
        queue_acts.poll_organization(self.organization, everything=True)

    def work(self):
        """Work all due rows; return how many."""
        return worker.work()

    def work_waiting(self):
        """Make all waiting effects due and work them; return how many rows were worked."""
        Effect.objects.filter(organization=self.organization, state="due").update(
            due_at=timezone.now() - timedelta(seconds=1)
        )
        return worker.work()

    def lever_fails(self, path, kind="status", method="POST", times=1, **more):
        """Make Lever fail on matching requests."""
        rule = {"method": method, "path": path, "kind": kind, "times": times, **more}
        self.sandbox.lever_does("faults", seed=1, rules=[rule])

    def codescreen_fails(self, kind="status", path="/api/assessments$", method="POST", times=1, **more):
        """Make CodeScreen fail on matching requests."""
        rule = {"method": method, "path": path, "kind": kind, "times": times, **more}
        self.sandbox.codescreen_does("faults", seed=1, rules=[rule])

    def latest_effect(self, kind="send_invitation", **filters):
        """Return the latest effect of a kind."""
        return Effect.objects.filter(organization=self.organization, kind=kind, **filters).latest("pk")

    def reread(self, invitation) -> Invitation:
        """Return the row as it is now."""
        return Invitation.objects.get(pk=invitation.pk)


@pytest.fixture(autouse=True)
def _no_readings():
    """Forget what another test read from Lever's list."""
    stage_lists.readings.clear()


@pytest.fixture
def scenario(connected_organization, sandbox):
    """A connected organization with its sandbox, and no work waiting."""
    scenario = Scenario(connected_organization, sandbox)
    scenario.work()
    return scenario
