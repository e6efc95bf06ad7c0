"""A row is leased to one worker at a time, and only that worker changes it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.at_once import run_at_once

MODELS = [(Delivery, factories.DeliveryFactory), (Effect, factories.EffectFactory)]


def expire(row):
    type(row).objects.filter(pk=row.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_a_claimed_row_is_claimed_again_when_its_lease_is_over_within_a_minute(db, model, factory):
    row = factory()
    claimed = factories.claimed(model, "one")
    assert (claimed.pk, claimed.lease_owner, claimed.attempts) == (row.pk, "one", 1)
    assert model.claim("two") is None
    assert not model.objects.due().exists()
    # a minute minus the time to wake a worker
    assert claimed.leased_until - timezone.now() < timedelta(seconds=58)
    expire(row)
    again = factories.claimed(model, "two")
    assert (again.lease_owner, again.attempts) == ("two", 2)


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_a_worker_whose_lease_is_over_records_its_outcome_unless_it_was_replaced(db, model, factory):
    row = factory()
    slow = factories.claimed(model, "one")
    expire(row)
    assert slow.release(due_at=row.due_at) is True
    late = factories.claimed(model, "two")
    expire(row)
    model.claim("three")
    assert late.release(last_error="too late") is False
    row.refresh_from_db()
    assert (row.lease_owner, row.last_error) == ("three", "")


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_due_rows_are_claimed_oldest_first(db, model, factory):
    now = timezone.now()
    organization = factories.OrganizationFactory()
    later = factory(organization=organization, due_at=now - timedelta(seconds=1))
    first = factory(organization=organization, due_at=now - timedelta(seconds=9))
    factory(organization=organization, due_at=now + timedelta(minutes=1))
    assert factories.claimed(model, "one").pk == first.pk
    assert factories.claimed(model, "one").pk == later.pk


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_a_single_row_is_leased_once(db, model, factory):
    row = factory(due_at=timezone.now() + timedelta(hours=1))
    assert row.lease() is not None
    assert row.lease() is None


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_a_lease_is_renewed_only_by_its_owner(db, model, factory):
    factory(organization=factories.OrganizationFactory())
    late = factories.claimed(model, "late")
    model.objects.update(leased_until=timezone.now() + timedelta(seconds=1))
    assert late.renew() is True
    assert model.objects.get().leased_until > timezone.now() + timedelta(seconds=40)
    model.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    model.claim("replacement")
    assert late.renew() is False
    assert model.objects.get().lease_owner == "replacement"


def test_effects_of_one_candidate_run_one_at_a_time_and_the_urgent_first(db):
    organization = factories.OrganizationFactory()
    slow = factories.EffectFactory(organization=organization, opportunity_id="a", priority=6)
    urgent = factories.EffectFactory(organization=organization, opportunity_id="a", priority=2)
    other = factories.EffectFactory(organization=organization, opportunity_id="b", priority=6)
    first = factories.claimed(Effect, "one")
    assert first.pk == urgent.pk
    assert factories.claimed(Effect, "two").pk == other.pk
    assert Effect.claim("three") is None
    first.finish()
    assert factories.claimed(Effect, "three").pk == slow.pk


def test_an_effect_whose_lease_ran_out_goes_before_more_urgent_ones_of_its_candidate(db):
    organization = factories.OrganizationFactory()
    factories.EffectFactory(organization=organization, opportunity_id="a", priority=6)
    slow = factories.claimed(Effect, "slow")
    urgent = factories.EffectFactory(organization=organization, opportunity_id="a", priority=2)
    expire(slow)
    assert Effect.claim_next(organization.pk, "a", "two") == slow
    assert Effect.claim_next(organization.pk, "a", "three") is None
    Effect.objects.get(pk=slow.pk).finish()
    assert Effect.claim_next(organization.pk, "a", "three") == urgent


def test_one_effect_of_a_candidate_is_claimed_for_a_batch(db):
    organization = factories.OrganizationFactory()
    for opportunity in ("a", "a", "a", "b", "b", "", ""):
        factories.EffectFactory(organization=organization, opportunity_id=opportunity)
    claimed = Effect.claim_batch("one", 10)
    assert sorted(effect.opportunity_id for effect in claimed) == ["", "", "a", "b"]


def test_the_database_lets_no_two_effects_of_a_candidate_be_held(db):
    organization = factories.OrganizationFactory()
    for _ in range(2):
        factories.EffectFactory(organization=organization, opportunity_id="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Effect.objects.update(leased_until=timezone.now(), lease_owner="one")


def test_what_was_leased_before_an_outage_is_worked(db, monkeypatch):
    for _ in range(3):
        organization = factories.OrganizationFactory()
        factories.EffectFactory.create_batch(2, organization=organization, opportunity_id="")
    leased, runs = Effect._leased, iter(range(10))

    def lease_until_the_outage(statement):
        if next(runs):
            raise OperationalError("the server closed the connection")
        return leased(statement)

    monkeypatch.setattr(Effect, "_leased", lease_until_the_outage)
    claimed = Effect.claim_batch("one", 6)
    assert {effect.pk for effect in claimed} == set(
        Effect.objects.filter(attempts=1).values_list("pk", flat=True)
    )
    assert len(claimed) == 2
    with pytest.raises(OperationalError):
        Effect.claim_batch("two", 6)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_two_workers_never_hold_the_same_row_when_many_claim_at_once(model, factory):
    organization = factories.OrganizationFactory()
    for _ in range(40):
        factory(organization=organization)
    claimed_pks: list[int] = []

    def work():
        misses = 0
        while misses < 3:
            row = model.claim(f"worker-{threading.get_ident()}")
            misses = 0 if row else misses + 1
            claimed_pks.extend([row.pk] if row else [])

    assert run_at_once(work, times=6) == []
    assert len(claimed_pks) == len(set(claimed_pks)) == 40


@pytest.mark.django_db(transaction=True)
def test_no_two_effects_of_a_candidate_are_held_when_many_claim_at_once():
    """Effects are added while others are claimed and ended, so that claims see different ones as the most urgent."""
    organization = factories.OrganizationFactory()
    held: list[str] = []
    broken: list[str] = []
    done: list[int] = []
    guard = threading.Lock()

    def claim_until_done():
        name, deadline = f"worker-{threading.get_ident()}", time.monotonic() + 60
        while len(done) < 60 and time.monotonic() < deadline:
            following = Effect.claim_next(organization.pk, "a", name)
            for effect in [*Effect.claim_batch(name, 2), *([following] if following else [])]:
                with guard:
                    broken.extend([effect.opportunity_id] if effect.opportunity_id in held else [])
                    held.append(effect.opportunity_id)
                with guard:
                    held.remove(effect.opportunity_id)
                    assert effect.finish()
                    done.append(effect.pk)

    def add():
        for number in range(60):
            opportunity, priority = "ab"[number % 2], 9 - number % 8
            factories.EffectFactory(organization=organization, opportunity_id=opportunity, priority=priority)

    assert run_at_once(*[claim_until_done] * 6, add, times=1) == []
    assert broken == []
    assert len(set(done)) == len(done) == 60
