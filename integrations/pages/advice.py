"""What a finding advises its reader: the page where it is corrected, or the people to ask who may."""

from collections.abc import Iterable
from dataclasses import replace

from integrations.models import Membership
from integrations.workflow.health.checks.addresses import ASK, AUTHOR, MAPPINGS, POLICY_SETTINGS, SETTINGS
from integrations.workflow.health.findings import Finding

#: The pages on which Admins change something; the others under Settings are the Super Admins'.
_OF_ADMINS = (AUTHOR, MAPPINGS, POLICY_SETTINGS)


def advised(findings: Iterable[Finding], member: Membership) -> list[Finding]:
    """Return the findings with a link that the member can do something with."""
    return [
        finding if _may_act_on(finding.url, member) else replace(finding, url=ASK) for finding in findings
    ]


def _may_act_on(url: str, member: Membership) -> bool:
    """Whether the member's role may change something on the page; lists and Health are there to be read."""
    if url.startswith(_OF_ADMINS):
        return member.may_configure
    return member.may_connect or not url.startswith(SETTINGS)
