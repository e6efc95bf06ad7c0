"""Bring a delivery to its verdict: retries, crashes, replaced workers."""

from datetime import timedelta
from functools import partial
from unittest import mock

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.catalog.models import Role
from integrations.http.session import CallDeferred, PlatformError
from integrations.http.steps import NOT_SHOWN_WAITS, RETRY_FOR
from integrations.inbox import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from integrations.pages.activity.rows import BEING_DECIDED, standing_of
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from tests.support import factories
from tests.support.scenario import end_wait, verdict

ALDER = "alder@candidates.example"
ELSEWHERE = "Phone screen"


def test_the_opportunity_is_not_read_when_the_event_or_the_stage_is_no_trigger(scenario):
    scenario.lever_fails("/opportunities/", method="GET", status=500, times=9)
    other_event, other_stage = (
        scenario.deliver(event="candidateArchiveChange"),
        scenario.move(stage=ELSEWHERE),
    )
    scenario.work()
    assert (verdict(other_event), verdict(other_stage)) == ("ignored_event", "not_a_trigger_stage")
    assert not other_event.calls.exists()


def test_a_delivery_is_not_visible_when_lever_keeps_refusing_the_opportunity(scenario):
    delivery = scenario.move()
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=100, status=403)
    for reads, wait in enumerate(NOT_SHOWN_WAITS, start=1):
        scenario.work()
        assert verdict(delivery) == ""
        assert delivery.not_shown_reads == reads
        assert delivery.last_error == (
            "Lever doesn't show this candidate to the portal. This may pass, so the portal tries again."
        )
        assert timedelta() < delivery.due_at - timezone.now() <= wait
        end_wait()
    scenario.work()
    assert verdict(delivery) == "not_visible"
    assert (delivery.not_shown_reads, delivery.last_error, delivery.due_at) == (0, "", None)


def test_an_id_that_cannot_be_levers_is_not_visible_at_once(scenario):
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=9, status=400)
    assert scenario.enter().verdict == "not_visible"


def test_a_person_who_replays_gets_the_verdict_at_once(scenario, super_admin):
    delivery = scenario.move()
    scenario.lever_fails("/opportunities/[^/]+$", method="GET", times=9, status=404)
    assert queue_acts.replay(delivery, super_admin).verdict == "not_visible"


@pytest.fixture
def hide_role(scenario):
    """Return what lets Lever not show the roles for so many reads; there is a default assessment."""
    scenario.set_policies(default_assessment="Backend")
    Role.objects.all().delete()
    return partial(scenario.lever_fails, "/postings/[^/]+$", method="GET", status=403)


@pytest.fixture
def mapped_role(scenario):
    """A mapping of the candidate's role to another assessment than the default."""
    return scenario.organization.role_mappings.create(
        role="Backend Engineer", assessment="Frontend Developer"
    )


def test_the_mapped_assessment_is_sent_when_the_role_is_shown_later(scenario, mapped_role, hide_role):
    delivery = scenario.move()
    hide_role()
    scenario.work()
    assert verdict(delivery) == ""
    assert "role" in delivery.last_error
    end_wait()
    scenario.work()
    assert verdict(delivery) == "invite"
    assert Invitation.objects.get().assessment_name == "Frontend Developer"


def test_the_default_is_sent_with_an_explanation_when_the_role_stays_hidden(scenario, mapped_role, hide_role):
    delivery = scenario.move()
    hide_role(times=9)
    for _ in (*NOT_SHOWN_WAITS, "the last"):
        scenario.work()
        end_wait()
    assert verdict(delivery) == "invite"
    assert Invitation.objects.get().assessment_name == "Backend"
    assert "Lever doesn't show this candidate's role" in delivery.explanation


def test_who_has_a_hidden_role_is_invited_at_once_when_no_mapping_could_name_it(scenario, hide_role):
    hide_role(times=9)
    assert scenario.enter().verdict == "invite"


def test_a_worker_whose_lease_was_taken_over_decides_nothing(scenario):
    delivery = scenario.move()
    slow_delivery = factories.claimed(Delivery, "slow")
    Delivery.objects.update(lease_owner="another")
    worker.decide(slow_delivery)
    assert verdict(delivery) == ""
    assert delivery.lease_owner == "another"
    assert not Invitation.objects.exists()
    assert not Candidate.objects.exists()
    assert not Effect.objects.filter(kind="send_invitation").exists()


def test_a_replay_is_previewed_and_replaces_the_verdict_and_is_audited(scenario, sandbox, super_admin):
    delivery = scenario.enter("Hazel")
    assert verdict(delivery) == "no_assessment"
    set_policies(scenario.organization, {"default_assessment": "Backend"}, super_admin)
    assert queue_acts.preview(delivery).verdict == "invite"
    assert (verdict(delivery), Invitation.objects.exists()) == ("no_assessment", False)
    assert queue_acts.replay(delivery, super_admin).verdict == "invite"
    scenario.work()
    assert verdict(delivery) == "invite"
    assert sandbox.invitations_sent("hazel@candidates.example") == 1
    entry = scenario.organization.audit_entries.get(action="replay")
    assert entry.changes == {"verdict": ["no_assessment", "invite"]}


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(CallDeferred(120, "busy"), 0), (PlatformError("busy", status=429, retry_after=120), 1)],
    ids=["deferred here", "refused by the platform"],
)
def test_a_delivery_waits_as_long_as_it_is_asked_to(connected_organization, monkeypatch, error, attempts):
    factories.DeliveryFactory(organization=connected_organization)
    monkeypatch.setattr(decide_delivery, "decide_delivery", mock.Mock(side_effect=error))
    claimed = factories.claimed(Delivery, "me")
    worker.decide(claimed)
    delivery = Delivery.objects.get()
    assert delivery.attempts == attempts
    assert delivery.due_at is not None
    assert timedelta(seconds=110) < delivery.due_at - timezone.now() < timedelta(seconds=121)


def test_a_delivery_waits_when_lever_lists_no_stage(scenario, sandbox):
    scenario.read_lists()
    delivery = scenario.move()
    stages, sandbox.account.stages = sandbox.account.stages, {}
    LeverConnection.objects.update(stages_refreshed_at=timezone.now() - timedelta(hours=1))
    scenario.work()
    assert verdict(delivery) == ""
    sandbox.account.stages = stages
    end_wait()
    scenario.work()
    assert verdict(delivery) == "invite"


class TestUndecidable:
    """Lever doesn't let the candidate be read, for days."""

    @pytest.fixture
    def delivery(self, scenario):
        """A webhook about somebody; Lever answers 500 about them."""
        scenario.lever_fails("/opportunities/[^/]+$", method="GET", status=500, times=500)
        scenario.read_lists()
        scenario.enter()
        delivery = Delivery.objects.get()
        assert (delivery.verdict, delivery.failing_since is None) == ("", False)
        return delivery

    def try_again(self, **ages):
        """Let so much time have passed since the delivery was received and first failed, and try again."""
        Delivery.objects.update(due_at=Now(), **{name: Now() - age for name, age in ages.items()})
        worker.work()
        return Delivery.objects.get()

    def test_the_candidate_is_listed_after_some_minutes(self, delivery):
        assert not Candidate.objects.exists()
        self.try_again(received_at=timedelta(minutes=3))
        candidate = Candidate.objects.get()
        assert (candidate.opportunity_id, candidate.stage_name) == (
            delivery.opportunity_id,
            "CodeScreen Assessment",
        )
        assert standing_of(candidate, None) == BEING_DECIDED

    def test_a_worker_that_lost_its_lease_lists_nobody(self, delivery, monkeypatch):
        Delivery.objects.update(due_at=Now(), received_at=Now() - timedelta(minutes=3))
        claimed = factories.claimed(Delivery, "me")
        Delivery.objects.update(lease_owner="another")
        worker.decide(claimed)
        assert not Candidate.objects.exists()

    def test_the_candidate_is_locked_before_the_log_when_it_is_given_up(self, delivery):
        with CaptureQueriesContext(connection) as queries:
            self.try_again(failing_since=RETRY_FOR)
        locked = [
            table
            for query in queries
            for table in ("candidate", "chainhead")
            if f'"integrations_{table}"' in query["sql"] and not query["sql"].startswith("SELECT")
        ]
        assert locked[0] == "candidate", (
            "as decisions and erasures do, so that none waits for another in turn"
        )

    def test_it_ends_in_a_verdict_after_the_retry_window_and_the_sweep_takes_it_up(self, scenario, delivery):
        delivery = self.try_again(failing_since=RETRY_FOR - timedelta(minutes=1))
        assert (delivery.verdict, delivery.due_at is None) == ("", False)
        delivery = self.try_again(failing_since=RETRY_FOR)
        assert (delivery.verdict, delivery.due_at, delivery.failing_since) == ("not_visible", None, None)
        assert "Lever answered 500" in delivery.explanation
        standing = standing_of(Candidate.objects.get(), None)
        # who invites them in CodeScreen now has them invited twice
        assert (standing.whole, standing.next) == (
            "Not invited: could not be read",
            "Decided again once they can be read",
        )
        assert "Don't invite them in CodeScreen yourself" in next_step(delivery.verdict)
        scenario.sandbox.lever_does("faults", seed=1, rules=[])
        assert queue_acts.sweep_organization(scenario.organization) == 1
        scenario.work()
        assert scenario.sandbox.invitations_sent() == 1
