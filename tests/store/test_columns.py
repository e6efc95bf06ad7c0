"""Long keys are shortened, and the trigram index on PostgreSQL and what stands in its place elsewhere."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.store.columns import TextSearchIndex, truncated_key

pytestmark = pytest.mark.django_db
#: `test_postgresql.py` runs these there.
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's")


def _statement(index: TextSearchIndex) -> str:
    return str(index.create_sql(Delivery, connection.schema_editor()))


@on_postgresql
def test_postgresql_answers_a_search_by_the_index() -> None:
    searches = {
        "invitation_text": Invitation.objects.filter(candidate_name__icontains="lovelace"),
        "candidate_text": Candidate.objects.filter(name__icontains="lovelace"),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for index, rows in searches.items():
            assert index in rows.order_by().explain()


@on_postgresql
def test_the_migration_goes_on_when_the_extension_may_not_be_created() -> None:
    index = TextSearchIndex(fields=["event"], name="any_name", condition=Q(event="sweep"))
    refused = _statement(index).replace(
        "CREATE EXTENSION IF NOT EXISTS pg_trgm;", "RAISE insufficient_privilege;"
    )
    with connection.cursor() as cursor:
        cursor.execute(refused)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'any_name'")
        assert cursor.fetchone() == (0,)


@on_postgresql
def test_another_error_is_not_hidden() -> None:
    wrong = _statement(TextSearchIndex(fields=["event"], name="any_name")).replace(
        '"event"', '"no_such_column"'
    )
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(wrong)


# keys that are too long for their column are shortened and stay unique


def test_a_short_key_is_unchanged():
    assert truncated_key("opportunity:1") == "opportunity:1"


def test_long_keys_fit_and_stay_different_when_only_their_ends_differ():
    first_key, second_key = truncated_key("x" * 400 + "1"), truncated_key("x" * 400 + "2")
    assert first_key != second_key
    assert len(first_key) == len(second_key) == 300
    assert truncated_key("x" * 400 + "1") == first_key
