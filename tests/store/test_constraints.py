"""The database's constraints, an invitation's transitions, encrypted columns and roles."""

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, transaction

from integrations.core.invitation_status import TRANSITIONS
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.lever.models.connection import LeverConnection
from tests.support import factories


def assert_refused(create):
    with pytest.raises(IntegrityError), transaction.atomic():
        create()


def test_an_opportunity_has_one_invitation_per_assessment_and_round(organization):
    values = {"organization": organization, "opportunity_id": "o", "contact_id": "", "assessment_id": "a"}
    factories.InvitationFactory(**values)
    assert_refused(lambda: factories.InvitationFactory(**values))
    factories.InvitationFactory(**values, round=2)
    factories.InvitationFactory(**values | {"organization": factories.OrganizationFactory()})


def test_a_person_has_one_unsent_invitation_per_assessment(organization):
    values = {"organization": organization, "contact_id": "c", "assessment_id": "a"}
    factories.InvitationFactory(**values, status="uncertain")
    assert_refused(lambda: factories.InvitationFactory(**values, status="pending"))
    factories.InvitationFactory(**values, status="failed")


def test_an_instance_belongs_to_one_invitation(organization):
    factories.InvitationFactory(organization=organization, status="invited", instance_id="i")
    assert_refused(
        lambda: factories.InvitationFactory(organization=organization, status="invited", instance_id="i")
    )


@pytest.mark.parametrize("status", ["invited", "in_progress", "submitted", "completed"])
def test_a_sent_invitation_has_an_instance(organization, status):
    assert_refused(lambda: factories.InvitationFactory(organization=organization, status=status))


@pytest.mark.parametrize("changes", [{"status": "unknown"}, {"round": 0}])
def test_an_invitation_is_refused_when_a_value_is_invalid(organization, changes):
    assert_refused(lambda: factories.InvitationFactory(organization=organization, **changes))


@pytest.mark.parametrize("changes", [{"state": "unknown"}, {"state": "done"}])
def test_an_effect_is_refused_when_its_state_is_invalid(organization, changes):
    assert_refused(lambda: factories.EffectFactory(organization=organization, **changes))


def test_effects_and_deliveries_are_unique_by_key(organization):
    factories.EffectFactory(organization=organization, key="k")
    assert_refused(lambda: factories.EffectFactory(organization=organization, key="k"))
    factories.DeliveryFactory(organization=organization, dedupe_key="k")
    assert_refused(lambda: factories.DeliveryFactory(organization=organization, dedupe_key="k"))
    factories.DeliveryFactory(organization=organization, dedupe_key="k", platform="codescreen")


def test_a_delivery_has_both_verdict_and_time_or_neither(organization):
    assert_refused(lambda: factories.DeliveryFactory(organization=organization, verdict="invite"))
    assert_refused(
        lambda: factories.DeliveryFactory(organization=organization, decided_at="2026-01-01T00:00Z")
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_key": ""},
        {"bulk_window": 0},
        {"bulk_window": 9 * 10**8},
    ],
    ids=str,
)
def test_an_organization_is_refused_when_a_policy_is_invalid(organization, changes):
    assert_refused(lambda: type(organization).objects.filter(pk=organization.pk).update(**changes))


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
