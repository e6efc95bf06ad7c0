"""The outbox under test: candidates of the pretend Lever, and effects that are performed when a test says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Effect, Invitation
from integrations.queue import on_request, worker
from integrations.workflow.outbox import enqueue
from portal.devtools.sandbox.ids import stable_id
from tests import factories

ASSESSMENT = stable_id("acme", "assessment", "Backend")


class Outbox:
    """One organization's effects, with time in the test's hands."""

    def __init__(self, organization, sandbox) -> None:
        self.organization = organization
        self.sandbox = sandbox

    def invitation(self, word="Alder", **changes):
        """Return a pending invitation of a seeded candidate, its effect in the outbox."""
        values = {
            "opportunity_id": self.sandbox.opportunity_id(word),
            "contact_id": stable_id("acme", "contact", word),
            "candidate_name": f"Candidate {word}",
            "email": f"{word.lower()}@candidates.example",
            "assessment_id": ASSESSMENT,
            "stage_id": self.sandbox.stage_id("CodeScreen Assessment"),
        }
        invitation = factories.InvitationFactory(organization=self.organization, **values | changes)
        enqueue.enqueue_invitation(invitation)
        return invitation

    def invited(self, word="Alder"):
        """Return an invitation that went out, everything that follows from it done."""
        self.sandbox.lever_does(
            "move", opportunities=[self.sandbox.opportunity_id(word)], stage="CodeScreen Assessment"
        )
        invitation = self.invitation(word)
        self.work()
        invitation.refresh_from_db()
        assert invitation.status == "invited"
        return invitation

    def candidate_does(self, *actions, word="Alder", **verdict):
        """Let the candidate act in CodeScreen, ask CodeScreen, and do what follows."""
        email = f"{word.lower()}@candidates.example"
        self.sandbox.codescreen_does(
            "candidate", action=list(actions), email=email, assessment="Backend", **verdict
        )
        self.ask()
        self.work()

    def ask(self):
        """Ask CodeScreen about everybody, without doing what follows."""
        on_request.poll_organization(self.organization, everything=True)

    def work(self):
        """Perform what is due now."""
        return worker.work()

    def later(self):
        """Let all waiting effects become due, and perform them."""
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

    def effect(self, kind="send_invitation", **filters):
        """Return the latest effect of a kind."""
        return Effect.objects.filter(organization=self.organization, kind=kind, **filters).latest("pk")

    def reread(self, invitation) -> Invitation:
        """Return the row as it is now."""
        return Invitation.objects.get(pk=invitation.pk)


@pytest.fixture
def box(connected_organization, sandbox):
    """The outbox of a connected organization, with nothing in it that waits."""
    found = Outbox(connected_organization, sandbox)
    found.work()
    return found
