"""Whether the log of audit entries and verdicts is whole: where each chain ends, and the check of one."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
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
    verification: Verification | None
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0
    #: Up to which position all was checked; for a check that ran out of time.
    checked_until: int = 0

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
            return f"Not whole: {len(self.faults)} rows or positions are wrong."
        if self.verification is None:
            return f"Whole up to position {self.checked_until:,}. The rest was not checked in time."
        return f"Whole: {self.verification.position:,} positions, none changed, removed or added."


def log_of(organization: Organization | None) -> Log:
    """Return where the log of an organization stands; without one that of the whole portal."""
    chain = chain_of(organization)
    checks = AuditEntry.objects.filter(organization=organization, action=AuditAction.VERIFY_LOG)
    return Log(
        organization,
        ChainHead.objects.filter(pk=chain).first(),
        AnnouncedHead.objects.filter(chain=chain).order_by("-position").first(),
        checks.order_by("-at").first(),
    )


def check_log(organization: Organization | None, actor: User) -> Check:
    """Check the log for at most CHECKED_FOR, and record who checked and what was found."""
    begun = timezone.now()
    check = Check(organization.name if organization else PORTAL, None)
    try:
        check.verification = verify_chain(
            chain_of(organization), check.faults.append, until=begun + CHECKED_FOR
        )
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
