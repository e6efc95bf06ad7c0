"""Taking back what was approved or retried a moment ago."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts.chosen import invite_candidate
from integrations.invitations.acts.invitations import approve, cancel
from integrations.invitations.acts.undo import (
    retry_effect,
    take_back_approval,
    take_back_invite,
    take_back_retry,
)
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from tests.effects.several import NEXT, PASSED, TARGET, does, mapped
from tests.support import factories

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


def test_the_retry_of_an_effect_that_waited_is_not_made_a_failure(failed, super_admin):
    retry_effect(failed, super_admin)
    waits = timezone.now() + timedelta(hours=1)
    Effect.objects.update(attempts=1, due_at=waits)  # it was tried, and is to be tried again
    retry_effect(failed, super_admin, WAIT)
    with pytest.raises(ActionNotAllowed):
        take_back_retry(failed, super_admin)
    assert Effect.objects.get().state == "due"


def test_nothing_is_locked_after_the_log_when_an_invitation_is_taken_back(organization, super_admin):
    former = factories.InvitationFactory.create(organization=organization, status="withdrawn")
    candidate = factories.CandidateFactory.create(
        organization=organization, opportunity_id=former.opportunity_id, invitation=former
    )
    invite_candidate(candidate, super_admin, wait=WAIT)
    with CaptureQueriesContext(connection) as statements:
        take_back_invite(candidate, super_admin)
    tables = re.findall(
        r'^(?:UPDATE|INSERT INTO|DELETE FROM) "integrations_(\w+)"',
        "\n".join(one["sql"] for one in statements),
        re.MULTILINE,
    )
    log = {"chainhead", "auditentry"}
    assert set(tables[min(map(tables.index, log & set(tables))) :]) <= log


def test_an_approval_that_is_taken_back_leaves_the_invitation_on_hold(organization, super_admin):
    invitation = factories.InvitationFactory.create(organization=organization, status="held")
    approve(invitation, super_admin, wait=WAIT)
    take_back_approval(invitation, super_admin)
    assert Invitation.objects.get().status == "held"
    assert not Effect.objects.filter(due_at__isnull=False).exists()
    approve(invitation, super_admin, wait=WAIT)
    assert Effect.objects.get().state == "due"


def test_a_pass_that_waited_is_followed_when_an_invitation_is_taken_back(scenario, sandbox, super_admin):
    mapped(scenario, also_assessments=[NEXT], approval="always", stage_on_pass=TARGET, passed_tag="All")
    scenario.enter()
    first, other = Invitation.objects.order_by("pk")
    approve(first, super_admin)
    scenario.work()
    cancel(other, super_admin)
    scenario.work()
    Candidate.objects.point_to(other)
    invite_candidate(Candidate.objects.get(), super_admin, wait=WAIT)
    does(scenario, **PASSED)
    scenario.work()
    assert scenario.moves_of() == 0
    take_back_invite(Candidate.objects.get(), super_admin)
    scenario.work()
    assert scenario.stage_of() == TARGET
    assert "All" in sandbox.opportunity("Alder")["tags"]
