"""The calls of a step are stored with what the step writes; none is lost, stored twice or out of order."""

import contextlib

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from integrations.clients import call_log, provider
from integrations.clients.call_log import store_calls
from integrations.clients.hooks import CallContext
from integrations.clients.models import ApiCall
from integrations.http.session import CallDeferred
from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from integrations.queue import worker
from integrations.store import database
from tests.clients.conftest import API
from tests.support import factories


@pytest.fixture
def lever(lever_api, grant):
    """A client for a step on a delivery; Lever has no stages."""
    lever_api.get(f"{API}/stages", json={"data": []})
    delivery = factories.DeliveryFactory.create(organization=grant.organization)
    return provider.lever_client(grant.organization, CallContext(delivery=delivery))


def test_calls_are_stored_with_what_the_step_writes(lever, django_assert_num_queries):
    with call_log.collected():
        lever.stages()
        lever.stages()
        assert not ApiCall.objects.exists()
        with django_assert_num_queries(3), call_log.recorded():  # savepoint, insert, release
            pass
        assert ApiCall.objects.count() == 2
    assert ApiCall.objects.count() == 2


@pytest.mark.parametrize("error", [CallDeferred(1.0), ValueError("a bug"), KeyboardInterrupt()])
def test_calls_are_stored_when_the_step_ends_in_an_error(lever, error):
    with contextlib.suppress(type(error)), call_log.collected():
        lever.stages()
        raise error
    assert ApiCall.objects.count() == 1


def test_calls_are_stored_when_what_the_step_writes_is_rolled_back(lever):
    with call_log.collected():
        lever.stages()
        with contextlib.suppress(ValueError), call_log.recorded():
            raise ValueError
        with call_log.recorded():
            transaction.set_rollback(True)
        assert not ApiCall.objects.exists()
    assert ApiCall.objects.count() == 1


def test_calls_are_not_stored_twice_when_the_connection_breaks_after_the_commit(lever, monkeypatch):
    with call_log.collected():
        lever.stages()
        broken = _BreaksAfterCommit()
        monkeypatch.setattr(transaction, "atomic", broken)
        with contextlib.suppress(OperationalError), call_log.recorded():
            pass
        monkeypatch.undo()
        lever.stages()
        with call_log.recorded():
            pass
    assert ApiCall.objects.count() == 2


class _BreaksAfterCommit:
    """A transaction whose commit succeeds although the connection breaks before the answer."""

    def __init__(self):
        self._atomic = transaction.atomic

    @contextlib.contextmanager
    def __call__(self):
        with self._atomic():
            yield
        raise OperationalError("the server closed the connection")


@pytest.mark.django_db(transaction=True)
def test_a_step_of_many_calls_stores_them_in_between(lever, monkeypatch):
    monkeypatch.setattr(call_log, "MOST_COLLECTED", 3)
    stored = []
    with call_log.collected():
        for _ in range(7):
            lever.stages()
            stored.append(ApiCall.objects.count())
    assert stored == [0, 0, 3, 3, 3, 6, 6]
    assert ApiCall.objects.count() == 7


def test_the_step_goes_on_when_its_calls_cannot_be_stored(lever, monkeypatch):
    def fail(calls):
        raise OperationalError("disk full")

    monkeypatch.setattr(call_log, "store_calls", fail)
    with call_log.collected():
        lever.stages()


def test_calls_keep_their_order_and_their_own_times(lever_api, grant):
    lever_api.get(f"{API}/stages", json={"data": []})
    lever_api.get(f"{API}/postings", json={"data": []})
    lever = provider.lever_client(grant.organization)
    with call_log.collected():
        lever.stages()
        list(lever.postings())
        ended_at = database.now()
        assert not ApiCall.objects.exists()
    first, second = ApiCall.objects.order_by("pk")
    assert (first.path, second.path) == ("/stages", "/postings")
    assert first.at < second.at <= ended_at
    assert list(ApiCall.objects.all()) == [second, first]


# what is stored


def call(organization, **values):
    """Return a call that isn't stored."""
    bodies = {"request_body": '{"a": 1}', "response_body": '{"b": 2}', "error": "no"}
    own = {"organization": organization, "path": "/opportunities/1", "at": timezone.now()}
    return factories.ApiCallFactory.build(**own | bodies | values)


def test_every_field_of_a_call_is_stored(organization):
    delivery = factories.DeliveryFactory(organization=organization)
    given = call(organization, delivery=delivery, status=404, attempt=3, opportunity_id="1")
    store_calls([given])
    fields = [field.attname for field in ApiCall._meta.concrete_fields if not field.primary_key]
    assert ApiCall.objects.values(*fields).get() == {name: getattr(given, name) for name in fields}


def test_nothing_personal_is_stored_after_an_erasure(organization):
    Erasure.objects.create(organization=organization, opportunity_id="1", cause="deleted")
    Erasure.objects.create(organization=organization, opportunity_id="2", cause="gone")
    other = factories.OrganizationFactory()
    store_calls(
        [
            call(organization, opportunity_id="1"),
            call(organization, opportunity_id="2"),
            call(other, opportunity_id="1"),
            call(organization),
        ]
    )
    bodies = ApiCall.objects.order_by("pk").values_list("request_body", "response_body", "error")
    kept = ('{"a": 1}', '{"b": 2}', "no")
    assert list(bodies) == [("", "", ""), kept, kept, kept]


def test_a_call_is_stored_without_a_row_that_was_deleted_meanwhile(organization):
    delivery = factories.DeliveryFactory(organization=organization)
    given = call(organization, delivery=delivery)
    Delivery.objects.all().delete()
    given.delivery_id = delivery.pk or 10**9
    store_calls([given])
    assert ApiCall.objects.get().delivery_id is None


# the worker's steps


def test_a_performed_effect_and_its_call_are_recorded_together(lever_api, grant, monkeypatch):
    effect = factories.EffectFactory(organization=grant.organization)
    lever_api.post(f"{API}/opportunities/{effect.opportunity_id}/notes", json={"data": {"id": "note-1"}})
    states = []
    monkeypatch.setattr(
        call_log, "store_calls", lambda calls: states.append((Effect.objects.get().state, len(calls)))
    )
    worker.work()
    assert states == [("done", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_call_made_when_the_transaction_is_committed_is_stored_too(lever):
    with call_log.collected():
        lever.stages()
        with call_log.recorded():
            transaction.on_commit(lever.stages)
        assert ApiCall.objects.count() == 1
    assert ApiCall.objects.count() + sum(ApiCall.objects.values_list("repeats", flat=True)) == 2
