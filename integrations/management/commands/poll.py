"""`manage.py poll [ORGANIZATION]`: ask CodeScreen now."""

from typing import Any

from django.core.management import CommandParser

from integrations.management.arguments import PerOrganizationCommand
from integrations.organizations.models.organization import Organization
from integrations.queue import acts as queue_acts


class Command(PerOrganizationCommand):
    help = "Check every open invitation in CodeScreen now."
    failure = "CodeScreen could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="completed ones too")

    def run(self, organization: Organization, options: dict[str, Any]) -> str:
        return f"asked {queue_acts.poll_organization(organization, everything=options['all'])}"
