"""Store a verified webhook once."""

from contextlib import nullcontext
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from integrations.models import Delivery, Organization
from integrations.queue.notify import notify_workers
from integrations.vocabulary import Platform


def store_delivery(
    organization: Organization,
    platform: Platform,
    *,
    event: str,
    dedupe_key: str,
    opportunity_id: str,
    payload: dict[str, Any],
) -> bool:
    """Commit the delivery and notify the workers; False when it was stored before."""
    identity = {"organization": organization, "platform": platform, "dedupe_key": dedupe_key}
    # inside a transaction a duplicate must not abort the statements around it; outside one there are none
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with savepoint:
            Delivery.objects.create(**identity, event=event, opportunity_id=opportunity_id, payload=payload)
    except IntegrityError:
        # if another constraint failed, no row exists, and the request must not be answered as a repeat
        if not Delivery.objects.filter(**identity).update(repeats=F("repeats") + 1):
            raise
        return False
    notify_workers()
    return True
