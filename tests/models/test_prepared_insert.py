"""Prepared insertions store what save() would store, and are compiled once for each form."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from integrations.models import Effect, Invitation
from integrations.models.prepared_insert import _compile, insert_row, insert_unless_stored
from tests import factories

UNIQUE = ("kind", "organization", "key")


@pytest.fixture
def statement_cache():
    _compile.cache_clear()
    return _compile.cache_info


def _effect(organization, **values):
    return Effect(organization=organization, kind="leave_note", **{"key": "1", "due_at": Now()} | values)


def test_a_stored_row_has_its_key_and_what_the_database_gave_it(organization):
    payload = {"text": "100 % “sure”", "code": None}
    effect = _effect(organization, payload=payload)
    insert_row(effect)
    stored = Effect.objects.get()
    assert not effect._state.adding
    for column in Effect._meta.concrete_fields:
        assert getattr(effect, column.attname) == getattr(stored, column.attname), column.attname
    assert (stored.payload, stored.organization_id) == (payload, organization.pk)


def test_a_stated_value_takes_the_place_of_the_databases_default(organization):
    moment = factories.InvitationFactory.create(organization=organization).created_at - timedelta(days=1)
    invitation = factories.InvitationFactory.build(
        organization=organization, opportunity_id="other", created_at=moment
    )
    insert_row(invitation)
    assert Invitation.objects.get(opportunity_id="other").created_at == moment


def test_a_row_that_breaks_a_rule_raises(organization):
    insert_row(_effect(organization))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_row(_effect(organization))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_unless_stored(_effect(organization, key="2", state="unknown"), UNIQUE)


def test_a_row_is_stored_unless_there_is_one_with_its_unique_values(organization):
    for text in ("first", "second"):
        insert_unless_stored(_effect(organization, payload={"text": text}), UNIQUE)
    insert_unless_stored(_effect(factories.OrganizationFactory.create()), UNIQUE)
    own = Effect.objects.filter(organization=organization)
    assert [effect.payload for effect in own] == [{"text": "first"}]
    assert Effect.objects.count() == 2


def test_a_form_is_compiled_once_and_a_time_to_come_is_not_kept(organization, statement_cache):
    for number in range(3):
        insert_row(_effect(organization, key=str(number)))
    assert statement_cache().currsize == 1
    later = _effect(organization, key="later", due_at=Now() + timedelta(hours=1))
    insert_row(later)
    assert statement_cache().currsize == 1
    in_an_hour = Effect.objects.filter(due_at__gt=Now() + timedelta(minutes=50))
    assert [effect.key for effect in in_an_hour] == ["later"]
    assert later.due_at == in_an_hour[0].due_at


def test_an_invitation_gets_its_external_id_when_it_is_stored(organization):
    invitation = factories.InvitationFactory.build(organization=organization, external_id="")
    invitation.store()
    stored = Invitation.objects.get(pk=invitation.pk)
    assert stored.external_id == f"lever:{stored.opportunity_id}:{stored.assessment_id}:1"
