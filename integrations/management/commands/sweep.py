"""`manage.py sweep [ORGANIZATION]`: reconcile with Lever now."""

from typing import Any

from integrations.inbox.sweep import why_not_compared
from integrations.management.arguments import PerOrganizationCommand
from integrations.organizations.models.organization import Organization
from integrations.queue import acts as queue_acts


class Command(PerOrganizationCommand):
    help = "Find candidates in Lever whose webhook never arrived, process them, and erase those that Lever erased."
    failure = "The sweep failed."

    def run(self, organization: Organization, options: dict[str, Any]) -> str:
        if why_not := why_not_compared(Organization.objects.reread(organization.pk)):
            self.stderr.write(f"Nothing was compared: {why_not}")
        repaired = queue_acts.sweep_organization(organization)
        queue_acts.follow_erasures(organization)
        return f"repaired {repaired}"
