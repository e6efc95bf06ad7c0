"""`manage.py backtest ORGANIZATION FILE.toml`: decide stored deliveries again under the rules of a file."""

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.configuration.file import compare, rules_after
from integrations.configuration.section import Configuration, ConfigurationError
from integrations.core.rules.backtest import DecidedAgain, Rules, Unknown, Verdict
from integrations.inbox.acts import DAYS, backtest
from integrations.management.arguments import configuration_in, moment, organization_named
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization
from integrations.store import database


class Command(MigratingCommand):
    help = (
        "Decide the stored deliveries again as if the file had been applied with `configure`, and print those whose "
        "verdict would differ. Writes nothing and asks no platform."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument("file", metavar="FILE.toml", type=Path, help="in the form that `configure` reads")
        parser.add_argument(
            "--since",
            metavar="ISO-DATE",
            help=f"only what was decided from then on; UTC without an offset; {DAYS} days ago unless given",
        )

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        since = database.now() - timedelta(days=DAYS)
        if options["since"] is not None:
            since = moment("--since", options["since"])
        path: Path = options["file"]
        try:
            rules = _rules(configuration_in(path), organization)
        except ConfigurationError as error:
            raise CommandError(f"{path}: {error}") from error
        decided = differing = without_facts = 0
        for again in backtest(organization, rules, since):
            decided += again.is_decided
            without_facts += not again.is_decided
            if again.differs:
                differing += 1
                self.stdout.write(_line(again))
        if without_facts:
            self.stdout.write(
                f"{without_facts} can't be decided again: what was known then is no longer stored, or never was"
            )
        self.stdout.write(f"{differing} of {decided} would differ")


def _rules(configuration: Configuration, organization: Organization) -> Rules:
    if configuration.slug != organization.slug:
        raise ConfigurationError(
            f"organization.slug is {configuration.slug!r}, and the command is about {organization.slug!r}."
        )
    compare(configuration)  # what `configure` would refuse is refused here
    return rules_after(configuration, organization)


def _line(again: DecidedAgain) -> str:
    past = again.past
    who = f"opportunity {past.opportunity_id}" if past.opportunity_id else "no opportunity"
    time = past.decided_at.astimezone(UTC)
    now = "depends on what Lever wasn't asked" if isinstance(again.now, Unknown) else _verdict(again.now)
    return f"{time:%Y-%m-%d %H:%M} {who}: {_verdict(again.then)} → {now}"


def _verdict(verdict: Verdict) -> str:
    if verdict.assessment is None:
        return verdict.code.value
    return f"{verdict.code.value} (“{verdict.assessment.name}”)"
