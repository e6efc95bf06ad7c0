"""How rows stand in a pack: every column but encrypted ones, one JSON object a line."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from operator import attrgetter

from django.db.models import Model, QuerySet

from integrations.models import AuditEntry, Chained, Effect, Verdict
from integrations.models.encrypted_field import EncryptedTextField

READ_AT_ONCE = 1000
#: What of an e-mail to the team is about others: who got it, and what it says about further candidates.
_ABOUT_OTHERS = ("recipients", "sent_to", "appended")
#: What of a webhook's body would let a reader send it once more.
_SIGNED = ("signature", "token")


def lines(rows: QuerySet[Model], told: Callable[[Model], dict[str, object]]) -> Iterator[bytes]:
    """Yield the rows, as `told`, as lines of JSON, oldest first; those of a chain by position."""
    order = "position" if issubclass(rows.model, Chained) else "pk"
    for row in rows.order_by(order).iterator(chunk_size=READ_AT_ONCE):
        yield line(told(row))


def record(row: Model) -> dict[str, object]:
    """Return a row's columns by name. Times are in UTC with microseconds, decimals are text."""
    return {
        field.attname: _json(field.attname, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField)
    }


def record_of_one(row: Model) -> dict[str, object]:
    """Return a row's columns as far as they are about the row's own candidate, for readers who may know of that one."""
    columns = record(row)
    payload = columns.get("payload")
    if isinstance(row, Effect) and isinstance(payload, dict):
        columns["payload"] = {name: value for name, value in payload.items() if name not in _ABOUT_OTHERS}
    return columns


def links(organization_id: int, first: int, last: int) -> Iterator[bytes]:
    """Yield what the hashes of the chain are made of, from position to position; no personal text of a candidate."""
    positions = {"position__range": (first, last)}
    entries = AuditEntry.objects.in_chain(organization_id).filter(**positions)
    verdicts = Verdict.objects.in_chain(organization_id).filter(**positions)
    both: tuple[Iterator[Chained], Iterator[Chained]] = (
        entries.iterator(READ_AT_ONCE),
        verdicts.iterator(READ_AT_ONCE),
    )
    for row in merge(*both, key=attrgetter("position")):
        yield line(
            {
                "chain": row.chain,
                "position": row.position,
                "previous": row.previous_hash,
                "kind": row.KIND.value,
                "row": row.hashed_row(),
                "text": row.text_digest,
                "hash": row.hash,
            }
        )


def line(value: dict[str, object]) -> bytes:
    """Return a JSON object as a line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _json(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return str(value)
    if name == "payload" and isinstance(value, dict):
        return {key: "[removed]" if key in _SIGNED else item for key, item in value.items()}
    return value
