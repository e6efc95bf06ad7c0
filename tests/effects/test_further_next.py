"""The assessment that follows once those before are passed."""

import time
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import transaction

from integrations.catalog.lists import stage_name
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import InstanceStatus, Progress
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause
from integrations.effects.kinds.report_file import enqueue_report
from integrations.inbox import facts
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import approve, cancel, invite_again
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.privacy.erase import erase
from integrations.queue import on_request
from integrations.results.recording import record_progress
from portal.devtools.sandbox.values import stable_id
from tests.effects.several import (
    FAILED,
    NEXT,
    PASSED,
    TARGET,
    does,
    next_delivery,
    progress_tags,
    regrade,
    statuses,
)
from tests.support import factories
from tests.support.at_once import run_at_once


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
    first = Invitation.objects.get()
    again = invite_again(first, "test")
    scenario.work()
    does(scenario, **PASSED)
    scenario.work()
    assert sandbox.assessments_sent() == ["Backend", "Backend", NEXT]
    assert Invitation.objects.get(assessment_name=NEXT).after == scenario.reread(again).together == first


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


@pytest.mark.django_db(transaction=True)
def test_nothing_is_broken_off_when_the_next_is_cancelled_while_the_one_before_is_regraded(
    organization, monkeypatch
):
    mapping = RoleMapping.objects.create(
        organization=organization, role="Any", assessment="A", next_assessment="B"
    )
    own = {"organization": organization, "opportunity_id": "o-1", "mapping": mapping}
    first = factories.InvitationFactory.create(
        **own, assessment_id="a", instance_id="i-a", status="completed"
    )
    Result.objects.create(invitation=first, attempt=1, outcome="Passed", score=90)
    following = factories.InvitationFactory.create(**own, assessment_id="b", status="held", after=first)

    def slowly(*args):
        time.sleep(0.5)
        return enqueue_report(*args)

    monkeypatch.setattr("integrations.results.recording.enqueue_report", slowly)
    failed = Progress(InstanceStatus.COMPLETE, outcome="Failed", score=Decimal(10))

    def record():
        with transaction.atomic():
            record_progress(Invitation.objects.reread_locked(first), failed)

    def stop():
        time.sleep(0.2)
        with suppress(ActionNotAllowed):  # the regrade may have cancelled it
            cancel(following, "test")

    work = iter([record, stop])
    assert run_at_once(lambda: next(work)(), times=2) == []
    following.refresh_from_db()
    assert following.status == "withdrawn"
