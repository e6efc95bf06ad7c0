"""Enqueueing effects: once for each key, and nothing that breaks a rule of the table."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import enqueue
from tests.support import factories


def test_the_stored_effect_stays_as_it_is_when_its_key_is_enqueued_again(organization):
    enqueue(organization.pk, Effect.Kind.LEAVE_NOTE, "key", opportunity_id="somebody")
    Effect.objects.update(state="done", due_at=None)
    enqueue(organization.pk, Effect.Kind.LEAVE_NOTE, "key", opportunity_id="another", priority=9)
    enqueue(factories.OrganizationFactory.create().pk, Effect.Kind.LEAVE_NOTE, "key")
    effect = Effect.objects.get(organization=organization)
    assert (effect.state, effect.due_at, effect.opportunity_id) == ("done", None, "somebody")
    assert Effect.objects.count() == 2


def test_an_effect_that_breaks_a_rule_is_an_error_and_not_forgotten(organization):
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue(organization.pk, Effect.Kind.SEND_EMAIL, "without a topic")


def test_what_waits_for_its_next_try_is_made_due_for_one_organization(organization):
    later = timezone.now() + timedelta(hours=1)
    own = factories.EffectFactory.create(organization=organization, due_at=later)
    factories.EffectFactory.create(due_at=later)
    assert Effect.objects.requeue(organization) == 1
    assert Effect.objects.due().get() == own
