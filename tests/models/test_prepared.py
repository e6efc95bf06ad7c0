"""Prepared queries and changes do what the queries that they are made from would do, and are compiled once."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now, Upper
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import Delivery, Effect, Invitation, Organization
from integrations.models.prepared import prepared, run_all_once
from integrations.models.prepared_update import _compile, change_rows, changed_row
from tests import factories


@pytest.fixture
def statement_cache():
    _compile.cache_clear()
    return _compile.cache_info


def test_a_prepared_query_returns_the_rows_of_the_values_it_is_given(organization):
    @prepared
    def with_address(organization_id: int, email: str) -> QuerySet[Invitation]:
        rows = Invitation.objects.alias(address=Upper("email"))
        return rows.filter(organization=organization_id, address=Upper(email)).order_by("pk")

    rows = [
        factories.InvitationFactory.create(organization=organization, email=f"{name}@candidates.example")
        for name in ("alder", "birch")
    ]
    stranger = factories.InvitationFactory.create(email="alder@candidates.example")
    assert with_address.all(organization.pk, "Alder@candidates.example") == [rows[0]]
    assert with_address.first(organization.pk, "BIRCH@candidates.example") == rows[1]
    assert with_address.first(organization.pk, "cedar@candidates.example") is None
    assert with_address.exists(stranger.organization_id, "alder@candidates.example")
    found = with_address.first(organization.pk, "alder@candidates.example")
    assert found is not None
    columns = [column.attname for column in Invitation._meta.concrete_fields]
    read = Invitation.objects.get(pk=rows[0].pk)
    assert [getattr(found, name) for name in columns] == [getattr(read, name) for name in columns]


def test_a_prepared_query_compares_times_and_returns_columns(organization):
    @prepared
    def ids_since(organization_id: int, moment: object) -> QuerySet[Delivery, tuple[str, int]]:
        rows = Delivery.objects.filter(organization=organization_id, received_at__gt=moment)
        return rows.order_by().values_list("opportunity_id", "pk")

    delivery = factories.DeliveryFactory.create(organization=organization)
    delivery.refresh_from_db()
    moment = timedelta(seconds=1)
    assert ids_since.all(organization.pk, delivery.received_at - moment) == [("opportunity-1", delivery.pk)]
    assert ids_since.all(organization.pk, delivery.received_at + moment) == []


def test_a_prepared_query_loads_related_rows(organization, django_assert_num_queries):
    @prepared
    def with_invitation(pk: int) -> QuerySet[Effect]:
        return Effect.objects.select_related("invitation__organization", "delivery").filter(pk=pk).order_by()

    invitation = factories.InvitationFactory.create(organization=organization)
    effect = factories.EffectFactory.create(organization=organization, invitation=invitation, delivery=None)
    with django_assert_num_queries(1):
        found = with_invitation.first(effect.pk)
        assert found is not None
        assert (found.invitation, found.delivery) == (invitation, None)
        assert found.invitation is not None
        assert found.invitation.organization == organization


def test_a_prepared_query_is_built_once_for_each_number_of_values(organization):
    built = []

    @prepared
    def named(*slugs: str) -> QuerySet[Organization, str]:
        built.append(len(slugs))
        return Organization.objects.filter(slug__in=slugs).order_by().values_list("slug", flat=True)

    for slugs in ([organization.slug], ["nobody"], [organization.slug, "nobody"], ["one", "two"]):
        assert named.all(*slugs) == [slug for slug in slugs if slug == organization.slug]
    assert built == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_lock_without_a_transaction_is_refused_also_when_it_was_compiled_within_one():
    organization = factories.OrganizationFactory.create()
    if not connection.features.has_select_for_update:
        pytest.skip("this database's write transactions run one at a time")
    with transaction.atomic():
        assert Organization.objects.lock(organization.pk) == organization
    with pytest.raises(TransactionManagementError):
        Organization.objects.lock(organization.pk)


def test_a_changed_row_is_returned_as_it_is_then(organization):
    invitation = factories.InvitationFactory.create(organization=organization, poll_failures=2)
    moment = timezone.now().replace(microsecond=0)
    where = {"pk": invitation.pk, "status__in": ("pending", "sending")}
    changes = {"status": "sending", "first_call_at": moment, "changed_at": Now(), "poll_failures": F("round")}
    changed = changed_row(Invitation, where, changes)
    stored = Invitation.objects.get(pk=invitation.pk)
    assert changed is not None
    assert (changed.status, changed.first_call_at, changed.poll_failures) == ("sending", moment, 1)
    for column in Invitation._meta.concrete_fields:
        assert getattr(changed, column.attname) == getattr(stored, column.attname)
    assert stored.changed_at > invitation.changed_at


def test_no_row_is_changed_when_none_fits(organization):
    invitation = factories.InvitationFactory.create(organization=organization)
    assert changed_row(Invitation, {"pk": invitation.pk, "status__in": ("held",)}, {"status": "sent"}) is None
    assert change_rows(Invitation, {"pk": invitation.pk, "next_poll_at__isnull": False}, {"email": ""}) == 0
    assert Invitation.objects.get(pk=invitation.pk).status == "pending"


def test_a_change_stores_what_each_column_needs(organization):
    effect = factories.EffectFactory.create(organization=organization)
    invitation = factories.InvitationFactory.create(organization=organization)
    payload = {"text": "100 % “sure”", "code": None}
    changes = {"payload": payload, "invitation": invitation, "due_at": None, "last_error": "it's 5 % off"}
    assert change_rows(Effect, {"pk": effect.pk, "leased_until__isnull": True}, changes) == 1
    effect.refresh_from_db()
    assert (effect.payload, effect.invitation, effect.due_at) == (payload, invitation, None)
    assert effect.last_error == "it's 5 % off"


def test_a_change_of_a_known_form_is_not_compiled_again(organization, statement_cache):
    effects = factories.EffectFactory.create_batch(3, organization=organization)
    for number, effect in enumerate(effects):
        change_rows(Effect, {"pk": effect.pk}, {"last_error": str(number), "done_at": Now()})
    assert (statement_cache().misses, statement_cache().hits) == (1, 2)
    change_rows(Effect, {"pk": effects[0].pk}, {"due_at": Now() + timedelta(seconds=5)})
    assert statement_cache().currsize == 1  # a time to come is a value of its own each time
    assert Effect.objects.filter(due_at__gt=timezone.now()).get() == effects[0]


@pytest.mark.django_db(transaction=True)
def test_every_prepared_query_runs_for_values_that_no_row_has():
    import_module("integrations.queue.worker")
    with CaptureQueriesContext(connection) as queries:
        run_all_once()
    assert len(queries) > 15
