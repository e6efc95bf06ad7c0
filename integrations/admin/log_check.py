"""Whether the log of audit entries and verdicts is whole: where each chain ends, and the check of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from integrations.models import (
    AnnouncedHead,
    AuditAction,
    AuditEntry,
    AuditTarget,
    ChainHead,
    Organization,
    TargetKind,
)
from integrations.models.chain_format import PORTAL_CHAIN
from integrations.workflow.health.chain.faults import Fault
from integrations.workflow.health.chain.verification import OutOfTime, Verification, chain_of, verify_chain

PORTAL = "The whole portal"
#: A page may take so long; a longer log is checked by the command.
CHECKED_FOR = timedelta(seconds=10)
#: So many faults are shown; the command prints all.
SHOWN = 50


@dataclass(frozen=True)
class Log:
    """One chain: whose it is, where it ends, where it was last announced and how it was last checked."""

    organization: Organization | None
    head: ChainHead | None
    announced: AnnouncedHead | None
    checked: AuditEntry | None

    @property
    def name(self) -> str:
        """Whose log it is."""
        return self.organization.name if self.organization else PORTAL

    @property
    def key(self) -> str:
        """How the page's form names it."""
        return self.organization.slug if self.organization else ""

    @property
    def result(self) -> str:
        """How the last check ended, as it was recorded; empty before the first."""
        after = self.checked.changes.get("result", ("", "")) if self.checked else ("", "")
        return str(after[1])


@dataclass
class Check:
    """What a check found."""

    log: str
    verification: Verification | None = None
    #: The first SHOWN of the faults, and how many there are.
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    seconds: float = 0
    #: Up to which position all was checked; for a check that ran out of time.
    checked_until: int = 0

    def report(self, fault: Fault) -> None:
        """Add a fault."""
        self.fault_count += 1
        if len(self.faults) < SHOWN:
            self.faults.append(fault)

    @property
    def is_complete(self) -> bool:
        """Whether it came to the log's end."""
        return self.verification is not None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was checked is wrong."""
        return not self.faults

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        if self.faults:
            return f"Not whole: {self.fault_count:,} rows or positions are wrong."
        if self.verification is None:
            return f"Whole up to position {self.checked_until:,}. The rest was not checked in time."
        return f"Whole: {self.verification.position:,} positions, none changed, removed or added."


def logs_of(organizations: Sequence[Organization | None]) -> list[Log]:
    """Return where the logs of these organizations stand, None for that of the whole portal; a query of each kind."""
    heads = ChainHead.objects.in_bulk([chain_of(organization) for organization in organizations])
    announced = {row.chain: row for row in _last_announced(list(heads))}
    checked = {row.organization_id: row for row in _last_checks(organizations)}
    of_portal = AuditEntry.objects.filter(organization=None, action=AuditAction.VERIFY_LOG)
    portal_checked = of_portal.order_by("-at").first() if None in organizations else None
    return [
        Log(
            organization,
            heads.get(chain_of(organization)),
            announced.get(chain_of(organization)),
            checked.get(organization.pk) if organization else portal_checked,
        )
        for organization in organizations
    ]


def _last_announced(chains: list[int]) -> QuerySet[AnnouncedHead]:
    latest = AnnouncedHead.objects.filter(chain=OuterRef("pk")).order_by("-position").values("pk")[:1]
    keys = ChainHead.objects.filter(pk__in=chains).values_list(Subquery(latest))
    return AnnouncedHead.objects.filter(pk__in=keys)


def _last_checks(organizations: Sequence[Organization | None]) -> QuerySet[AuditEntry]:
    checks = AuditEntry.objects.filter(organization=OuterRef("pk"), action=AuditAction.VERIFY_LOG)
    own = Organization.objects.filter(pk__in=[one.pk for one in organizations if one])
    return AuditEntry.objects.filter(
        pk__in=own.values_list(Subquery(checks.order_by("-at").values("pk")[:1]))
    )


def check_log(organization: Organization | None, actor: User) -> Check:
    """Check the log for at most CHECKED_FOR, and record who checked and what was found."""
    begun = timezone.now()
    check = Check(organization.name if organization else PORTAL)
    try:
        check.verification = verify_chain(chain_of(organization), check.report, until=begun + CHECKED_FOR)
    except OutOfTime as out:
        check.checked_until = out.position
    check.seconds = (timezone.now() - begun).total_seconds()
    AuditEntry.record(
        organization,
        actor,
        AuditAction.VERIFY_LOG,
        AuditTarget(TargetKind.ORGANIZATION, organization.pk if organization else PORTAL_CHAIN, check.log),
        {"result": (None, check.sentence)},
    )
    return check
