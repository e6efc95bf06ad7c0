"""What the linter found and when: a schedule remembers it, and pages show what is new and what is mended."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.models import LinterFinding, Organization
from integrations.workflow.health import linter
from integrations.workflow.health.findings import Finding

LATELY = timedelta(days=1)
KEEP_MENDED_FOR = timedelta(days=30)
MOST_MENDED = 10


@dataclass(frozen=True)
class Comparison:
    """The linter's findings now, which of them are new, and what was mended lately."""

    findings: list[Finding]
    new: frozenset[Finding]
    mended: list[str]


def digest(finding: Finding) -> str:
    """Return what makes a finding the same when it is found again."""
    return hashlib.sha256(f"{finding.code}\n{finding.message}".encode()).hexdigest()


def record_findings(organization: Organization) -> int:
    """Compare with what was found last time and remember it; how many findings are new."""
    found = {digest(finding): finding for finding in linter.findings(organization)}
    now = timezone.now()
    with transaction.atomic():
        rows = LinterFinding.objects.filter(organization=organization)
        standing = set(rows.filter(gone_at__isnull=True).values_list("digest", flat=True))
        rows.filter(gone_at__isnull=True).exclude(digest__in=found).update(gone_at=now)
        rows.filter(digest__in=set(found) & standing).update(last_seen_at=now)
        new = set(found) - standing
        # one that comes back after it was mended is new again
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
        rows.filter(gone_at__lt=now - KEEP_MENDED_FOR).delete()
    return len(new)


def compare_with_history(organization: Organization) -> Comparison:
    """Ask the linter now and say what it didn't find a day ago, and what it no longer finds."""
    findings = linter.findings(organization)
    since = timezone.now() - LATELY
    rows = LinterFinding.objects.filter(organization=organization)
    known = set(rows.filter(gone_at__isnull=True, first_seen_at__lt=since).values_list("digest", flat=True))
    is_first = not rows.filter(first_seen_at__lt=since).exists()
    new = [] if is_first else [finding for finding in findings if digest(finding) not in known]
    standing = {finding.message for finding in findings}
    mended = rows.filter(gone_at__gte=since).order_by("-gone_at").values_list("message", flat=True)
    return Comparison(
        findings,
        frozenset(new),
        [message for message in mended[: MOST_MENDED * 2] if message not in standing][:MOST_MENDED],
    )
