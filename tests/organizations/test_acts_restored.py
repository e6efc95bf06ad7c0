"""After a restored backup was recorded nothing is sent or written twice, and who was missed is invited."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.core.rules.facts import EnteredBefore
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox import decide_delivery, sweep
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.acts.chosen import invite_offered
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import record_restore
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import duty_runs, factories
from tests.support.effects import enqueue_note

STAGE = "CodeScreen Assessment"


def ago(**span):
    """Return the time so long ago."""
    return timezone.now() - timedelta(**span)


def cause_of(delivery):
    """Return why the candidate of a delivery was offered."""
    return next(cause for cause in EnteredBefore if cause.explain(STAGE) == delivery.explanation)


@pytest.fixture
def acme(scenario):
    """The scenario's organization, connected long before the backup."""
    Organization.objects.update(created_at=ago(days=90))
    LeverConnection.objects.update(first_connected_at=ago(days=80), swept_at=ago(hours=5))
    return scenario.organization


@pytest.fixture
def restore(acme, super_admin):
    """Return what records that the backup of five hours ago was restored, and the portal stopped an hour ago."""
    since = ago(hours=5)

    def restore(until=None):
        return record_restore(acme, since, until or ago(hours=1), super_admin)

    return restore


@pytest.fixture
def enter(sandbox):
    """Return what moves a candidate into the stage in Lever so long ago, without a webhook."""
    sandbox.lever_does("settings", webhooks_enabled=False)

    def enter(word="Alder", stage=STAGE, **span):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=stage)
        sandbox.set_entered_at(word, ago(**span))
        return sandbox.opportunity_id(word)

    return enter


@pytest.mark.parametrize("status", ["pending", "sending"])
def test_an_invitation_that_waited_in_the_backup_is_left_to_a_person(
    scenario, sandbox, restore, super_admin, status
):
    invitation = scenario.pending_invitation(checked_at=timezone.now())
    Invitation.objects.update(status=status, changed_at=ago(hours=6))
    until = ago(hours=1)
    assert restore(until).uncertain == 1
    scenario.work_waiting()
    row = scenario.reread(invitation)
    assert row.status == "uncertain"
    assert row.first_call_at is not None, "it is never sent again automatically"
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("uncertain", 0)
    invitations.send_again(scenario.reread(invitation), super_admin)
    again = restore(until)
    assert (again.is_new, again.uncertain) == (False, 0)
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


def test_recording_the_same_restore_again_keeps_its_end_and_writes_no_entry(acme, super_admin):
    since = ago(hours=5)
    first, again = (record_restore(acme, since, None, super_admin) for _ in range(2))
    assert (first.is_new, again.is_new, again.until) == (True, False, first.until)
    assert AuditEntry.objects.filter(action="record_restore").count() == 1
    corrected = record_restore(acme, since, ago(hours=2), super_admin)
    assert corrected.is_new
    acme.refresh_from_db()
    assert acme.rows_lost_until == corrected.until


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (timedelta(hours=1), timedelta(hours=2), "can't be later"),
        (timedelta(hours=1), timedelta(hours=-1), "can't be later"),
        (timedelta(days=91), timedelta(hours=1), "can't hold it"),
    ],
)
def test_times_that_cannot_be_are_refused(acme, super_admin, since, until, message):
    now = timezone.now()
    with pytest.raises(ActionNotAllowed, match=message):
        record_restore(acme, now - since, now - until, super_admin)
    acme.refresh_from_db()
    assert acme.rows_lost_from is None


@pytest.mark.parametrize(
    ("hours", "is_webhook"), [(10, False), (3, True)], ids=["before the backup", "since the backup"]
)
def test_who_entered_before_the_end_of_what_is_lost_is_offered(
    scenario, sandbox, acme, restore, enter, hours, is_webhook
):
    enter(hours=hours)
    restore()
    if is_webhook:  # rerun in Lever
        scenario.deliver()
    else:
        assert queue_acts.sweep_organization(acme) == 0
    scenario.work()
    delivery = Delivery.objects.get()
    assert (delivery.verdict, cause_of(delivery)) == ("entered_before", EnteredBefore.RESTORE)
    assert "restored from a backup" in delivery.explanation
    assert sandbox.invitations_sent() == 0


def test_what_may_have_been_sent_is_offered_after_a_new_entry_too_until_a_person_chose(
    scenario, sandbox, acme, restore, enter, super_admin
):
    enter(hours=3)
    restore()
    queue_acts.sweep_organization(acme)
    scenario.work()
    for _ in range(2):
        scenario.enter(stage="Phone screen")
        delivery = scenario.enter()
        assert (delivery.verdict, cause_of(delivery)) == ("entered_before", EnteredBefore.RESTORE)
    assert sandbox.invitations_sent() == 0
    invite_offered(acme, super_admin, delivery.pk)
    scenario.work()
    assert sandbox.invitations_sent() == 1


@pytest.mark.parametrize("is_chosen", [False, True])
def test_a_stage_change_that_waited_in_the_backup_is_offered(
    scenario, sandbox, acme, restore, enter, is_chosen
):
    opportunity_id = enter(hours=6)
    factories.DeliveryFactory.create(
        organization=acme,
        opportunity_id=opportunity_id,
        payload={"data": {"opportunityId": opportunity_id, "toStageId": sandbox.stage_id(STAGE)}},
        received_at=ago(hours=6),
        chosen_at=ago(hours=6) if is_chosen else None,
    )
    assert restore().undecided == 1
    scenario.work()
    assert (Delivery.objects.get().verdict, sandbox.invitations_sent()) == ("entered_before", 0)


@pytest.mark.parametrize("days", [1, 40, 80])
def test_who_comes_back_after_their_candidacy_was_deleted_is_offered(
    scenario, sandbox, acme, super_admin, days
):
    opportunity_id = sandbox.opportunity_id("Tamarack")
    sandbox.lever_does("delete", opportunities=[opportunity_id])
    deleted = sandbox.account.deleted[opportunity_id]
    deleted.deleted_at = int(ago(days=days, hours=3).timestamp() * 1000)
    # the backup is older by more than the time that Lever lists the deleted of at once
    record_restore(acme, ago(days=min(days + 35, 90)), ago(days=days, hours=2), super_admin)
    acme.role_mappings.create(role="Frontend Engineer", assessment="Backend")
    delivery = scenario.enter("Tamarack again")
    assert (delivery.verdict, cause_of(delivery)) == ("entered_before", EnteredBefore.RESTORE_ELSEWHERE)
    assert sandbox.invitations_sent() == 0


def test_the_deleted_of_a_time_that_lever_lists_are_offered_when_it_refuses_an_earlier_one(
    scenario, sandbox, acme, super_admin
):
    opportunity_id = sandbox.opportunity_id("Tamarack")
    sandbox.lever_does("delete", opportunities=[opportunity_id])
    record_restore(acme, ago(days=36), None, super_admin)
    acme.role_mappings.create(role="Frontend Engineer", assessment="Backend")
    refused = {"kind": "status", "status": 400, "path": "/opportunities/deleted", "times": 1}
    sandbox.lever.faults.load({"rules": [refused]})
    delivery = scenario.enter("Tamarack again")
    assert (delivery.verdict, cause_of(delivery)) == ("entered_before", EnteredBefore.RESTORE_ELSEWHERE)
    assert sandbox.invitations_sent() == 0


def lose_the_result(invitation):
    """Make the rows those of a backup from before the result."""
    Effect.objects.filter(invitation=invitation).exclude(kind="send_invitation").delete()
    Result.objects.all().delete()
    Invitation.objects.update(
        status="invited", feedback_id="", completed_at=None, started_at=None, submitted_at=None
    )


def test_feedback_that_was_written_since_the_backup_is_updated(scenario, sandbox, acme, restore):
    invitation = scenario.evaluated_invitation(score=40, result="Failed")
    scenario.work()
    Invitation.objects.update(created_at=ago(hours=6))
    lose_the_result(invitation)
    restore()
    scenario.poll()
    scenario.work()
    assert scenario.latest_effect("write_feedback").state == "done"
    assert len(sandbox.opportunity("Alder")["feedback"]) == 1


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["followed", "cancelled"])
def test_a_tag_that_lost_rows_replaced_is_set_again_where_the_candidate_is_followed(
    scenario, sandbox, acme, restore, super_admin, is_cancelled
):
    invitation = scenario.sent_invitation()
    if is_cancelled:
        invitations.cancel(invitation, super_admin)
    Effect.objects.update(created_at=ago(hours=6))
    tags = sandbox.account.opportunities[invitation.opportunity_id].tags
    tags[:] = ["CodeScreen: Assessment Completed"]
    for _ in range(2):
        restore()
        scenario.work()
    assert tags == [f"CodeScreen: {'Assessment Completed' if is_cancelled else 'Candidate Invited'}"]


def test_a_note_that_was_left_since_the_backup_is_not_left_again(scenario, sandbox, acme, restore):
    invitation = scenario.sent_invitation()
    Invitation.objects.update(created_at=ago(hours=6))
    for _ in range(2):
        enqueue_note(acme, invitation.opportunity_id, "code", "CodeScreen: a note.", invitation=invitation)
        scenario.work()
        Effect.objects.filter(kind="leave_note").delete()
        restore()
    assert len(sandbox.opportunity("Alder")["note_texts"]) == 1


def test_a_sweep_under_way_does_not_end_what_a_restore_has_compared_anew(acme, restore, enter, monkeypatch):
    enter(hours=3)
    decide = decide_delivery.decide_delivery

    def restore_and_decide(*args, **kwargs):
        restore()
        return decide(*args, **kwargs)

    monkeypatch.setattr(sweep, "decide_delivery", restore_and_decide)
    organization = Organization.objects.reread(acme.pk)
    duty_runs.sweep_whole(organization, is_full=False)
    assert LeverConnection.objects.get(organization=acme).swept_at is None


def test_a_duty_does_not_go_on_from_its_place_in_the_backup(acme, restore):
    for duty in (Duty.SWEEP, Duty.SWEEP_FULLY, Duty.FOLLOW_ERASURES):
        DutyRun.objects.create(organization=acme, duty=duty, place={"next": "page"})
    restore()
    assert [run.place for run in DutyRun.objects.exclude(duty=Duty.PURGE)] == [{}, {}, {}]
