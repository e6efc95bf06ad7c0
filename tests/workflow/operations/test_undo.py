"""Taking back what was approved or retried a moment ago."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AuditEntry, Effect, Invitation
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import approve
from integrations.workflow.operations.undo import take_back_approval, take_back_retry
from tests import factories

WAIT = timedelta(seconds=30)
REASON = "Lever refused the note."


@pytest.fixture
def failed(organization):
    """An effect that failed."""
    return factories.EffectFactory.create(
        organization=organization, state="failed", due_at=None, failed_at=timezone.now(), last_error=REASON
    )


def test_a_retry_that_is_taken_back_leaves_the_effect_as_it_was_and_an_audit_entry(failed, super_admin):
    retry_effect(failed, super_admin, WAIT)
    take_back_retry(failed, super_admin)
    assert Effect.objects.values_list("state", "due_at", "last_error").get() == ("failed", None, REASON)
    entry = AuditEntry.objects.get(action="take_back")
    assert (entry.target, entry.changes) == (str(failed), {"state": ["due", "failed"]})


def test_a_retry_that_may_have_begun_is_not_taken_back(failed, super_admin):
    retry_effect(failed, super_admin)
    with pytest.raises(ActionNotAllowed):
        take_back_retry(failed, super_admin)
    assert not AuditEntry.objects.filter(action="take_back").exists()


def test_an_approval_that_is_taken_back_leaves_the_invitation_on_hold(organization, super_admin):
    invitation = factories.InvitationFactory.create(organization=organization, status="held")
    approve(invitation, super_admin, wait=WAIT)
    take_back_approval(invitation, super_admin)
    assert Invitation.objects.get().status == "held"
    assert not Effect.objects.filter(due_at__isnull=False).exists()
    approve(invitation, super_admin, wait=WAIT)
    assert Effect.objects.get().state == "due"
