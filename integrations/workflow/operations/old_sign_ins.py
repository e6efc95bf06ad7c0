"""Erase by age what the log says of people's sign-ins: their name and the address of their client."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.models import (
    AuditAction,
    AuditEntry,
    AuditTarget,
    Organization,
    TargetKind,
    audit,
    erased_positions,
)
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.database_file import overwrite_deleted

ACTOR = "retention"
#: That an account was signed in to or changed, and when, stays; from where, for so long.
KEPT_FOR = timedelta(days=180)
#: So many texts are emptied in one transaction.
BATCH = 500


def erase_some_sign_ins(organization: Organization | None) -> int:
    """Empty at most BATCH texts of the log that hold a client's address and are older than KEPT_FOR; return how many.

    Without an organization it is the log of the portal as a whole. Safe to run twice and to be killed anywhere.
    """
    before = timezone.now() - KEPT_FOR
    old = AuditEntry.objects.filter(
        organization=organization,
        target_kind=TargetKind.ACCOUNT,
        at__lt=before,
        changes__has_key="address",
    ).exclude(text_salt="")
    with transaction.atomic():
        keys = list(old.order_by("position").values_list("pk", flat=True)[:BATCH])
        if not keys:
            return 0
        positions = AuditEntry.objects.filter(pk__in=keys).erase_text()
        target = AuditTarget(TargetKind.ERASURE, None, f"sign-ins from before {before:%-d %B %Y}")
        rows = {AuditEntry._meta.db_table: len(positions)}
        because = f"Because {ErasureCause.RETENTION.label}."
        changes = {"rows": ({}, rows), **erased_positions(positions)}
        audit(target, ACTOR, AuditAction.ERASE, changes, because, organization=organization)
        transaction.on_commit(overwrite_deleted)
    return len(positions)
