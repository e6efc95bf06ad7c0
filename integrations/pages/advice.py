"""What a finding advises its reader: the page where it is corrected, or the people to ask who may."""

from collections.abc import Iterable
from dataclasses import replace

from integrations.models import Membership
from integrations.workflow.health.checks.addresses import ASK
from integrations.workflow.health.findings import Finding


def advised(findings: Iterable[Finding], member: Membership) -> list[Finding]:
    """Return the findings with a link that the member can do something with; lists and Health are there to be read."""
    return [
        finding
        if not finding.page.needs or getattr(member, finding.page.needs)
        else replace(finding, page=ASK)
        for finding in findings
    ]
