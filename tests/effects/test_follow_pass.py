"""What follows a pass that waited for another assessment of the same mapping."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.effects.follow_pass import follow_without
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve, cancel
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models import Effect
from integrations.results.recording import record_progress
from portal.devtools.sandbox.values import stable_id
from tests.effects.several import (
    FAILED,
    NEXT,
    PASSED,
    TARGET,
    does,
    mapped,
    next_delivery,
    progress_tags,
    regrade,
    statuses,
    written,
)
from tests.support import factories
from tests.support.at_once import run_at_once


def test_nobody_is_moved_when_one_of_two_is_failed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, NEXT, **FAILED)
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"
    regrade(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_a_cancelled_one_is_left_out_when_the_other_is_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_feedback_is_written_once_when_the_pass_waited_for_one_that_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert len(sandbox.opportunity("Alder")["feedback"]) == 1
    assert (written("move_stage"), written("set_result_tag")) == (["done"], ["done"])
    assert "All" in sandbox.opportunity("Alder")["tags"]
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]


def test_next_is_sent_when_one_is_cancelled_after_the_other_was_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Data Engineer", NEXT]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_first_cancelled", [True, False])
def test_the_next_is_sent_once_when_a_result_is_recorded_while_the_other_is_cancelled(
    organization, is_first_cancelled
):
    mapping = RoleMapping.objects.create(
        organization=organization, role="Any", assessment="A", next_assessment="C"
    )
    own = {"organization": organization, "opportunity_id": "o-1", "mapping": mapping, "status": "invited"}
    first = factories.InvitationFactory.create(**own, assessment_id="a", instance_id="i-a")
    Invitation.objects.update(together=first)
    second = factories.InvitationFactory.create(**own, assessment_id="b", instance_id="i-b", together=first)
    cancelled, passed = (first, second) if is_first_cancelled else (second, first)
    cancelled.refresh_from_db()
    evaluated = Progress(InstanceStatus.COMPLETE, outcome="Passed", score=Decimal(90))

    def record():
        with transaction.atomic():
            record_progress(Invitation.objects.reread_locked(passed), evaluated)
            time.sleep(0.3)

    def stop():
        with transaction.atomic():
            cancel(cancelled, "test")
            time.sleep(0.3)

    work = iter([record, stop])
    assert run_at_once(lambda: next(work)(), times=2) == []
    assert Delivery.objects.filter(event="next", after=first).count() == 1


def test_a_pass_is_followed_once_when_its_wait_ends_twice(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    other = Invitation.objects.get(assessment_name=NEXT)
    cancel(other, "test")
    for _ in range(2):
        with transaction.atomic():
            follow_without(other)
    scenario.work()
    assert (written("move_stage"), written("set_result_tag")) == (["done"], ["done"])


def test_nobody_is_moved_again_when_a_recruiter_brings_them_back(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, NEXT, **PASSED)
    does(scenario, **PASSED)
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="Phone screen")
    scenario.work()
    assert written("move_stage") == ["cancelled"]
    scenario.enter()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["cancelled"])


def test_feedback_is_written_once_when_the_pass_waited_for_the_first(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    regrade(scenario, **FAILED)
    does(scenario, NEXT, **PASSED)
    regrade(scenario, **PASSED)
    scenario.work()
    following = Invitation.objects.get(assessment_name=NEXT)
    assert following.effects.filter(kind="write_feedback").count() == 1
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["done"])
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def test_the_candidate_is_moved_when_a_regrade_to_a_failure_is_taken_back(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **PASSED)
    regrade(scenario, **FAILED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["cancelled"])
    regrade(scenario, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["cancelled", "done"])


@pytest.mark.django_db(transaction=True)
def test_the_candidate_is_moved_once_when_both_of_a_chain_are_passed_at_once(organization):
    mapping = RoleMapping.objects.create(
        organization=organization, role="Any", assessment="A", next_assessment="B", stage_on_pass=TARGET
    )
    own = {"organization": organization, "opportunity_id": "o-1", "mapping": mapping}
    first = factories.InvitationFactory.create(
        **own, assessment_id="a", instance_id="i-a", status="completed"
    )
    Result.objects.create(invitation=first, attempt=1, outcome="Failed", score=10)
    following = factories.InvitationFactory.create(
        **own, assessment_id="b", instance_id="i-b", status="submitted", after=first
    )
    evaluated = Progress(InstanceStatus.COMPLETE, outcome="Passed", score=Decimal(90))
    both = iter([first, following])

    def record():
        with transaction.atomic():
            record_progress(Invitation.objects.reread_locked(next(both)), evaluated)
            time.sleep(0.3)

    assert run_at_once(record, times=2) == []
    assert Effect.objects.filter(kind="move_stage", invitation=following).count() == 1


def test_a_pass_is_followed_when_the_mapping_no_longer_sends_the_other(scenario, sandbox):
    mapped(scenario, also_assessments=["Fronted"], stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    RoleMapping.objects.update(also_assessments=[])
    Delivery.objects.filter(event="together").update(due_at=timezone.now() - timedelta(seconds=1))
    scenario.work()
    assert Delivery.objects.get(event="together").verdict == "nothing_follows"
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]


def test_the_rules_of_a_pass_follow_when_the_mapping_names_no_next_any_more(scenario, sandbox, chain):
    does(scenario, **PASSED)
    RoleMapping.objects.update(next_assessment="")
    scenario.work()
    assert next_delivery().verdict == "nothing_follows"
    assert scenario.stage_of() == TARGET
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


@pytest.mark.parametrize("names", [{"also_assessments": ["Fronted"]}, {"next_assessment": "Fronted"}])
def test_a_pass_is_followed_when_the_candidate_comes_back_and_the_mapping_dropped_what_it_waited_for(
    scenario, sandbox, names
):
    mapped(scenario, **names, stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert Delivery.objects.get(after__isnull=False).verdict == "unknown_assessment"
    RoleMapping.objects.update(also_assessments=[], next_assessment="")
    scenario.enter(stage="Phone screen")
    scenario.enter()
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]


def test_nothing_is_followed_again_when_a_candidate_with_one_assessment_comes_back(scenario, sandbox):
    mapped(scenario, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    scenario.enter(stage="Phone screen")
    assert scenario.enter().verdict == "already_invited"
    assert written("set_result_tag") == []


def test_the_other_is_followed_when_one_that_could_not_be_sent_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], approval="always", stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    approve(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    scenario.codescreen_fails(status=404)
    other = Invitation.objects.get(assessment_name=NEXT)
    approve(other, "test")
    does(scenario, **PASSED)
    scenario.work()
    assert statuses() == {"Backend": "completed", NEXT: "failed"}
    assert scenario.moves_of() == 0
    cancel(other, "test")
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]
    assert other.effects.get(kind="send_invitation").state == "cancelled"
    assert "was cancelled by an Admin. Nothing was sent." in sandbox.opportunity("Alder")["note_texts"][-1]


@pytest.mark.parametrize("when", ["open", "passed"])
def test_the_rules_of_a_pass_follow_the_next_when_the_candidate_had_it(scenario, sandbox, chain, when):
    by_hand = {"assessment_id": stable_id("acme", "assessment", NEXT), "assessment_name": NEXT}
    scenario.pending_invitation(**by_hand)
    scenario.work()
    if when == "passed":
        does(scenario, NEXT, **PASSED)
        scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    first, second = Invitation.objects.order_by("pk")
    assert (second.after, second.mapping) == (first, chain)
    if when == "open":
        assert scenario.moves_of() == 0
        does(scenario, NEXT, **PASSED)
        scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def next_one(scenario, approval):
    """Return the next one, held where an approval is asked for, else sent."""
    RoleMapping.objects.update(approval=approval)
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    return Invitation.objects.get(assessment_name=NEXT)


@pytest.mark.parametrize("approval", ["always", "never"])
def test_the_pass_before_is_followed_when_a_person_cancels_the_next(scenario, sandbox, chain, approval):
    cancel(next_one(scenario, approval), "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["done"])
    assert len(sandbox.opportunity("Alder")["feedback"]) == 1
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]


def test_nothing_is_followed_when_the_next_is_cancelled_by_leaving_the_stage(scenario, sandbox, chain):
    next_one(scenario, "always")
    scenario.enter(stage="Phone screen")
    assert statuses() == {"Backend": "completed", NEXT: "withdrawn"}
    assert "Passed all" not in sandbox.opportunity("Alder")["tags"]
    scenario.enter()
    assert statuses() == {"Backend": "completed", NEXT: "held"}


def test_a_cancelled_next_is_sent_when_the_candidate_comes_back_into_the_stage(scenario, sandbox, chain):
    cancel(next_one(scenario, "always"), "test")
    scenario.work()
    scenario.enter()
    assert statuses() == {"Backend": "completed", NEXT: "held"}
    approve(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["done", "cancelled"])


def test_a_regrade_to_a_pass_is_followed_when_a_person_has_cancelled_the_next(scenario, sandbox, chain):
    following = next_one(scenario, "never")
    regrade(scenario, **FAILED)
    cancel(following, "test")
    scenario.work()
    assert scenario.moves_of() == 0
    regrade(scenario, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["done"])
    assert sandbox.assessments_sent() == ["Backend", NEXT]


def test_the_other_is_followed_when_one_is_cancelled_before_it_is_sent(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], approval="always", stage_on_pass=TARGET)
    scenario.enter()
    approve(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    other = Invitation.objects.get(assessment_name=NEXT)
    approve(other, "test")
    factories.InvitationFactory.create(
        organization=scenario.organization,
        email=other.email,
        assessment_id=other.assessment_id,
        status="invited",
        instance_id="i-1",
    )
    assert scenario.moves_of() == 0
    scenario.work()
    assert scenario.reread(other).status == "withdrawn"
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["done"])
