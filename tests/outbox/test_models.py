"""An effect is stored once for its kind and key, and one that breaks a rule is refused."""

from django.db.models.functions import Now

from integrations.outbox.models.effect import Effect
from integrations.store.database import insert_unless_stored
from tests.support import factories


def _store(organization, **values) -> None:
    effect = Effect(organization=organization, kind="leave_note", key="1", **values)
    insert_unless_stored(effect, "kind", "organization_id", "key")


def test_an_effect_is_stored_unless_there_is_one_of_its_kind_and_key(organization):
    for text in ("100 % “sure”", "second"):
        _store(organization, payload={"text": text, "code": None})
    _store(factories.OrganizationFactory.create())
    [own] = Effect.objects.filter(organization=organization, due_at__lte=Now())
    assert (own.payload, own.state) == ({"text": "100 % “sure”", "code": None}, Effect.State.DUE)
    assert Effect.objects.count() == 2
