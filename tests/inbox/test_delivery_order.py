"""Stage changes delivered out of order and repeatedly lead to the same state as a fresh read of Lever."""

import contextlib
import uuid

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.support import factories

STAGES = ("CodeScreen Assessment", "CodeScreen Take-home", "On-site interview")
TRIGGERS = STAGES[:2]

steps = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(STAGES)),
    st.tuples(st.just("deliver_next"), st.integers(0, 9)),
    st.tuples(st.just("archive"), st.booleans()),
    st.tuples(st.just("work"), st.integers(1, 3)),
)


class Journey:
    """One new candidate, and which of their moves were delivered so far."""

    def __init__(self, organization, sandbox):
        self.organization, self.sandbox = organization, sandbox
        prefix = f"candidate-{uuid.uuid4().hex[:8]}"
        made = sandbox.lever_does("generate", count=1, prefix=prefix, posting="Backend Engineer")
        (self.opportunity,) = made["generated"]
        self.email = f"{prefix}-00001@candidates.example"
        self.stage, self.is_archived = "", False
        self.undelivered, self.delivered = [], []

    def move(self, stage):
        moved = self.sandbox.lever_does("move", opportunities=[self.opportunity], stage=stage)["moved"]
        if moved:
            self.stage = stage
            self.undelivered.append(stage)

    def archive(self, is_archived):
        reason = self.archive_reason() if is_archived else None
        self.sandbox.lever_does("archive", opportunities=[self.opportunity], reason=reason)
        self.is_archived = is_archived

    def archive_reason(self):
        """Return one of the account's reasons."""
        account = self.sandbox.lever.accounts["acme"]
        return next(iter(account.archive_reasons.values())).text

    def deliver_next(self, number):
        """Deliver one of the moves, in any order; when all were delivered, any of them again."""
        if self.undelivered:
            self.delivered.append(self.undelivered.pop(number % len(self.undelivered)))
            self.deliver(self.delivered[-1])
        elif self.delivered:
            self.deliver(self.delivered[number % len(self.delivered)])

    def deliver(self, stage):
        data = {"opportunityId": self.opportunity, "toStageId": self.sandbox.stage_id(stage)}
        factories.DeliveryFactory(
            organization=self.organization,
            opportunity_id=self.opportunity,
            payload={"event": "candidateStageChange", "data": data},
        )

    def work(self, most):
        worker.work(most=most)

    def deliver_all_and_work(self):
        """Deliver everything, the latest move last, and work it."""
        while self.undelivered:
            self.deliver_next(0)
        worker.work()
        if self.stage:
            self.deliver(self.stage)
        worker.work()


@pytest.fixture
def organization_without_limits(connected_organization, sandbox, settings):
    """A connected organization without rate limits: this is about order, not speed."""
    settings.LEVER_RATE, settings.LEVER_BURST = 1000.0, 1_000_000
    sandbox.lever_does("settings", rate_limit=0.0)
    worker.work()
    return connected_organization


@contextlib.contextmanager
def rolled_back():
    """Roll back every row that an example wrote."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(delivered=st.lists(steps, min_size=2, max_size=12))
def test_the_final_state_matches_lever_when_deliveries_arrive_in_any_order(
    organization_without_limits, sandbox, delivered
):
    with rolled_back():
        journey = Journey(organization_without_limits, sandbox)
        for step, detail in delivered:
            getattr(journey, step)(detail)
            held = Effect.objects.filter(opportunity_id=journey.opportunity, leased_until__isnull=False)
            assert not held.exists()
        journey.deliver_all_and_work()
        opportunity = sandbox.lever.accounts["acme"].opportunities[journey.opportunity]
        invitations = list(Invitation.objects.filter(opportunity_id=journey.opportunity))
        sent = sandbox.invitations_sent(journey.email)
        assert len(invitations) <= 1
        assert sent == sum(bool(invitation.instance_id) for invitation in invitations)
        assert not Delivery.objects.filter(opportunity_id=journey.opportunity, verdict="").exists()
        is_wanted = journey.stage in TRIGGERS and not journey.is_archived
        if is_wanted:
            assert [invitation.status for invitation in invitations] == ["invited"]
            assert sent == 1
        else:
            assert {invitation.status for invitation in invitations} <= {"withdrawn"}
        progress = [tag for tag in opportunity.tags if tag.startswith("CodeScreen:")]
        assert progress == (["CodeScreen: Candidate Invited"] if sent else [])
