"""What commands take and how they answer: organizations, rows and dates."""

from datetime import UTC, datetime, time
from typing import Any

from django.core.management import CommandError, CommandParser
from django.db.models import Model
from django.utils.dateparse import parse_date, parse_datetime

from integrations.configuration.section import closest
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization


def add_optional_organization(parser: CommandParser) -> None:
    """Have a command take a slug, or none for every organization."""
    help_text = "its slug; if left out, every organization"
    parser.add_argument("organization", metavar="ORGANIZATION", nargs="?", help=help_text)


def organizations_named(slug: str | None) -> list[Organization]:
    """Return that organization alone, without a slug all of them. Raises CommandError for an unknown or empty slug."""
    return list(Organization.objects.order_by("slug")) if slug is None else [organization_named(slug)]


def organization_named(slug: str) -> Organization:
    """Return the organization with that slug. Raises CommandError, with the most similar slug, when there is none."""
    try:
        return Organization.objects.get(slug=slug)
    except Organization.DoesNotExist:
        known = list(Organization.objects.order_by("slug").values_list("slug", flat=True))
    none_yet = "There is none yet: make one with `manage.py configure FILE.toml`."
    hint = closest(slug, known, "There are") if known else none_yet
    raise CommandError(f"There is no organization {slug!r}. {hint}")


def row_with_id[Row: Model](model: type[Row], pk: int, *, kind: str) -> Row:
    """Return the row with its organization. Raises CommandError when there is none; `export` lists its `kind`."""
    row = model._default_manager.select_related("organization").filter(pk=pk).first()
    if row is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {pk}. `export {kind}` lists them.")
    return row


def moment(option: str, text: str) -> datetime:
    """Return the time that an option names, in UTC; a date's beginning, UTC without an offset. Raises CommandError."""
    try:
        found = parse_datetime(text)
        if found is None:
            day = parse_date(text)
            found = datetime.combine(day, time.min) if day else None
        if found is not None:
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise CommandError(f"{option} {text!r} is no date: write 2027-01-31 or 2027-01-31T08:00:00+00:00.")
    return found


class PerOrganizationCommand(MigratingCommand):
    """A command that does something for each organization and prints a line about each.

    What isn't possible for one leaves the others alone; the command fails at the end and names them all.
    """

    #: The first line of the error when some organization failed.
    failure = ""

    def add_arguments(self, parser: CommandParser) -> None:
        add_optional_organization(parser)

    def handle(self, *args: object, **options: Any) -> None:
        organizations = organizations_named(options["organization"])
        errors = []
        for organization in organizations:
            if len(organizations) > 1:
                self.stderr.write(f"{organization.slug}:")
            try:
                self.stdout.write(self.run(organization, options))
            except (ActionNotAllowed, PlatformError) as error:
                errors.append(f"{organization.slug}: {error}")
        if errors:
            raise CommandError("\n".join([self.failure, *errors]))

    def run(self, organization: Organization, options: dict[str, Any]) -> str:
        """Do it for one organization; return the line to print. Raises ActionNotAllowed and PlatformError."""
        raise NotImplementedError
