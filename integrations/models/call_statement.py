"""The statement that stores calls: many rows at once, none with bodies that an erasure forbids."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from integrations.models.api_call import ApiCall
from integrations.models.erasure import Erasure
from integrations.vocabulary import FINAL_ERASURES

#: What may be personal.
_BODIES = frozenset({"request_body", "response_body", "error"})


def store_calls(calls: Sequence[ApiCall]) -> None:
    """Store calls in one statement, in their order, except for those that are counted on an earlier one.

    Without their bodies if an erasure forbids to store anything personal about the opportunity, and without their
    effect or delivery if that was deleted meanwhile.
    """
    calls = [call for call in calls if not ApiCall.objects.count_repeat(call)]
    if not calls:
        return
    values: list[Any] = []
    rows = []
    for call in calls:
        rows.append(_row(is_about_a_person=bool(call.opportunity_id)))
        values += _values(call)
    with connection.cursor() as cursor:
        cursor.execute(f"{_insert()} VALUES {', '.join(rows)}", values)


def _fields() -> "list[models.Field[Any, Any]]":
    return [field for field in ApiCall._meta.concrete_fields if not field.primary_key]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


@cache
def _insert() -> str:
    columns = ", ".join(_quoted(field.column or "") for field in _fields())
    return f"INSERT INTO {_quoted(ApiCall._meta.db_table)} ({columns})"


@cache
def _row(*, is_about_a_person: bool) -> str:
    return f"({', '.join(_placeholder(field, is_about_a_person) for field in _fields())})"


def _placeholder(field: "models.Field[Any, Any]", is_about_a_person: bool) -> str:
    if isinstance(field, models.ForeignKey) and field.null:
        table = _quoted(field.related_model._meta.db_table)
        return f"(SELECT id FROM {table} WHERE id = %s)"  # noqa: S608
    if field.name in _BODIES and is_about_a_person:
        causes = ", ".join(f"'{cause.value}'" for cause in sorted(FINAL_ERASURES))
        erased = (
            f"SELECT 1 FROM {_quoted(Erasure._meta.db_table)} "  # noqa: S608
            f"WHERE organization_id = %s AND opportunity_id = %s AND cause IN ({causes})"
        )
        return f"CASE WHEN EXISTS ({erased}) THEN '' ELSE %s END"
    return "%s"


def _values(call: ApiCall) -> Iterator[Any]:
    for field in _fields():
        if field.name in _BODIES and call.opportunity_id:
            yield from (call.organization_id, call.opportunity_id)
        yield field.get_db_prep_save(getattr(call, field.attname), connection)
