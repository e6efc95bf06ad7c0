"""Retrying an effect."""

import pytest

from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.acts.retry import retry_effect
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.factories import in_status, recorded


@pytest.mark.parametrize(
    ("state", "possible"),
    [("failed", True), ("due", True), ("done", False), ("cancelled", False), ("uncertain", False)],
)
def test_only_a_failed_or_waiting_effect_is_retried(organization, super_admin, state, possible):
    due = {} if state == "due" else {"due_at": None}
    effect = factories.EffectFactory(organization=organization, state=state, attempts=9, **due)
    if not possible:
        with pytest.raises(ActionNotAllowed):
            retry_effect(effect, super_admin)
        assert not recorded().exists()
        return
    retry_effect(effect, super_admin)
    assert Effect.objects.due().get() == effect
    assert recorded().get().action == "retry"


def test_a_leased_effect_is_not_retried(organization, super_admin):
    factories.EffectFactory(organization=organization)
    effect = factories.claimed(Effect, "worker")
    with pytest.raises(ActionNotAllowed):
        retry_effect(effect, super_admin)


@pytest.mark.parametrize("status", ["uncertain", "withdrawn", "completed"])
def test_retrying_its_effect_sends_no_invitation_again_unless_it_failed(organization, super_admin, status):
    invitation = in_status(organization, status)
    effect = factories.EffectFactory(
        organization=organization, invitation=invitation, kind="send_invitation", state="failed", due_at=None
    )
    with pytest.raises(ActionNotAllowed):
        retry_effect(effect, super_admin)
    effect.refresh_from_db()
    assert effect.state == "failed"


@pytest.mark.parametrize("held_for", [[], ["bulk_limit"]])
def test_retrying_its_effect_sends_a_failed_invitation_again_and_releases_nothing(
    organization, super_admin, held_for
):
    invitation = in_status(organization, "failed", held_for=held_for)
    effect = factories.EffectFactory(
        organization=organization,
        invitation=invitation,
        kind="send_invitation",
        key=str(invitation.pk),
        state="failed",
        due_at=None,
    )
    retry_effect(effect, super_admin)
    invitation.refresh_from_db()
    effect.refresh_from_db()
    assert (invitation.status, effect.state) == ("pending", "due")
    assert invitation.held_for == held_for
