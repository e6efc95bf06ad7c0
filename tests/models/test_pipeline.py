"""Statements that are sent without waiting do what they would do one by one."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from integrations.models import Effect, Invitation, Organization
from integrations.models.erasure import Erasure
from integrations.models.pipeline import pipelined
from integrations.models.prepared_insert import insert_unless_stored, send_row
from integrations.models.prepared_update import change_rows, send_change
from tests import factories

pytestmark = pytest.mark.django_db
UNIQUE = ("kind", "organization", "key")
#: `test_postgresql.py` runs these there.
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's")


def _effect(organization, **values):
    return Effect(organization=organization, kind="leave_note", **{"key": "1"} | values)


def _write_a_wrong_effect(organization):
    with transaction.atomic(), pipelined():
        Organization.objects.filter(pk=organization.pk).update(name="Changed")
        insert_unless_stored(_effect(organization, state="unknown"), UNIQUE)


def _go_on_after_a_wrong_effect(organization):
    with transaction.atomic(), pipelined():
        insert_unless_stored(_effect(organization, state="unknown"), UNIQUE)
        insert_unless_stored(_effect(organization, key="2"), UNIQUE)
        Organization.objects.filter(pk=organization.pk).exists()
        raise AssertionError("The error comes too late.")


def test_answers_come_in_any_order_when_queries_were_sent_together(organization):
    other = factories.OrganizationFactory.create()
    Erasure.objects.create(organization=organization, opportunity_id="gone", cause="forgotten")
    with transaction.atomic(), pipelined():
        locks = [Organization.objects.send_lock(one.pk) for one in (organization, other)]
        is_gone, is_here = (Erasure.objects.send_forbids(organization.pk, one) for one in ("gone", "here"))
        assert locks[1]() == other
        assert not is_here()
        assert is_gone()
        assert locks[0]() == organization


def test_a_row_that_was_sent_has_its_key_after_later_statements(organization):
    with transaction.atomic(), pipelined():
        effect = _effect(organization)
        is_stored = send_row(effect)
        send_change(Organization, {"pk": organization.pk}, {"name": "Changed"})
        is_stored()
        assert effect.pk == Effect.objects.get().pk
    organization.refresh_from_db()
    assert organization.name == "Changed"


def test_a_change_inside_still_says_how_many_rows_fit(organization):
    with transaction.atomic(), pipelined():
        assert change_rows(Organization, {"pk": organization.pk}, {"name": "Changed"}) == 1
        assert change_rows(Organization, {"pk": 0}, {"name": "Changed"}) == 0
        assert Organization.objects.filter(pk=0).update(name="Changed") == 0
        assert Organization.objects.filter(pk=organization.pk).update(name="Again") == 1
        assert not Invitation.objects.filter(pk=0).delete()[0]


def test_the_error_of_a_sent_statement_is_raised_and_nothing_is_stored(organization):
    with pytest.raises(IntegrityError):
        _write_a_wrong_effect(organization)
    organization.refresh_from_db()
    assert organization.name != "Changed"
    assert not Effect.objects.exists()
    with transaction.atomic(), pipelined():  # the connection goes on
        assert Organization.objects.filter(pk=organization.pk).exists()


@on_postgresql
def test_the_error_of_a_sent_statement_is_raised_by_the_next_one(organization):
    with pytest.raises(IntegrityError) as caught:
        _go_on_after_a_wrong_effect(organization)
    assert "violates check constraint" in str(caught.value)


@on_postgresql
def test_nothing_of_a_wrong_row_is_logged_when_the_caller_fails_too(organization, caplog):
    def fail():
        with transaction.atomic(), pipelined():
            insert_unless_stored(_effect(organization, state="unknown", last_error="Hazel"), UNIQUE)
            raise RuntimeError("of the caller")

    with pytest.raises(RuntimeError):
        fail()
    assert caplog.text == ""
    assert not Effect.objects.exists()


def test_a_caught_error_leaves_the_transaction_usable(organization):
    with transaction.atomic(), pipelined():
        insert_unless_stored(_effect(organization), UNIQUE)
        with pytest.raises(DatabaseError), transaction.atomic():
            Effect.objects.create(organization=organization, kind="leave_note", key="1")
        assert Effect.objects.count() == 1


def test_a_pipeline_inside_another_ends_with_the_outer_one(organization):
    with transaction.atomic(), pipelined():
        with pipelined():
            insert_unless_stored(_effect(organization), UNIQUE)
        insert_unless_stored(_effect(organization, key="2"), UNIQUE)
        assert Effect.objects.count() == 2
