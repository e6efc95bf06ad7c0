"""`manage.py api_token ORGANIZATION NAME`: make or revoke a token for `/api/v1/`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandError, CommandParser

from integrations.api.acts import API_TOKENS, DEFAULT_DAYS, MOST_DAYS, make_token
from integrations.api.models import ApiScope, ApiToken
from integrations.management.arguments import organization_named
from integrations.management.migrating import MigratingCommand


class Command(MigratingCommand):
    help = "Make a token by which a program reads at /api/v1/, and print it, this once; or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument("name", metavar="NAME", nargs="?", default="", help="what the program is called")
        parser.add_argument(
            "--scopes",
            nargs="+",
            default=list(ApiScope),
            metavar="SCOPE",
            help=f"what it reads, of {', '.join(ApiScope)}; if left out, all",
        )
        parser.add_argument(
            "--days", type=int, default=DEFAULT_DAYS, help=f"until it ends, at most {MOST_DAYS}"
        )
        parser.add_argument("--revoke", metavar="NAME", default="", help="end the token of this name")

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        if bool(options["revoke"]) == bool(options["name"]):
            raise CommandError("Give the NAME of a new token, or --revoke NAME.")
        if options["revoke"]:
            token = ApiToken.objects.filter(organization=organization, name=options["revoke"]).first()
            if token is None or not API_TOKENS.remove(token, "api_token"):
                names = ", ".join(organization.api_tokens.values_list("name", flat=True))
                raise CommandError(f"There is no token {options['revoke']!r}. There are: {names or 'none'}.")
            self.stdout.write(f"revoked {token}")
            return
        scopes = [scope for written in options["scopes"] for scope in written.split(",") if scope]
        try:
            new = make_token(organization, options["name"], scopes, options["days"], "api_token")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"“{new.token}” reads {', '.join(new.token.scopes)} until {new.token.expires_at:%-d %B %Y}. "
            "It is shown only now:"
        )
        self.stdout.write(new.text)
