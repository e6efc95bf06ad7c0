"""The policies on entering a stage again, on leaving it, and on result tags: each does what it says."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation, Result
from integrations.workflow.results.result_effects import result_tag
from portal.devtools.sandbox.ids import stable_id
from tests import factories

STAGE = "CodeScreen Assessment"
ASSESSMENT = stable_id("acme", "assessment", "Backend")


@pytest.fixture
def enter(scenario, sandbox):
    """Move a candidate into the stage, tell of it, and do what follows; the delivery."""

    def move(stage: str = STAGE, **changes: Any) -> Delivery:
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage=stage)
        data = {"opportunityId": sandbox.opportunity_id("Alder"), "toStageId": sandbox.stage_id(stage)}
        event = changes.pop("event", "candidateStageChange")
        delivery = factories.DeliveryFactory.create(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id("Alder"),
            event=event,
            payload={"event": event, "data": data},
            **changes,
        )
        scenario.work()
        delivery.refresh_from_db()
        return delivery

    return move


def completed(scenario, days: int = 0, **verdict: Any) -> Invitation:
    """Return an invitation that was completed so many days ago."""
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)
    Invitation.objects.update(completed_at=timezone.now() - timedelta(days=days, seconds=5))
    return invitation


def expire(scenario, **verdict: Any) -> Invitation:
    invitation = completed(scenario, **verdict)
    Result.objects.update(outcome="Expired")
    return invitation


def test_nothing_happens_unless_it_is_asked_for(scenario, enter):
    expire(scenario, score=20, result="Failed")
    delivery = enter()
    assert delivery.verdict == "already_invited"
    assert Invitation.objects.count() == 1


def test_an_expired_one_gets_a_new_round(scenario, sandbox, enter):
    first = expire(scenario, score=20, result="Failed")
    scenario.set_policies(reentry="after_expiry")
    sent = sandbox.invitations_sent()
    delivery = enter()
    assert delivery.verdict == "invite"
    assert "It is round 2." in delivery.explanation
    second = Invitation.objects.exclude(pk=first.pk).get()
    assert (second.round, second.status, second.assessment_id) == (2, "invited", first.assessment_id)
    assert second.instance_id != first.instance_id
    assert delivery.invitation == second
    assert sandbox.invitations_sent() == sent + 1
    # told again, by Lever or by a person's replay: the second round stands in the way of a third
    assert enter().verdict == "already_invited"
    assert Invitation.objects.count() == 2


def test_after_expiry_means_expired(scenario, enter):
    completed(scenario, score=20, result="Failed", days=400)
    scenario.set_policies(reentry="after_expiry")
    assert enter().verdict == "already_invited"


@pytest.mark.parametrize(("days", "verdict"), [(29, "already_invited"), (30, "invite")])
def test_after_so_many_days(scenario, enter, days, verdict):
    completed(scenario, score=90, result="Passed", days=days)
    scenario.set_policies(reentry="after_days", reentry_days=30)
    assert enter().verdict == verdict


def test_an_open_round_is_never_followed_by_another(scenario, enter):
    invitation = scenario.sent_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(invited_at=timezone.now() - timedelta(days=400))
    scenario.set_policies(reentry="after_days", reentry_days=1)
    assert enter().verdict == "already_invited"


def test_only_entering_counts_not_being_there(scenario, enter):
    expire(scenario, score=20, result="Failed")
    scenario.set_policies(reentry="after_expiry")
    assert enter(event="sweep").verdict == "already_invited"
    before = timezone.now() - timedelta(days=3)
    assert enter(received_at=before).verdict == "already_invited"  # an old delivery decided again
    assert Invitation.objects.count() == 1


def test_the_bulk_limit_holds_a_round_too(scenario, enter):
    first = expire(scenario, score=20, result="Failed")
    scenario.set_policies(reentry="after_expiry", bulk_limit=1)
    assert enter().verdict == "held_for_approval"
    held = Invitation.objects.exclude(pk=first.pk).get()
    assert (held.round, held.status) == (2, "held")


# leaving


@pytest.mark.parametrize(("leaving", "status"), [("stop", "withdrawn"), ("keep", "invited")])
def test_leaving_the_stage_stops_or_keeps_following(scenario, enter, leaving, status):
    invitation = scenario.sent_invitation()
    scenario.set_policies(leaving=leaving)
    enter("New applicant")
    assert scenario.reread(invitation).status == status


def test_what_was_not_sent_yet_is_never_sent_after_leaving(scenario, enter):
    invitation = scenario.pending_invitation()
    Invitation.objects.filter(pk=invitation.pk).update(status="held")
    scenario.set_policies(leaving="keep")
    enter("New applicant")
    assert scenario.reread(invitation).status == "withdrawn"


# result tags


def tags(sandbox) -> list[str]:
    return list(sandbox.opportunity("Alder")["tags"])


def test_no_result_tag_unless_it_is_asked_for(scenario, sandbox):
    completed(scenario, score=90, result="Passed")
    assert not Effect.objects.filter(kind="set_result_tag").exists()


@pytest.mark.parametrize(
    ("result", "expected"), [("Passed", "Backend: passed"), ("Failed", "Backend: failed")]
)
def test_the_customers_tag_says_what_codescreen_states(scenario, sandbox, result, expected):
    scenario.set_policies(passed_tag="{assessment}: passed", failed_tag="{assessment}: failed")
    completed(scenario, score=50, result=result)
    assert expected in tags(sandbox)
    assert [tag for tag in tags(sandbox) if tag.startswith("CodeScreen:")] == [
        "CodeScreen: Assessment Completed"
    ]


def test_a_regrade_takes_the_other_tag_off(scenario, sandbox):
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    completed(scenario, score=50, result="Failed")
    assert "test failed" in tags(sandbox)
    scenario.candidate_does("regrade", score=80, result="Passed")
    assert "test passed" in tags(sandbox)
    assert "test failed" not in tags(sandbox)


def test_where_nothing_is_stated_there_is_no_tag(scenario, sandbox):
    sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(passed_tag="test passed", failed_tag="test failed")
    completed(scenario, score=99)
    assert not {"test passed", "test failed"} & set(tags(sandbox))


@pytest.mark.parametrize("tag", ["CodeScreen: Passed", " codescreen passed", "CODESCREEN Backend"])
def test_a_tag_that_reads_as_one_of_the_portals_is_refused(scenario, tag):
    with pytest.raises(ValidationError):
        scenario.set_policies(passed_tag=tag)
    assert result_tag("{assessment}: passed", "CodeScreen Basics") == ""
