"""Making the effects fit: what is wanted is enqueued once, replaced, cancelled and made due again."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.case.case import Case
from integrations.case.reconcile import NO_LONGER_WANTED, changing, is_replaced, reconcile
from integrations.case.wanted import wanted
from integrations.catalog.models import RoleMapping
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return factories.OrganizationFactory.create(
        passed_tag="passed", failed_tag="failed", stage_on_pass="On-site", attach_report=True
    )


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(organization=organization)


def become(invitation: Invitation, status: str, **columns) -> None:
    with changing(invitation.organization, invitation.opportunity_id) as case:
        case.invitation(invitation.pk).move(status, **columns)


def complete(invitation: Invitation, outcome: str, score: int = 80) -> None:
    """Record a result, as a poll does."""
    with changing(invitation.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        case.results[own.pk], _ = Result.objects.update_or_create(
            invitation=own,
            attempt=1,
            defaults={"outcome": outcome, "score": score, "report_url": "https://report.example/1"},
        )
        own.move(Status.COMPLETED, completed_at=case.now)


def send(invitation: Invitation) -> None:
    become(invitation, Status.PENDING)
    become(invitation, Status.SENDING)
    become(invitation, Status.INVITED, instance_id=f"i-{invitation.pk}", invited_at=timezone.now())


def finish(**filters) -> None:
    Effect.objects.filter(state="due", **filters).update(state="done", due_at=None)


def kinds(**filters) -> list[str]:
    return sorted(Effect.objects.filter(**filters).values_list("kind", flat=True))


def everything() -> list[tuple[object, ...]]:
    return list(Effect.objects.order_by("pk").values_list("pk", "kind", "state", "key", "due_at"))


def test_nothing_is_written_when_it_is_run_again(invitation):
    send(invitation)
    complete(invitation, "Passed")
    complete(invitation, "Failed", 20)
    before = everything()
    with transaction.atomic():
        reconcile(Case.read(invitation.organization, invitation.opportunity_id, is_locked=True))
    with changing(invitation.organization, invitation.opportunity_id):
        pass
    assert everything() == before


def test_what_lever_is_to_show_asks_the_database_nothing_when_a_case_was_read(
    invitation, django_assert_num_queries
):
    own = {"role": "Engineer", "assessment": "Backend", "stage_on_pass": "Phone screen"}
    mapping = RoleMapping.objects.create(organization=invitation.organization, **own)
    Invitation.objects.update(mapping=mapping)
    send(invitation)
    complete(invitation, "Passed")
    case = Case.read(invitation.organization, invitation.opportunity_id)
    with django_assert_num_queries(0):
        effects = wanted(case).effects
    assert "Phone screen" in [want.payload.to_json().get("stage") for want in effects]


def test_a_rule_that_is_switched_on_later_reaches_nobody_who_was_through(invitation):
    organization = invitation.organization
    organization.stage_on_pass, organization.attach_report = "", False
    send(invitation)
    complete(invitation, "Passed")
    organization.stage_on_pass, organization.attach_report = "On-site", True
    with changing(organization, invitation.opportunity_id) as case:
        case.invitation(invitation.pk).change(raw_status="Complete")
    assert not set(kinds()) & {"move_stage", "attach_report"}


def test_a_regrade_replaces_what_waits_and_cancels_the_move(invitation):
    send(invitation)
    finish()
    complete(invitation, "Passed")
    complete(invitation, "Failed", 20)
    assert kinds(state="cancelled") == ["attach_report", "move_stage", "set_result_tag", "write_feedback"]
    assert {effect.last_error for effect in Effect.objects.filter(state="cancelled")} <= set(
        NO_LONGER_WANTED.values()
    )
    assert Effect.objects.get(kind="set_result_tag", state="due").payload["tag"] == "failed"


def test_a_move_is_due_again_when_the_result_says_the_same_again(invitation):
    send(invitation)
    complete(invitation, "Passed")
    complete(invitation, "Failed", 20)
    complete(invitation, "Passed")
    move = Effect.objects.get(kind="move_stage")
    assert (move.state, move.end_reason) == ("due", "")


def test_what_an_erasure_ended_is_not_done_after_all(invitation):
    send(invitation)
    tag = Effect.objects.filter(kind="set_progress_tag")
    tag.update(state="cancelled", due_at=None, end_reason="erased")
    become(invitation, Status.INVITED)
    assert tag.get().state == "cancelled"


def test_a_note_that_was_cancelled_is_not_left_when_its_rule_is_on_again(invitation):
    Invitation.objects.update(status="held", changed_at=timezone.now() - timedelta(hours=1))
    states = []
    for is_on in (True, False, True):
        invitation.organization.note_on_wait = is_on
        with changing(invitation.organization, invitation.opportunity_id):
            pass
        states.append(Effect.objects.get(kind="leave_note").state)
    assert states == ["due", "cancelled", "cancelled"]


def test_a_move_alone_is_cancelled_when_the_assessment_is_open_again(invitation):
    send(invitation)
    finish()
    complete(invitation, "Passed")
    become(invitation, Status.IN_PROGRESS)
    assert kinds(state="cancelled") == ["move_stage", "set_progress_tag"]


def test_what_a_worker_holds_is_left_to_its_step(invitation):
    send(invitation)
    Effect.objects.filter(kind="set_progress_tag").update(leased_until=timezone.now() + timedelta(minutes=1))
    become(invitation, Status.IN_PROGRESS)
    held = Effect.objects.get(kind="set_progress_tag", leased_until__isnull=False)
    assert held.state == "due"
    assert is_replaced(held)
    later = Effect.objects.get(kind="set_progress_tag", leased_until__isnull=True)
    assert (later.payload["tag"], is_replaced(later)) == (ProgressTag.IN_PROGRESS, False)


@pytest.mark.parametrize(
    ("status", "state", "then"),
    [
        (Status.WITHDRAWN, "due", "cancelled"),
        (Status.WITHDRAWN, "failed", "cancelled"),
        (Status.HELD, "due", "cancelled"),
        (Status.PENDING, "failed", "due"),
        (Status.PENDING, "cancelled", "due"),
        (Status.FAILED, "failed", "failed"),
    ],
)
def test_the_one_sending_is_due_while_it_is_to_be_sent(invitation, status, state, then):
    become(invitation, Status.PENDING)
    sending = Effect.objects.filter(kind="send_invitation")
    sending.update(state=state, **({} if state == "due" else {"due_at": None}))
    Invitation.objects.update(status=status)
    become(invitation, status)
    assert sending.get().state == then


def test_the_candidates_outcome_is_what_codescreen_states_while_it_is_completed(invitation):
    factories.CandidateFactory.create(
        organization=invitation.organization, opportunity_id=invitation.opportunity_id, invitation=invitation
    )
    send(invitation)
    complete(invitation, "Passed")
    assert Candidate.objects.get().outcome == "Passed"
    become(invitation, Status.IN_PROGRESS)
    assert Candidate.objects.get().outcome == ""


def test_members_are_told_when_a_change_brings_it_about_and_not_later(invitation, super_admin):
    send(invitation)
    complete(invitation, "Passed")
    told = Effect.objects.filter(kind="send_email", email_topic="result").count()
    complete(invitation, "Passed")
    become(invitation, Status.COMPLETED)
    assert Effect.objects.filter(kind="send_email", email_topic="result").count() == told
