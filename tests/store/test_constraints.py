"""The database's constraints, an invitation's transitions, encrypted columns and roles."""

from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, transaction

from integrations.core.invitation_status import TRANSITIONS
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories

INVITATION = {"opportunity_id": "o", "contact_id": "", "assessment_id": "a"}
SENT = {"status": "invited", "instance_id": "i"}
#: The row that is refused: its factory or model, the row that is stored before it or nothing, and how it differs.
REFUSED: dict[str, tuple[Any, dict[str, Any] | None, dict[str, Any]]] = {
    "an opportunity's second invitation for the assessment and round": (
        factories.InvitationFactory,
        INVITATION,
        {},
    ),
    "a person's second unsent invitation for the assessment": (
        factories.InvitationFactory,
        INVITATION | {"contact_id": "c", "status": "uncertain"},
        {"opportunity_id": "another", "status": "pending"},
    ),
    "a second invitation with an instance": (
        factories.InvitationFactory,
        SENT,
        {"opportunity_id": "another"},
    ),
    "an invitation with an unknown status": (factories.InvitationFactory, None, {"status": "unknown"}),
    "an invitation of round 0": (factories.InvitationFactory, None, {"round": 0}),
    "a tag for who has not started, on who has": (
        factories.InvitationFactory,
        None,
        SENT | {"status": "in_progress", "unstarted_tag": "CodeScreen: Not Started Yet"},
    ),
    "an effect with an unknown state": (factories.EffectFactory, None, {"state": "unknown"}),
    "a due effect that is done": (factories.EffectFactory, None, {"state": "done"}),
    "an e-mail without a topic": (factories.EffectFactory, None, {"kind": "send_email"}),
    "a note with a topic": (factories.EffectFactory, None, {"email_topic": "result"}),
    "a second effect with a key": (factories.EffectFactory, {"key": "k"}, {}),
    "a second delivery with a key": (factories.DeliveryFactory, {"dedupe_key": "k"}, {}),
    "a verdict without its time": (factories.DeliveryFactory, None, {"verdict": "invite"}),
    "the time of no verdict": (factories.DeliveryFactory, None, {"decided_at": "2026-01-01T00:00Z"}),
    "a second run of a duty": (DutyRun.objects, {"duty": Duty.SWEEP}, {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_database_refuses_a_row(organization, case):
    maker, stored, changes = REFUSED[case]
    values = {"organization": organization} | (stored or {})
    if stored is not None:
        maker.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        maker.create(**values | changes)


@pytest.mark.parametrize("status", ["invited", "in_progress", "submitted", "completed"])
def test_a_sent_invitation_has_an_instance(organization, status):
    with pytest.raises(IntegrityError):
        factories.InvitationFactory(organization=organization, status=status)


def test_a_row_is_stored_that_differs_in_one_part_of_the_key(organization):
    other = {"organization": factories.OrganizationFactory.create()}
    failed = {"contact_id": "c", "opportunity_id": "another", "status": "failed"}
    for changes in (
        {},
        {"round": 2},
        other,
        failed,
        failed | {"status": "pending", "opportunity_id": "third"},
    ):
        factories.InvitationFactory.create(**{"organization": organization} | INVITATION | changes)
    for changes in ({}, {"platform": "codescreen"}, other):
        factories.DeliveryFactory.create(**{"organization": organization, "dedupe_key": "k"} | changes)


@pytest.mark.parametrize(
    "changes", [{"webhook_key": ""}, {"bulk_window": 0}, {"bulk_window": 9 * 10**8}], ids=str
)
def test_an_organization_is_refused_when_a_policy_is_invalid(organization, changes):
    with pytest.raises(IntegrityError):
        type(organization).objects.filter(pk=organization.pk).update(**changes)


# transitions


@pytest.mark.parametrize("target", list(Status))
@pytest.mark.parametrize("source", list(Status))
def test_an_invitation_moves_only_as_the_transitions_allow(organization, source, target):
    invitation = factories.InvitationFactory(organization=organization, status=source, instance_id="i")
    if source in {*TRANSITIONS.get(target, ()), target}:
        invitation.move(target, "because")
        assert (invitation.status, invitation.status_reason) == (target, "because")
    else:
        with pytest.raises(IllegalTransition):
            invitation.move(target)
        assert Invitation.objects.get().status == source


def test_a_move_is_checked_against_the_row_when_the_copy_is_outdated(organization):
    invitation = factories.InvitationFactory(organization=organization)
    Invitation.objects.update(status="withdrawn")
    with pytest.raises(IllegalTransition):
        invitation.move("sending")


def test_the_time_of_the_last_change_is_kept_when_the_status_stays(organization):
    invitation = factories.InvitationFactory(organization=organization, status="invited", instance_id="i")
    before = invitation.changed_at
    invitation.move("invited", poll_failures=3)
    assert (invitation.changed_at, invitation.poll_failures) == (before, 3)


# secrets


def test_an_encrypted_column_is_readable_and_not_searchable(organization):
    row = factories.LeverConnectionFactory(organization=organization)
    assert LeverConnection.objects.get(pk=row.pk).access_token == "access-1"
    with pytest.raises(FieldError):
        LeverConnection.objects.filter(access_token="access-1").exists()
    assert LeverConnection.objects.filter(access_token__isnull=False).exists()
