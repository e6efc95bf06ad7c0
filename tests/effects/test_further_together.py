"""Several assessments that a mapping sends together."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients.models import ApiCall
from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve
from integrations.invitations.models.invitation import Invitation
from integrations.results.recording import record_progress
from portal.devtools.sandbox.values import stable_id
from tests.effects.several import (
    FAILED,
    NEXT,
    PASSED,
    TARGET,
    does,
    mapped,
    progress_tags,
    regrade,
    statuses,
)
from tests.support import factories
from tests.support.at_once import run_at_once


def test_each_link_is_sent_once_when_a_mapping_sends_two_together(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    assert sandbox.assessments_sent() == ["Backend", NEXT]
    first, second = Invitation.objects.order_by("pk")
    assert (first.together, second.together, second.after) == (first, first, None)
    further_one = Delivery.objects.get(event="together")
    assert (further_one.verdict, further_one.after, further_one.invitation) == ("invite", first, second)
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]


def test_the_candidate_is_read_once_when_two_are_sent_together(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    assert ApiCall.objects.filter(method="GET", path__contains="/opportunities/").count() == 1


def test_both_wait_for_approval_when_the_mapping_asks_for_one(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], approval="always")
    scenario.enter()
    assert statuses() == {"Backend": "held", NEXT: "held"}
    approve(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert sandbox.assessments_sent() == [NEXT]


def test_each_counts_for_the_bulk_limit_when_two_are_sent_together(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.set_policies(bulk_limit=1)
    scenario.enter()
    assert statuses() == {"Backend": "invited", NEXT: "held"}


def test_the_other_is_sent_when_one_was_sent_by_hand(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.sent_invitation()
    assert scenario.enter().verdict == "already_invited"
    assert sandbox.assessments_sent() == ["Backend", NEXT]


def test_the_first_is_sent_when_the_further_one_is_unknown(scenario, sandbox):
    mapped(scenario, also_assessments=["Fronted"])
    scenario.enter()
    assert sandbox.assessments_sent() == ["Backend"]
    assert Delivery.objects.get(event="together").verdict == "unknown_assessment"


def test_both_are_cancelled_when_the_candidate_leaves_before_they_are_sent(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], approval="always")
    scenario.enter()
    scenario.enter(stage="Phone screen")
    assert statuses() == {"Backend": "withdrawn", NEXT: "withdrawn"}
    scenario.enter()
    assert statuses() == {"Backend": "held", NEXT: "held"}


def test_what_follows_waits_until_all_sent_together_are_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer", stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    assert sandbox.assessments_sent() == ["Backend", NEXT]
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Data Engineer", NEXT]
    does(scenario, "Data Engineer", **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_one_next_is_sent_when_two_results_come_in_quick_order(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer")
    scenario.enter()
    for assessment in (NEXT, "Backend"):
        sandbox.codescreen_does(
            "candidate",
            action=["start", "submit", "evaluate"],
            email="alder@candidates.example",
            assessment=assessment,
            **PASSED,
        )
    scenario.poll()
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Data Engineer", NEXT]


def test_people_are_told_when_the_first_fails_after_the_move_of_the_other(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET
    regrade(scenario, **FAILED)
    scenario.work()
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"changed after the candidate was moved to “{TARGET}”" in note


def test_the_tag_is_that_of_the_least_advanced_when_two_are_open(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    scenario.candidate_does("start")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    scenario.candidate_does("start", assessment=NEXT)
    assert progress_tags(sandbox) == ["CodeScreen: Assessment in Progress"]
    scenario.candidate_does("submit", "evaluate", **PASSED)
    assert progress_tags(sandbox) == ["CodeScreen: Assessment in Progress"]
    scenario.candidate_does("submit", "evaluate", assessment=NEXT, **PASSED)
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]


@pytest.mark.parametrize("event", ["together", "next"])
def test_a_webhook_from_outside_is_ignored_when_it_calls_itself_so(scenario, sandbox, event):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer")
    scenario.place()
    delivery = Delivery.objects.create(
        organization=scenario.organization,
        platform="lever",
        event=event,
        dedupe_key="id:1",
        opportunity_id=sandbox.opportunity_id("Alder"),
        payload={
            "event": event,
            "assessment": NEXT,
            "data": {
                "opportunityId": sandbox.opportunity_id("Alder"),
                "toStageId": sandbox.stage_id("CodeScreen Assessment"),
            },
        },
    )
    scenario.work()
    delivery.refresh_from_db()
    assert delivery.verdict == "ignored_event"
    assert not Invitation.objects.exists()


def test_nothing_is_stored_for_a_mapping_with_one_assessment(scenario):
    mapped(scenario)
    scenario.enter()
    assert Delivery.objects.count() == 1
    assert Invitation.objects.get().together is None


@pytest.mark.django_db(transaction=True)
def test_one_of_two_results_sees_the_other_when_they_are_recorded_at_once(organization):
    mapping = RoleMapping.objects.create(
        organization=organization, role="Any", assessment="A", next_assessment="C"
    )
    own = {"organization": organization, "opportunity_id": "o-1", "mapping": mapping, "status": "submitted"}
    first = factories.InvitationFactory.create(**own, assessment_id="a", instance_id="i-a")
    Invitation.objects.update(together=first)
    second = factories.InvitationFactory.create(**own, assessment_id="b", instance_id="i-b", together=first)
    evaluated = Progress(InstanceStatus.COMPLETE, outcome="Passed", score=Decimal(90))

    both = iter([first, second])

    def record():
        with transaction.atomic():
            record_progress(Invitation.objects.reread_locked(next(both)), evaluated)
            time.sleep(0.3)

    assert run_at_once(record, times=2) == []
    assert Delivery.objects.filter(event="next", after=first).count() == 1


def had_before(scenario, **own):
    """Let the candidate fail an assessment, and store a mapping that sends it together with the next one."""
    scenario.sent_invitation()
    does(scenario, **FAILED)
    scenario.work()
    mapping = mapped(scenario, also_assessments=["Backend"], stage_on_pass=TARGET, passed_tag="All", **own)
    RoleMapping.objects.update(assessment=NEXT)
    scenario.enter()
    earlier, first = Invitation.objects.order_by("pk")
    assert (earlier.together, first.together, earlier.mapping) == (first, first, mapping)


def test_what_follows_waits_for_one_sent_together_when_the_candidate_had_it(scenario, sandbox):
    had_before(scenario, next_assessment="Data Engineer")
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"
    assert "All" not in sandbox.opportunity("Alder")["tags"]
    assert sandbox.assessments_sent() == ["Backend", NEXT]
    regrade(scenario, **PASSED)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Data Engineer", NEXT]


def test_a_pass_is_complete_when_the_one_sent_together_was_passed_before(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET, passed_tag="All")
    by_hand = {"assessment_id": stable_id("acme", "assessment", NEXT), "assessment_name": NEXT}
    scenario.pending_invitation(**by_hand)
    scenario.work()
    does(scenario, NEXT, **PASSED)
    scenario.work()
    scenario.enter()
    assert scenario.moves_of() == 0
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]


def test_nothing_follows_a_pass_when_one_of_several_is_unknown(scenario, sandbox):
    mapped(scenario, also_assessments=["Fronted"], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"
    RoleMapping.objects.update(also_assessments=[NEXT])
    scenario.enter(stage="Phone screen")
    scenario.enter()
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_the_tag_says_that_one_was_not_started_when_the_other_was_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.set_policies(not_started_days=3)
    scenario.enter()
    days_ago = timezone.now() - timedelta(days=4)
    Invitation.objects.update(changed_at=days_ago, followed_since=days_ago)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    scenario.poll()
    scenario.work()
    assert Invitation.objects.get(assessment_name="Backend").unstarted_tag
    assert progress_tags(sandbox) == ["CodeScreen: Not Started Yet"]
