"""Which e-mails are gathered into one, how long such a digest waits, and how lines are appended to it."""

from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Effect, Organization

#: What shares an e-mail, by the beginning of its key, and what that e-mail is called then.
DIGESTS = {
    "uncertain:": "Several invitations may or may not have been sent",
    "failed:": "Several invitations could not be sent",
    "bounced:": "Several invitations bounced",
    "regraded:": "Several results changed after the candidates were moved",
    "result:": "Several CodeScreen results",
}
DIGEST_WAIT = timedelta(seconds=30)
DIGEST_PAUSE = timedelta(minutes=30)
RESULTS_APART = 20
MAX_LINES = 300


def digest_of(organization: Organization, key: str) -> str:
    """Return what the e-mail is bundled with, empty when it stands alone; results do while they are few."""
    if not key.startswith(tuple(DIGESTS)):
        return ""
    group = key.split(":")[0]
    if group != "result":
        return group
    since = timezone.now() - DIGEST_PAUSE
    rows = Effect.objects.filter(
        organization=organization, kind=Effect.Kind.SEND_EMAIL, created_at__gte=since
    )
    lately = rows.filter(key__startswith="result:")[:RESULTS_APART].values("pk")
    return group if len(lately) >= RESULTS_APART else ""


def digest_wait(organization: Organization, group: str) -> timedelta:
    """Return how long a new e-mail of a group gathers what follows: longer while one has just been sent."""
    rows = Effect.objects.filter(
        organization=organization, kind=Effect.Kind.SEND_EMAIL, key__startswith=f"{group}:"
    )
    last = rows.order_by("-pk").values_list("created_at", flat=True).first()
    pause = last + DIGEST_PAUSE - timezone.now() if last else timedelta(0)
    return max(DIGEST_WAIT, pause)


def append_to_digest(organization: Organization, group: str, key: str, lines: list[str]) -> bool:
    """Add the lines to an e-mail of the same group that hasn't been taken up yet; whether there is one."""
    rows = Effect.objects.filter(
        organization=organization,
        kind=Effect.Kind.SEND_EMAIL,
        key__startswith=f"{group}:",
        state=Effect.State.DUE,
        due_at__gt=Now(),
        attempts=0,
        leased_until__isnull=True,
    )
    if connection.features.has_select_for_update and connection.in_atomic_block:
        # wait for who adds to it this moment, since what isn't added becomes an e-mail of its own
        rows = rows.select_for_update()
    waiting = rows.first()
    if waiting is None:
        return False
    payload = waiting.payload
    if key in payload.get("joined", []):
        return True
    is_full = len(payload["lines"]) + len(lines) > MAX_LINES
    payload = {
        **payload,
        "joined": [*payload.get("joined", []), key],
        "subject": DIGESTS[f"{group}:"],
        "lines": payload["lines"] if is_full else [*payload["lines"], *lines],
        "left_out": payload.get("left_out", 0) + is_full,
        "variables": {},  # they are one candidate's
    }
    return bool(rows.filter(pk=waiting.pk).update(payload=payload))
