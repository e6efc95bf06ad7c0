"""Personal data goes after the retention period, old calls and bodies of webhooks after theirs; outcomes stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.privacy import retention
from integrations.privacy.models import Erasure
from integrations.privacy.retention import remove_old_records
from integrations.queue import duties
from tests.audit.conftest import is_whole
from tests.support import duty_runs, factories

LONG_AGO, RECENTLY = timezone.now() - timedelta(days=40), timezone.now() - timedelta(days=5)
PERSON = ("Candidate Alder", "alder@candidates.example")


@pytest.fixture
def retaining_organization(organization):
    organization.retention_days = 30
    organization.save()
    return organization


def create_invitation(organization, status: str = "completed", at=LONG_AGO) -> Invitation:
    instance = f"instance-{Invitation.objects.count()}"
    invitation = factories.InvitationFactory.create(
        organization=organization,
        status=status,
        completed_at=at,
        changed_at=at,
        instance_id=instance,
        email=PERSON[1],
    )
    Result.objects.create(invitation=invitation, outcome="Passed", score=80, details_json='{"who": "Alder"}')
    return invitation


def purge_all() -> None:
    for organization in Organization.objects.all():
        turns_until_done(organization)


def name_and_address(invitation: Invitation) -> tuple[str, str]:
    invitation.refresh_from_db()
    return invitation.candidate_name, invitation.email


@pytest.mark.parametrize("status", ["completed", "withdrawn", "failed", "held", "uncertain", "pending"])
@pytest.mark.parametrize(("at", "left"), [(LONG_AGO, ("", "")), (RECENTLY, PERSON)])
def test_who_is_through_or_waits_is_forgotten_after_the_retention(retaining_organization, status, at, left):
    invitation = create_invitation(retaining_organization, status, at)
    purge_all()
    assert name_and_address(invitation) == left
    result = Result.objects.get()
    assert (result.outcome, result.score_text, result.details == {}) == ("Passed", "80", left != PERSON)


@pytest.mark.parametrize(
    ("following_ended_at", "left"), [(LONG_AGO, ("", "")), (RECENTLY, PERSON), (None, PERSON)]
)
def test_who_never_started_is_forgotten_after_following_ended(
    retaining_organization, following_ended_at, left
):
    invitation = create_invitation(retaining_organization, "invited")
    following_ended = "not_started" if following_ended_at else ""
    Invitation.objects.update(following_ended=following_ended, following_ended_at=following_ended_at)
    purge_all()
    assert name_and_address(invitation) == left


def test_a_candidate_a_replay_stored_anew_is_forgotten_again(retaining_organization):
    delivery = factories.DeliveryFactory.create(
        organization=retaining_organization, received_at=LONG_AGO, verdict="left_stage", decided_at=LONG_AGO
    )
    candidate = factories.CandidateFactory.create(
        organization=retaining_organization, opportunity_id=delivery.opportunity_id, entered_at=LONG_AGO
    )
    for _ in range(2):
        purge_all()
        candidate.refresh_from_db()
        assert (candidate.name, candidate.email, candidate.erased_at is None) == ("", "", False)
        Candidate.objects.update(name=PERSON[0], email=PERSON[1], erased_at=None)


def test_who_was_invited_again_is_not_forgotten_while_that_goes_on(retaining_organization):
    over = create_invitation(retaining_organization)
    own = {"organization": retaining_organization, "opportunity_id": over.opportunity_id, "round": 2}
    factories.InvitationFactory.create(**own, status="invited", instance_id="another", email=PERSON[1])
    purge_all()
    assert name_and_address(over) == PERSON


def test_without_a_retention_nothing_is_removed(organization):
    invitation = create_invitation(organization)
    purge_all()
    assert name_and_address(invitation) == PERSON


def test_messages_and_bodies_are_removed_and_ids_kept(retaining_organization):
    delivery = factories.DeliveryFactory.create(
        organization=retaining_organization,
        received_at=LONG_AGO,
        decided_at=LONG_AGO,
        verdict="invite",
        explanation="The assessment is “Alder's assessment”.",
        assessment_written="Alder's assessment",
        due_at=None,
        payload={
            "event": "candidateStageChange",
            "triggeredAt": 5,
            "person": "Alder",
            "data": {"opportunityId": "o", "toStageId": "s", "email": "alder@candidates.example"},
        },
    )
    email = factories.EffectFactory.create(
        organization=retaining_organization,
        kind="send_email",
        email_topic="invitation_failed",
        payload={"subject": "Alder", "lines": ["Alder"], "recipients": ["owner@portal.example"]},
        state="failed",
        due_at=None,
        created_at=LONG_AGO,
    )
    waiting = factories.EffectFactory.create(
        organization=retaining_organization, opportunity_id="somebody-else", created_at=LONG_AGO
    )
    create_calls(retaining_organization, request_body="a", response_body="b")
    purge_all()
    purge_all()
    delivery.refresh_from_db()
    ids = {"opportunityId": "o", "toStageId": "s"}
    assert delivery.payload == {"event": "candidateStageChange", "triggeredAt": 5, "data": ids}
    verdict = delivery.verdicts.get()
    assert (delivery.verdict, delivery.explanation, delivery.assessment_written) == ("invite", "", "")
    assert (verdict.code, verdict.explanation, verdict.assessment_written) == ("invite", "", "")
    email.refresh_from_db()
    assert "Alder" not in str(email.payload)
    waiting.refresh_from_db()
    assert waiting.payload["code"] == "no_email"
    call = ApiCall.objects.get()
    assert (call.request_body, call.response_body) == ("", "")


def turns_until_done(organization) -> int:
    turn = duties.in_batches(retention.purge)
    return duty_runs.turns_until_done(lambda place: turn(organization, place))


def test_a_backlog_of_people_is_erased_in_turns(retaining_organization, monkeypatch):
    monkeypatch.setattr(retention, "PEOPLE_AT_ONCE", 1)
    invitations = [create_invitation(retaining_organization) for _ in range(4)]
    assert turns_until_done(retaining_organization) == 5
    assert {name_and_address(invitation) for invitation in invitations} == {("", "")}


def test_messages_are_emptied_although_people_wait_to_be_erased(retaining_organization):
    create_invitation(retaining_organization)
    [call] = create_calls(retaining_organization, response_body="b")
    assert retention.purge(retaining_organization) == 1
    call.refresh_from_db()
    assert call.response_body == ""
    assert not Erasure.objects.exists()


def test_many_messages_are_emptied_a_few_in_each_transaction(retaining_organization, monkeypatch):
    monkeypatch.setattr(retention, "MESSAGES_AT_ONCE", 2)
    create_calls(retaining_organization, 5, response_body="b")
    assert turns_until_done(retaining_organization) == 4
    assert set(ApiCall.objects.values_list("response_body", flat=True)) == {""}
    entries = AuditEntry.objects.filter(action=AuditAction.ERASE).order_by("position")
    assert [entry.changes["rows"][1] for entry in entries] == [
        {"integrations_apicall": count} for count in (2, 2, 1)
    ]


def test_who_cannot_be_erased_anew_holds_up_nobody(retaining_organization):
    """Their name was stored again although they are erased for good."""
    gone, other = factories.CandidateFactory.create_batch(
        2, organization=retaining_organization, entered_at=LONG_AGO
    )
    Erasure.objects.create(
        organization=retaining_organization,
        opportunity_id=gone.opportunity_id,
        cause="deleted",
        erased_at=timezone.now(),
    )
    assert turns_until_done(retaining_organization) == 2
    other.refresh_from_db()
    assert other.name == ""


# old calls are deleted and old webhooks reduced to ids; what an invitation rests on stays


OLD, NOT_YET_OLD = timezone.now() - timedelta(days=100), timezone.now() - timedelta(days=80)
BODY = {"id": "event-1", "token": "t" * 48, "data": {"opportunityId": "somebody", "note": "about the person"}}
REDUCED = {"id": "event-1", "data": {"opportunityId": "somebody"}}


def create_calls(organization, count: int = 1, at=OLD, **columns) -> list[ApiCall]:
    return factories.ApiCallFactory.create_batch(
        count, organization=organization, at=at, **{"status": 200, **columns}
    )


def create_delivery(organization, at=OLD, **columns) -> Delivery:
    decided = {"verdict": "ignored_event", "decided_at": at, "due_at": None} | columns
    return factories.DeliveryFactory.create(
        organization=organization, received_at=at, payload=BODY, opportunity_id="somebody", **decided
    )


def payload_of(delivery: Delivery) -> object:
    delivery.refresh_from_db()
    return delivery.payload


def test_calls_are_deleted_when_they_are_old(organization):
    create_calls(organization, 3)
    recent = create_calls(organization, at=NOT_YET_OLD)
    other = create_calls(factories.OrganizationFactory.create())
    assert remove_old_records(organization) == 3
    assert set(ApiCall.objects.all()) == {*recent, *other}


def test_a_call_stays_while_its_answer_still_comes(organization):
    create_calls(organization, repeats=3, last_at=NOT_YET_OLD)
    create_calls(organization, repeats=3, last_at=OLD)
    assert remove_old_records(organization) == 1
    assert ApiCall.objects.get().last_at == NOT_YET_OLD


def test_calls_of_an_invited_candidate_stay_until_the_person_is_erased(organization):
    invitation = factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    create_calls(organization, opportunity_id="somebody")
    assert remove_old_records(organization) == 0
    Invitation.objects.filter(pk=invitation.pk).update(erased_at=timezone.now())
    assert remove_old_records(organization) == 1


def test_a_decided_webhook_keeps_ids_and_its_verdict_when_it_is_old(organization):
    old, recent = create_delivery(organization), create_delivery(organization, at=NOT_YET_OLD)
    assert remove_old_records(organization) == 1
    assert (payload_of(old), old.verdict, payload_of(recent)) == (REDUCED, "ignored_event", BODY)


@pytest.mark.parametrize(
    "columns",
    [
        {"verdict": "", "decided_at": None},
        {"due_at": timezone.now()},
        {"verdict": "paused"},
        {"verdict": "entered_before"},
        None,
    ],
    ids=["undecided", "due", "waiting", "offered", "invited"],
)
def test_a_webhook_that_is_still_needed_keeps_its_body(organization, columns):
    if columns is None:
        factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    delivery = create_delivery(organization, **columns or {})
    assert remove_old_records(organization) == 0
    assert payload_of(delivery) == BODY


def test_calls_about_a_candidate_stay_until_it_is_settled_that_lever_no_longer_has_them(organization):
    for days, status in ((93, 200), (2, 404)):
        create_calls(
            organization,
            at=timezone.now() - timedelta(days=days),
            opportunity_id="somebody",
            path="/opportunities/somebody",
            status=status,
        )
    assert remove_old_records(organization) == 0
    Erasure.objects.create(
        organization=organization, opportunity_id="somebody", cause="gone", erased_at=timezone.now()
    )
    assert remove_old_records(organization) == 1


def test_calls_that_stay_dont_hold_up_those_that_go(organization, monkeypatch):
    monkeypatch.setattr(retention, "REMOVED_AT_ONCE", 2)
    factories.InvitationFactory.create(organization=organization, opportunity_id="somebody")
    create_calls(organization, 5, opportunity_id="somebody")
    create_calls(organization, at=OLD + timedelta(days=1))
    assert remove_old_records(organization) == 1
    assert set(ApiCall.objects.values_list("opportunity_id", flat=True)) == {"somebody"}


def test_each_webhook_is_looked_at_once_after_it_was_decided(organization):
    create_delivery(organization)
    received_late = create_delivery(organization, verdict="", decided_at=None, due_at=timezone.now())
    remove_old_records(organization)
    organization.refresh_from_db()
    looked_at = create_delivery(organization, at=OLD - timedelta(days=1))
    newer = create_delivery(organization, at=OLD + timedelta(days=1))
    decided = {"verdict": "ignored_event", "decided_at": OLD + timedelta(days=9), "due_at": None}
    Delivery.objects.filter(pk=received_late.pk).update(received_at=OLD - timedelta(days=100), **decided)
    assert remove_old_records(organization) == 2
    assert [payload_of(one) for one in (looked_at, newer, received_late)] == [BODY, REDUCED, REDUCED]


def test_what_was_removed_is_on_record_and_the_chain_is_whole(organization):
    create_calls(organization, 2)
    create_delivery(organization)
    remove_old_records(organization)
    calls, bodies = AuditEntry.objects.filter(action=AuditAction.REMOVE_OLD).order_by("position")
    assert [list(entry.changes) for entry in (calls, bodies)] == [["calls"], ["bodies of webhooks"]]
    assert calls.changes["calls"][1].startswith("from before ")
    assert is_whole(organization)
