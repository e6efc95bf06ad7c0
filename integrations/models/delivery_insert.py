"""The one statement that stores a webhook, unless it was stored before or its candidate was erased."""

from enum import Enum, auto
from functools import lru_cache

from django.db import connection

from integrations.models.delivery import Delivery
from integrations.models.erasure import Erasure
from integrations.vocabulary import FINAL_ERASURES, Platform

#: What is kept of a delivery's body, for the timeline, the sweep and a replay: ids and times.
_KEPT_OUTSIDE = ("id", "event", "type", "triggeredAt", "timestamp")
_KEPT_IN_DATA = (
    "opportunityId",
    "candidateId",
    "contactId",
    "toStageId",
    "fromStageId",
    "assessmentInstanceId",
    "externalId",
)
#: The columns that the caller states; the others get their defaults.
_STATED = ("organization_id", "platform", "event", "dedupe_key", "opportunity_id", "payload")
_INSERT = """
INSERT INTO {table} ({columns})
SELECT {values} WHERE NOT EXISTS (
    SELECT 1 FROM {erasures} WHERE organization_id = %s AND opportunity_id = %s AND cause IN ({causes})
)
ON CONFLICT (organization_id, platform, dedupe_key) DO UPDATE SET repeats = {table}.repeats + 1
RETURNING repeats
"""


def kept_of_payload(payload: object) -> dict[str, object]:
    """Return what stays of a delivery's body: what happened, when, and ids."""
    if not isinstance(payload, dict):
        return {}
    outer = {name: payload[name] for name in _KEPT_OUTSIDE if _is_scalar(payload.get(name))}
    data = payload.get("data")
    if not isinstance(data, dict) or not data:
        return outer
    return {**outer, "data": {name: data[name] for name in _KEPT_IN_DATA if _is_scalar(data.get(name))}}


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and "@" not in str(value)


class Stored(Enum):
    """What became of a webhook that was to be stored."""

    NEW = auto()
    REPEATED = auto()  # it was there already; the repeat is counted
    FORBIDDEN = auto()  # nothing personal about the opportunity may be stored


def insert_once(
    organization_id: int,
    platform: Platform,
    *,
    event: str,
    dedupe_key: str,
    opportunity_id: str,
    payload: dict[str, object],
    is_impersonal: bool = False,
) -> Stored:
    """Store a delivery, or count the repeat of one. Safe to run twice, except that it counts once more.

    Nothing is stored of somebody whose data was erased, unless the payload `is_impersonal`. Raises IntegrityError when
    the organization is gone.
    """
    body = Delivery._meta.get_field("payload").get_db_prep_save(payload, connection)
    stated = (organization_id, platform.value, event, dedupe_key, opportunity_id, body)
    # no receipt is for an empty id
    erased = (organization_id, "" if is_impersonal else opportunity_id)
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor), (*stated, *erased))
        row = cursor.fetchone()
    if row is None:
        return Stored.FORBIDDEN
    return Stored.REPEATED if row[0] else Stored.NEW


@lru_cache
def _statement(_vendor: str) -> str:
    """Return the SQL, with the defaults of the columns that aren't stated."""
    defaults = {
        field.attname: _literal(field.get_default())
        for field in Delivery._meta.local_concrete_fields
        if field.attname not in _STATED and not field.has_db_default() and not field.generated
        if field.get_default() is not None
    }
    quote = connection.ops.quote_name
    return _INSERT.format(
        table=quote(Delivery._meta.db_table),
        erasures=quote(Erasure._meta.db_table),
        columns=", ".join(map(quote, (*_STATED, *defaults))),
        values=", ".join((*["%s"] * len(_STATED), *defaults.values())),
        causes=", ".join(sorted(f"'{cause.value}'" for cause in FINAL_ERASURES)),
    )


def _literal(default: object) -> str:
    """Return a default in SQL: a whole number, or the empty text."""
    return "''" if default == "" else str(int(str(default)))
