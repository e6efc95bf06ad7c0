"""`manage.py subject_access ORGANIZATION OPPORTUNITY_ID`: what is held about a candidate, as JSON."""

import json
from typing import Any

from django.core.management import CommandParser

from integrations.management.arguments import nothing_about, organization_named
from integrations.management.migrating import MigratingCommand
from integrations.privacy.acts import held_data, record_subject_access


class Command(MigratingCommand):
    help = "Print everything that the portal holds about a candidate as JSON, for a candidate who asks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument("opportunity_id", metavar="OPPORTUNITY_ID", help="Lever's id of the opportunity")

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        data = held_data(organization, options["opportunity_id"], counts_mentions=True)
        if data is None:
            raise nothing_about(options["opportunity_id"], organization)
        record_subject_access(data, "subject_access")
        self.stdout.write(json.dumps(data.to_json(), ensure_ascii=False, indent=2))
