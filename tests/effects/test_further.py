"""Several assessments by one mapping: those sent together, and the one that follows once they are passed."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.catalog.lists import stage_name
from integrations.catalog.models import RoleMapping
from integrations.clients.models import ApiCall
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.core.vocabulary import ErasureCause
from integrations.effects.follow_pass import follow_without
from integrations.inbox import facts
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve, cancel, invite_again
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.outbox.models import Effect
from integrations.privacy.erase import erase
from integrations.queue import on_request
from integrations.results.recording import record_progress
from portal.devtools.sandbox.values import stable_id
from tests.support import factories
from tests.support.at_once import run_at_once

NEXT = "Frontend Developer"
TARGET = "On-site interview"
FAILED = {"score": 10, "result": "Failed"}
PASSED = {"score": 90, "result": "Passed"}


def mapped(scenario, **own):
    """Store the mapping for Alder's role."""
    return RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", assessment="Backend", **own
    )


@pytest.fixture
def chain(scenario):
    """A mapping whose next assessment follows the first, and a candidate who was invited by it."""
    mapping = mapped(scenario, next_assessment=NEXT, stage_on_pass=TARGET, passed_tag="Passed all")
    scenario.enter()
    return mapping


def does(scenario, assessment="Backend", **verdict):
    """Let the candidate hand in an assessment, which is evaluated so; nothing that follows is worked yet."""
    scenario.sandbox.codescreen_does(
        "candidate",
        action=["start", "submit", "evaluate"],
        email="alder@candidates.example",
        assessment=assessment,
        **verdict,
    )
    scenario.poll()


def regrade(scenario, assessment="Backend", **verdict):
    """Change the result; nothing that follows is worked yet."""
    scenario.sandbox.codescreen_does(
        "candidate",
        action=["regrade"],
        email="alder@candidates.example",
        assessment=assessment,
        **verdict,
    )
    scenario.poll()


def statuses():
    """Return the status of each invitation by its assessment."""
    return dict(Invitation.objects.values_list("assessment_name", "status"))


def progress_tags(sandbox):
    return [tag for tag in sandbox.opportunity("Alder")["tags"] if tag.startswith("CodeScreen:")]


def next_delivery():
    return Delivery.objects.get(event="next")


def test_the_next_assessment_is_sent_once_when_the_one_before_is_passed(scenario, sandbox, chain):
    does(scenario, **PASSED)
    assert statuses() == {"Backend": "completed"}
    scenario.work()
    first, second = Invitation.objects.order_by("pk")
    assert (second.assessment_name, second.status, second.after, second.mapping) == (
        NEXT,
        "invited",
        first,
        chain,
    )
    verdict = next_delivery().verdicts.get()
    assert (verdict.code, verdict.cause, verdict.assessment_source) == ("invite", "mapping", "next")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    assert scenario.stage_of() == "CodeScreen Assessment"
    assert "Passed all" not in sandbox.opportunity("Alder")["tags"]


def test_the_rules_of_a_pass_follow_the_last_assessment(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]


@pytest.mark.parametrize("verdict", [FAILED, {"score": 90}])
def test_nothing_follows_when_the_result_is_no_pass(scenario, sandbox, chain, verdict):
    if "result" not in verdict:
        sandbox.codescreen_does("settings", metadata=False)
    does(scenario, **verdict)
    scenario.work()
    assert statuses() == {"Backend": "completed"}
    assert not Delivery.objects.filter(event="next").exists()


def test_the_next_assessment_is_sent_when_the_score_meets_the_bar(scenario, sandbox, chain):
    RoleMapping.objects.update(passing_score=80)
    sandbox.codescreen_does("settings", metadata=False)
    does(scenario, score=90)
    scenario.work()
    assert statuses() == {"Backend": "completed", NEXT: "invited"}


def test_nothing_is_sent_when_a_regrade_comes_before_the_decision(scenario, sandbox, chain):
    does(scenario, **PASSED)
    regrade(scenario, **FAILED)
    scenario.work()
    assert statuses() == {"Backend": "completed"}
    assert next_delivery().verdict == "nothing_follows"
    assert "“Backend” is no longer passed" in next_delivery().explanation
    assert sandbox.opportunity("Alder")["note_texts"] == []


def test_an_unsent_next_assessment_is_cancelled_when_a_regrade_fails_the_one_before(scenario, sandbox, chain):
    RoleMapping.objects.update(approval="always")
    does(scenario, **PASSED)
    scenario.work()
    assert statuses()[NEXT] == "held"
    regrade(scenario, **FAILED)
    scenario.work()
    second = Invitation.objects.get(assessment_name=NEXT)
    assert (second.status, second.status_reason) == (
        "withdrawn",
        "“Backend” is no longer passed, so the next assessment isn't sent.",
    )
    assert sandbox.assessments_sent() == ["Backend"]
    regrade(scenario, **PASSED)
    scenario.work()
    assert statuses()[NEXT] == "held"


def test_a_note_says_that_the_next_was_sent_when_a_regrade_fails_the_one_before(
    scenario, sandbox, chain, super_admin
):
    does(scenario, **PASSED)
    scenario.work()
    regrade(scenario, **FAILED)
    scenario.work()
    assert statuses() == {"Backend": "completed", NEXT: "invited"}
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert (
        f"The result of “Backend” changed after “{NEXT}” was sent to the candidate. Now it is: Failed" in note
    )
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"


def test_one_link_is_sent_when_a_regrade_comes_while_the_next_is_being_sent(
    scenario, sandbox, chain, monkeypatch
):
    does(scenario, **PASSED)

    def send(client, assessment_id, *rest):
        regrade(scenario, **FAILED)
        return original(client, assessment_id, *rest)

    original = CodeScreenClient.send
    monkeypatch.setattr(CodeScreenClient, "send", send)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", NEXT]
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"“{NEXT}” was sent or is being sent to the candidate." in note


def test_nobody_is_invited_twice_when_the_next_was_sent_by_hand(scenario, sandbox, chain):
    by_hand = {"assessment_id": stable_id("acme", "assessment", NEXT), "assessment_name": NEXT}
    scenario.pending_invitation(**by_hand)
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", NEXT]
    assert next_delivery().verdict == "already_invited"


def test_the_verdict_says_so_when_the_candidate_left_the_stage(scenario, sandbox, chain):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="Phone screen")
    does(scenario, **PASSED)
    scenario.work()
    assert next_delivery().verdict == "left_stage"
    assert sandbox.assessments_sent() == ["Backend"]


def test_the_next_assessment_is_sent_when_the_candidate_comes_back_into_the_stage(scenario, sandbox, chain):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="Phone screen")
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.enter().verdict == "already_invited"
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", NEXT]


def test_the_next_assessment_waits_for_the_end_of_a_pause(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.set_policies(paused=True)
    scenario.work()
    assert next_delivery().verdict == "paused"
    scenario.set_policies(paused=False)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", NEXT]


def test_nothing_follows_when_the_mapping_is_deleted_before_the_decision(scenario, sandbox, chain):
    does(scenario, **PASSED)
    chain.delete()
    scenario.work()
    assert next_delivery().verdict == "nothing_follows"
    assert sandbox.assessments_sent() == ["Backend"]


def test_nobody_is_invited_when_the_person_is_erased_before_the_decision(scenario, sandbox, chain):
    does(scenario, **PASSED)
    erase(scenario.organization, sandbox.opportunity_id("Alder"), ErasureCause.DELETED, "Lever")
    scenario.work()
    assert next_delivery().verdict == "erased"
    assert sandbox.assessments_sent() == ["Backend"]


def test_a_later_round_decides_whether_the_next_follows(scenario, sandbox, chain):
    does(scenario, **FAILED)
    scenario.work()
    invite_again(Invitation.objects.get(), "test")
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Backend", NEXT]
    assert Invitation.objects.get(assessment_name=NEXT, after__round=2)


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


def test_a_regrade_is_told_when_the_mapping_is_deleted_after_the_next_was_sent(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    chain.delete()
    regrade(scenario, **FAILED)
    scenario.work()
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert f"“{NEXT}” was sent" in note


def test_nothing_is_sent_when_a_regrade_comes_while_the_next_is_decided(
    scenario, sandbox, chain, monkeypatch
):
    does(scenario, **PASSED)
    original = LeverClient.opportunity

    def read(client, opportunity_id):
        if Result.objects.filter(outcome="Passed").exists():
            regrade(scenario, **FAILED)
        return original(client, opportunity_id)

    monkeypatch.setattr(LeverClient, "opportunity", read)
    scenario.work()
    assert next_delivery().verdict == "nothing_follows"
    assert sandbox.assessments_sent() == ["Backend"]


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


def test_the_candidate_is_moved_when_a_regrade_passes_the_first_after_the_next_was_passed(
    scenario, sandbox, chain
):
    does(scenario, **PASSED)
    scenario.work()
    regrade(scenario, **FAILED)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    assert scenario.stage_of() == "CodeScreen Assessment"
    regrade(scenario, **PASSED)
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def test_the_other_is_followed_when_one_is_cancelled_after_it_was_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert scenario.stage_of() == TARGET


def test_next_is_sent_when_one_is_cancelled_after_the_other_was_passed(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Data Engineer", NEXT]


def test_the_next_is_sent_when_a_regrade_to_a_pass_comes_while_it_is_decided(
    scenario, sandbox, chain, monkeypatch
):
    does(scenario, **PASSED)
    regrade(scenario, **FAILED)

    def name(*where):
        if Result.objects.latest("pk").outcome == "Failed":
            regrade(scenario, **PASSED)
        return stage_name(*where)

    monkeypatch.setattr(facts, "stage_name", name)
    scenario.work()
    assert next_delivery().verdict == "invite"
    assert sandbox.assessments_sent() == ["Backend", NEXT]


@pytest.mark.django_db(transaction=True)
def test_what_a_further_delivery_would_lead_to_is_shown_when_nothing_is_locked(scenario, chain):
    does(scenario, **PASSED)
    scenario.work()
    assert on_request.preview(next_delivery()).verdict == "already_invited"


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


def test_the_rules_of_a_pass_follow_when_the_mapping_names_no_next_any_more(scenario, sandbox, chain):
    does(scenario, **PASSED)
    RoleMapping.objects.update(next_assessment="")
    scenario.work()
    assert next_delivery().verdict == "nothing_follows"
    assert scenario.stage_of() == TARGET
    assert "Passed all" in sandbox.opportunity("Alder")["tags"]


def test_the_tag_is_that_of_the_other_when_one_is_cancelled_by_leaving_the_stage(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], passed_tag="All")
    scenario.set_policies(leaving="stop")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    scenario.enter(stage="Phone screen")
    assert statuses() == {"Backend": "completed", NEXT: "withdrawn"}
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]
    assert "All" in sandbox.opportunity("Alder")["tags"]


def held_next(scenario):
    """Let the one before be passed, and the next one wait for approval."""
    RoleMapping.objects.update(approval="always")
    does(scenario, **PASSED)
    scenario.work()
    return Invitation.objects.get(assessment_name=NEXT, status="held")


def test_a_held_next_is_cancelled_when_the_one_before_is_open_again(scenario, sandbox, chain):
    second = held_next(scenario)
    scenario.sandbox.codescreen_does(
        "candidate", action=["reopen"], email="alder@candidates.example", assessment="Backend"
    )
    scenario.poll()
    assert statuses()["Backend"] == "in_progress"
    approve(second, "test")
    scenario.work()
    second.refresh_from_db()
    assert second.status == "withdrawn"
    assert second.status_reason == "“Backend” is no longer passed, so the next assessment isn't sent."
    assert sandbox.assessments_sent() == ["Backend"]


def test_a_held_next_is_cancelled_when_a_later_round_of_the_one_before_fails(scenario, sandbox, chain):
    second = held_next(scenario)
    scenario.work()
    invite_again(Invitation.objects.get(assessment_name="Backend"), "test")
    scenario.work()
    does(scenario, **FAILED)
    scenario.work()
    second.refresh_from_db()
    assert second.status == "withdrawn"
    assert sandbox.assessments_sent() == ["Backend", "Backend"]


def test_a_next_that_a_person_sends_again_is_sent_when_the_one_before_is_no_pass(scenario, sandbox, chain):
    does(scenario, **PASSED)
    scenario.work()
    does(scenario, NEXT, **FAILED)
    regrade(scenario, **FAILED)
    scenario.work()
    invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", NEXT, NEXT]


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


def written(kind):
    """Return the states of the effects of a kind."""
    return list(Effect.objects.filter(kind=kind).order_by("pk").values_list("state", flat=True))


def test_feedback_is_written_once_when_the_pass_waited_for_one_that_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    does(scenario, **PASSED)
    scenario.work()
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert written("write_feedback") == ["done"]
    assert (written("move_stage"), written("set_result_tag")) == (["done"], ["done"])
    assert "All" in sandbox.opportunity("Alder")["tags"]
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Completed"]


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


def test_the_tag_says_that_one_expired_when_the_other_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    scenario.candidate_does("expire")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Assessment Expired"]


def test_the_tag_is_that_of_the_one_in_progress_when_the_other_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT])
    scenario.enter()
    scenario.candidate_does("start")
    assert progress_tags(sandbox) == ["CodeScreen: Candidate Invited"]
    cancel(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert progress_tags(sandbox) == ["CodeScreen: Assessment in Progress"]


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


def test_the_candidate_is_moved_when_a_later_round_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, NEXT, **PASSED)
    does(scenario, **PASSED)
    again = invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == ("CodeScreen Assessment", ["cancelled"])
    cancel(again, "test")
    scenario.work()
    assert (scenario.stage_of(), written("move_stage")) == (TARGET, ["cancelled", "done"])


def test_what_follows_the_next_does_when_one_before_it_is_cancelled(scenario, sandbox):
    mapped(scenario, also_assessments=[NEXT], next_assessment="Data Engineer", stage_on_pass=TARGET)
    scenario.enter()
    does(scenario, **PASSED)
    does(scenario, NEXT, **PASSED)
    scenario.work()
    again = invite_again(Invitation.objects.get(assessment_name=NEXT), "test")
    scenario.work()
    does(scenario, "Data Engineer", **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    cancel(again, "test")
    scenario.work()
    assert (scenario.stage_of(), scenario.moves_of()) == (TARGET, 1)


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
