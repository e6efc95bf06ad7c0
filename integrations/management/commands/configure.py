"""`manage.py configure FILE.toml`: make an organization match a file."""

from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.configuration.file import compare, invitation_links, load
from integrations.configuration.section import ConfigurationError
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify

NOTHING = "nothing to change"


class Command(MigratingCommand):
    help = "Create or update an organization, its members, connections, policies and mappings from a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.toml", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="print the difference and change nothing")

    def handle(self, *args: object, **options: Any) -> None:
        path: Path = options["file"]
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{path}: can't be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: is not UTF-8 text.") from error
        try:
            configuration = load(text)
            plan = compare(configuration)
            self.stdout.write("\n".join(plan.lines or [NOTHING]))
            if options["dry_run"]:
                plan.try_out()
                return
            plan.apply()
        except ConfigurationError as error:
            raise CommandError(f"{path}: {error}") from error
        for username, link in invitation_links(configuration):
            self.stdout.write(f"invitation link for {username}: {link}")
        if plan.lines:
            notify.notify_workers()
