"""The linter's findings over time: a schedule records them, and the page of mappings shows which are new or fixed."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.health.findings import Finding
from integrations.health.linter import findings
from integrations.health.models import LinterFinding
from integrations.organizations.models.organization import Organization

RECENT = timedelta(days=1)
KEEP_FIXED_FOR = timedelta(days=30)
MOST_FIXED = 10


@dataclass(frozen=True)
class Comparison:
    """The linter's findings now, those among them that are new, and the messages of those fixed lately."""

    findings: list[Finding]
    new: frozenset[Finding]
    fixed: list[str]


def digest(found: Finding) -> str:
    """Return the hash by which the same finding is recognized later."""
    return hashlib.sha256(f"{found.code}\n{found.message}".encode()).hexdigest()


def record_findings(organization: Organization) -> int:
    """Record the linter's findings; return how many weren't there the last time.

    A finding that was fixed and comes back counts as new.
    """
    found = {digest(one): one for one in findings(organization)}
    now = timezone.now()
    with transaction.atomic():
        rows = LinterFinding.objects.filter(organization=organization)
        recorded = set(rows.filter(gone_at__isnull=True).values_list("digest", flat=True))
        rows.filter(gone_at__isnull=True).exclude(digest__in=found).update(gone_at=now)
        rows.filter(digest__in=set(found) & recorded).update(last_seen_at=now)
        new = set(found) - recorded
        rows.filter(digest__in=new).delete()
        LinterFinding.objects.bulk_create(
            [
                LinterFinding(
                    organization=organization,
                    digest=key,
                    code=found[key].code,
                    level=found[key].level,
                    message=found[key].message,
                    first_seen_at=now,
                    last_seen_at=now,
                )
                for key in new
            ],
            ignore_conflicts=True,
        )
        rows.filter(gone_at__lt=now - KEEP_FIXED_FOR).delete()
    return len(new)


def compare_with_history(organization: Organization) -> Comparison:
    """Run the linter now and compare with what was recorded a day ago; on the first day nothing is new."""
    present = findings(organization)
    since = timezone.now() - RECENT
    rows = LinterFinding.objects.filter(organization=organization)
    known = set(rows.filter(gone_at__isnull=True, first_seen_at__lt=since).values_list("digest", flat=True))
    is_first_day = not rows.filter(first_seen_at__lt=since).exists()
    new = [] if is_first_day else [one for one in present if digest(one) not in known]
    messages = {one.message for one in present}
    gone = rows.filter(gone_at__gte=since).order_by("-gone_at").values_list("message", flat=True)
    fixed = [message for message in gone[: MOST_FIXED * 2] if message not in messages]
    return Comparison(present, frozenset(new), fixed[:MOST_FIXED])
