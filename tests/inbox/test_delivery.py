"""One statement stores a webhook once, and nothing of an erased person; every verdict about it is kept."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ErasureCause, Platform, VerdictCause
from integrations.inbox.models.delivery import Delivery, Stored, insert_once
from integrations.inbox.models.verdict import Verdict
from integrations.privacy.models import Erasure
from tests.support import factories
from tests.support.factories import DeliveryFactory, decide


def insert(organization_id, dedupe_key="id:1", opportunity_id="o-1", **changes):
    return insert_once(
        organization_id,
        Platform.LEVER,
        **{
            "event": "candidateStageChange",
            "dedupe_key": dedupe_key,
            "opportunity_id": opportunity_id,
            "payload": {"event": "candidateStageChange", "data": {"name": "é 'quoted' %s"}},
            **changes,
        },
    )


def test_a_new_webhook_is_stored_as_the_model_would_store_it(organization):
    row = insert(organization.pk)
    stored = Delivery.objects.get()
    assert row == Stored(stored.pk, is_new=True)
    made = Delivery.objects.create(
        organization=organization,
        platform=Platform.LEVER,
        event=stored.event,
        dedupe_key="id:2",
        opportunity_id=stored.opportunity_id,
        payload=stored.payload,
    )
    made.refresh_from_db()
    differing = {"id", "dedupe_key", "received_at", "due_at"}
    for field in Delivery._meta.local_concrete_fields:
        if field.attname not in differing:
            assert getattr(stored, field.attname) == getattr(made, field.attname), field.attname
    assert stored.received_at
    assert stored.due_at


def test_a_repeat_is_counted_and_changes_nothing_else(organization):
    insert(organization.pk)
    Delivery.objects.update(due_at=None, payload={"kept": True})
    rows = [insert(organization.pk) for _ in range(2)]
    stored = Delivery.objects.get()
    assert rows == [Stored(stored.pk, is_new=False)] * 2
    assert (stored.repeats, stored.due_at, stored.payload) == (2, None, {"kept": True})


@pytest.mark.parametrize("cause", list(ErasureCause))
def test_nothing_is_stored_of_somebody_whose_data_was_erased_for_good(organization, cause):
    erasure = Erasure.objects.create(organization=organization, opportunity_id="o-1", cause=cause)
    assert (insert(organization.pk) is None) is erasure.is_final
    assert Delivery.objects.exists() is not erasure.is_final
    assert insert(organization.pk, "id:2", opportunity_id="o-2").is_new
    assert insert(organization.pk, "id:3", payload={}, is_impersonal=True).is_new


@pytest.mark.django_db(transaction=True)
def test_a_webhook_of_an_organization_that_is_gone_is_an_integrity_error():
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(123456789)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite keeps the plans that Python's driver asks for"
)
def test_the_plan_is_kept_where_a_connection_keeps_none(organization):
    connection.ensure_connection()
    threshold = connection.connection.prepare_threshold
    connection.connection.prepare_threshold = None
    try:
        for number in range(6):
            insert(organization.pk, f"id:{number}")
        assert connection.connection.prepare_threshold is None
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            prepared = [statement for (statement,) in cursor.fetchall()]
    finally:
        connection.connection.prepare_threshold = threshold
    assert len([one for one in prepared if 'INSERT INTO "integrations_delivery"' in one]) == 1


def test_only_what_is_at_rest_is_decided_again(organization):
    due, held, left, at_rest = (DeliveryFactory(organization=organization, due_at=None) for _ in range(4))
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(pk=due.pk).update(due_at=later)
    assert held.lease()
    assert (killed := left.lease())
    Delivery.objects.filter(pk=left.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    assert Delivery.objects.decide_again() == 2
    assert set(Delivery.objects.due()) == {left, at_rest}
    assert not killed.release(due_at=None), "who held it takes back what was asked for since"


# every verdict about a delivery is kept, and exactly one is current


def history(delivery) -> list[tuple[str, str, bool]]:
    """Return the verdicts about the delivery, earliest first."""
    rows = Verdict.objects.filter(delivery=delivery).order_by("pk")
    return list(rows.values_list("code", "cause", "is_current"))


def test_an_earlier_verdict_is_kept_when_a_delivery_is_decided_again(db):
    delivery = factories.DeliveryFactory()
    invitation = factories.InvitationFactory(organization=delivery.organization)
    for code in (VerdictCode.PAUSED, VerdictCode.DISCONNECTED, VerdictCode.NO_EMAIL):
        decide(delivery, code)
    decide(delivery, VerdictCode.INVITE, invitation=invitation, cause=VerdictCause.REPLAY)
    assert history(delivery) == [
        ("paused", "first", False),
        ("disconnected", "resumed", False),
        ("no_email", "resumed", False),
        ("invite", "replay", True),
    ]
    delivery.refresh_from_db()
    current = delivery.verdicts.get(is_current=True)
    assert (delivery.verdict, delivery.explanation, delivery.decided_at, delivery.invitation) == (
        current.code,
        current.explanation,
        current.decided_at,
        current.invitation,
    )


def test_the_cause_is_the_sweep_when_the_sweep_found_it(db):
    delivery = factories.DeliveryFactory(event="sweep")
    decide(delivery, VerdictCode.NOT_VISIBLE)
    decide(delivery, VerdictCode.INVITE)
    assert [cause for _, cause, _ in history(delivery)] == ["sweep", "read_again"]


def test_a_second_current_verdict_is_refused(db):
    delivery = factories.DeliveryFactory()
    decide(delivery, VerdictCode.INVITE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Verdict.objects.create(
            organization=delivery.organization, delivery=delivery, code=VerdictCode.INVITE, cause="first"
        )
