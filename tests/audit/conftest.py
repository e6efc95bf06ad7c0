"""A chain with both kinds of rows, and what a person with the database's password can do to it."""

import pytest
from django.db import connection

from integrations.audit.models.chain import Chained
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.audit.verification import verify_chain
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.verdict import Verdict
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.append_only import lifted


class Chain:
    """Ten rows of one organization: an audit entry and a verdict in turns, each verdict about the same delivery.

    The first is that the organization was made.
    """

    def __init__(self, organization) -> None:
        self.organization = organization
        self.delivery = factories.DeliveryFactory.create(organization=organization)
        for number in range(5):
            if number:
                self.record(f"before {number}", f"after {number}")
            self.decide(f"Because of {number}.")

    def record(self, before: str, after: str) -> None:
        target = AuditTarget(TargetKind.ORGANIZATION, self.organization.pk, "Åcme 🦊")
        changes = {"stage_prefix": (before, after), "bulk_limit": (50, 7)}
        audit(
            target,
            "configure",
            AuditAction.CHANGE_POLICIES,
            changes,
            "Agreed.",
            organization=self.organization,
        )

    def decide(self, explanation: str) -> None:
        factories.decide(self.delivery, VerdictCode.NO_EMAIL, explanation)

    def entries(self):
        """Return the audit entries, first to last."""
        return AuditEntry.objects.filter(organization=self.organization).order_by("position")

    def verdicts(self):
        """Return the verdicts, first to last."""
        return Verdict.objects.filter(organization=self.organization).order_by("position")

    def row(self, position: int) -> Chained:
        """Return the row at a position."""
        found = self.entries().filter(position=position).first()
        return found or self.verdicts().get(position=position)

    def faults(self) -> list[str]:
        """Return what `verify_audit` finds."""
        found: list[str] = []
        verification = verify_chain(self.organization.pk, found.append)
        assert verification.faults == len(found)
        return found


def is_whole(organization: Organization | None) -> bool:
    """Whether the chain of an organization, or that of the portal, has no fault."""
    faults: list[object] = []
    verify_chain(organization.pk if organization else 0, faults.append)
    return not faults


def execute(statement: str, *parameters: int) -> None:
    """Run a statement as somebody does who has the database's password."""
    with lifted(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def chain(organization) -> Chain:
    return Chain(organization)
