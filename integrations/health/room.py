"""Whether the database takes another row: one whose disk is full still answers what is read."""

import secrets
import time
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

#: As large as a webhook's row, so that it needs as much room; random, since PostgreSQL compresses other text.
WRITTEN_BYTES = 4500
#: After a success nothing is written for so long: a balancer asks each second, and anyone may.
AGAIN_SECONDS = 30.0

_next_at = 0.0


def require_room() -> None:
    """Store and remove a row, unless that was possible a moment ago. Raises DatabaseError."""
    global _next_at  # noqa: PLW0603
    if time.monotonic() < _next_at:
        return
    # an expired session: the daily clean-up removes it if this process is killed in between
    session = Session(
        session_key=f"probe{secrets.token_hex(12)}",
        session_data=secrets.token_urlsafe(WRITTEN_BYTES),
        expire_date=timezone.now() - timedelta(days=1),
    )
    with transaction.atomic():
        session.save(force_insert=True)
    session.delete()
    _next_at = time.monotonic() + AGAIN_SECONDS
