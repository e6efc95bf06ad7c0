"""`manage.py doctor [ORGANIZATION]`: what is wrong, and what to do about it."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from integrations.core.finding_code import Level
from integrations.health.doctor import findings
from integrations.management.arguments import add_optional_organization, organizations_named
from integrations.management.migrating import MigratingCommand

KEYS = ("code", "level", "message", "fix")


class Command(MigratingCommand):
    help = "Print what is wrong with an organization and how to fix it. Exits 1 if anything is an error."

    def add_arguments(self, parser: CommandParser) -> None:
        add_optional_organization(parser)
        parser.add_argument("--json", action="store_true", help="print an array of findings")

    def handle(self, *args: object, **options: Any) -> None:
        found = [
            (organization.slug, finding)
            for organization in organizations_named(options["organization"])
            for finding in findings(organization)
        ]
        if options["json"]:
            rows = [{"organization": slug, **{key: getattr(one, key) for key in KEYS}} for slug, one in found]
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
        elif not found:
            self.stdout.write(
                "There is no organization yet. Create one with `manage.py configure FILE.toml`."
            )
        else:
            styles = {
                Level.ERROR: self.style.ERROR,
                Level.WARNING: self.style.WARNING,
                Level.INFO: self.style.SUCCESS,
            }
            for slug, finding in found:
                self.stdout.write(f"{slug}: {styles[finding.level](finding.level)} {finding.code}")
                self.stdout.write(f"  {finding.message}")
                if finding.fix:
                    self.stdout.write(f"  → {finding.fix} {settings.PORTAL_URL}{finding.page.url}")
        if any(finding.level == Level.ERROR for _, finding in found):
            # not a CommandError: the findings are the output, and it would print another line
            sys.exit(1)
