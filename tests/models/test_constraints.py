"""What the database itself refuses, whatever the code believes."""

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, transaction

from integrations.models import IllegalTransition, Invitation, LeverConnection
from integrations.models.audit_entry import masked
from integrations.models.encrypted_field import DecryptionError
from integrations.models.invitation import TRANSITIONS, Status
from tests import factories


def refused(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_one_invitation_per_opportunity_assessment_and_round(organization):
    values = {"organization": organization, "opportunity_id": "o", "contact_id": "", "assessment_id": "a"}
    factories.InvitationFactory(**values)
    refused(lambda: factories.InvitationFactory(**values))
    factories.InvitationFactory(**values, round=2)
    factories.InvitationFactory(**values | {"organization": factories.OrganizationFactory()})


def test_one_invitation_on_its_way_per_person_and_assessment(organization):
    values = {"organization": organization, "contact_id": "c", "assessment_id": "a"}
    factories.InvitationFactory(**values, status="uncertain")
    refused(lambda: factories.InvitationFactory(**values, status="pending"))
    factories.InvitationFactory(**values, status="failed")


def test_an_instance_belongs_to_one_invitation(organization):
    factories.InvitationFactory(organization=organization, status="invited", instance_id="i")
    refused(lambda: factories.InvitationFactory(organization=organization, status="invited", instance_id="i"))


@pytest.mark.parametrize("status", ["invited", "in_progress", "submitted", "completed"])
def test_who_was_invited_has_an_instance(organization, status):
    refused(lambda: factories.InvitationFactory(organization=organization, status=status))


@pytest.mark.parametrize("changes", [{"status": "unheard of"}, {"round": 0}])
def test_an_invitation_is_sensible(organization, changes):
    refused(lambda: factories.InvitationFactory(organization=organization, **changes))


@pytest.mark.parametrize("changes", [{"state": "unheard of"}, {"state": "done"}])
def test_an_effect_is_sensible(organization, changes):
    refused(lambda: factories.EffectFactory(organization=organization, **changes))


def test_an_effect_and_a_delivery_are_there_once(organization):
    factories.EffectFactory(organization=organization, key="k")
    refused(lambda: factories.EffectFactory(organization=organization, key="k"))
    factories.DeliveryFactory(organization=organization, dedupe_key="k")
    refused(lambda: factories.DeliveryFactory(organization=organization, dedupe_key="k"))
    factories.DeliveryFactory(organization=organization, dedupe_key="k", platform="codescreen")


def test_a_verdict_has_a_time_and_a_time_a_verdict(organization):
    refused(lambda: factories.DeliveryFactory(organization=organization, verdict="invite"))
    refused(lambda: factories.DeliveryFactory(organization=organization, decided_at="2026-01-01T00:00Z"))


@pytest.mark.parametrize(
    "changes",
    [{"rating_2_from": 60}, {"rating_3_from": 80}, {"webhook_key": ""}, {"bulk_window": 0}],
    ids=str,
)
def test_an_organization_is_sensible(organization, changes):
    refused(lambda: type(organization).objects.filter(pk=organization.pk).update(**changes))


# transitions


@pytest.mark.parametrize("target", list(Status))
@pytest.mark.parametrize("source", list(Status))
def test_an_invitation_moves_along_the_table_alone(organization, source, target):
    invitation = factories.InvitationFactory(organization=organization, status=source, instance_id="i")
    if source in {*TRANSITIONS.get(target, ()), target}:
        invitation.move(target, "because")
        assert (invitation.status, invitation.status_reason) == (target, "because")
    else:
        with pytest.raises(IllegalTransition):
            invitation.move(target)
        assert Invitation.objects.get().status == source


def test_a_move_judges_the_row_not_the_copy(organization):
    invitation = factories.InvitationFactory(organization=organization)
    Invitation.objects.update(status="withdrawn")
    with pytest.raises(IllegalTransition):
        invitation.move("sending")


def test_staying_keeps_the_time_of_the_last_change(organization):
    invitation = factories.InvitationFactory(organization=organization, status="invited", instance_id="i")
    before = invitation.changed_at
    invitation.move("invited", poll_failures=3)
    assert (invitation.changed_at, invitation.poll_failures) == (before, 3)


# secrets


def test_an_encrypted_column_can_be_read_and_not_searched(organization):
    row = factories.LeverConnectionFactory(organization=organization)
    assert LeverConnection.objects.get(pk=row.pk).access_token == "access-1"
    with pytest.raises(FieldError):
        LeverConnection.objects.filter(access_token="access-1").exists()
    assert LeverConnection.objects.filter(access_token__isnull=False).exists()


def test_keys_are_rotated_by_putting_the_new_one_first(organization, settings):
    row = factories.LeverConnectionFactory(organization=organization)
    [old] = settings.FIELD_ENCRYPTION_KEYS
    new = old[:-2] + ("A=" if old[-2] != "A" else "E=")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    row.refresh_from_db()
    assert row.access_token == "access-1"
    row.save()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    row.refresh_from_db()
    assert row.access_token == "access-1"
    settings.FIELD_ENCRYPTION_KEYS = [old]
    with pytest.raises(DecryptionError, match="FIELD_ENCRYPTION_KEYS"):
        row.refresh_from_db()


def test_the_audit_masks_every_secret():
    assert masked({"api_key": ("", "x"), "webhook_secret": ("x", ""), "bulk_limit": (1, 2)}) == {
        "api_key": ["empty", "set"],
        "webhook_secret": ["set", "empty"],
        "bulk_limit": [1, 2],
    }


@pytest.mark.parametrize(
    ("role", "connects", "configures", "retries"),
    [
        ("super_admin", True, True, True),
        ("admin", False, True, True),
        ("team_member", False, False, True),
        ("limited_team_member", False, False, False),
    ],
)
def test_what_a_role_may(organization, role, connects, configures, retries):
    user = factories.member(organization, role, "somebody")
    membership = user.memberships.get()
    assert (membership.may_connect, membership.may_configure, membership.may_retry) == (
        connects,
        configures,
        retries,
    )
