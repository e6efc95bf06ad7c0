"""`manage.py verify_audit [ORGANIZATION]`: whether audit entries and verdicts are all there, as they were written."""

import sys
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.audit.acts import record_check, seal_anew
from integrations.audit.verification import HeadToCompare, Verification, chain_of, result_of, verify_chain
from integrations.management.arguments import (
    add_optional_organization,
    organization_named,
    organizations_named,
)
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization

PORTAL = "the portal"


class Command(MigratingCommand):
    help = (
        "Check the chains of audit entries and verdicts; print each row that was changed, removed or added outside "
        "the portal, and exit 1 if there is any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_optional_organization(parser)
        parser.add_argument(
            "--portal", action="store_true", help="only the chain of what concerns the whole portal"
        )
        parser.add_argument(
            "--head",
            metavar="POSITION:HASH",
            help="a head of this chain that was announced earlier, such as the one in an e-mail",
        )

        parser.add_argument(
            "--seal-anew",
            metavar="REASON",
            help="seal this chain as it is, such as after a key was lost; the reason goes into the log",
        )

    def handle(self, *args: object, **options: Any) -> None:
        heads = [_head(options["head"])] if options["head"] else []
        if options["portal"] and options["organization"]:
            raise CommandError("Give an ORGANIZATION or --portal, not both.")
        if heads and not (options["portal"] or options["organization"]):
            raise CommandError("Each organization has its own log. Give the ORGANIZATION too, or --portal.")
        chains: list[Organization | None]
        if options["organization"]:
            chains = [organization_named(options["organization"])]
        else:
            chains = [None] if options["portal"] else [None, *organizations_named(None)]
        if options["seal_anew"]:
            if len(chains) != 1:
                raise CommandError(
                    "Each organization has its own log. Give the ORGANIZATION too, or --portal."
                )
            seal_anew(chains[0], options["seal_anew"], "verify_audit")
        verifications = [self._verify(organization, heads) for organization in chains]
        if not all(verification.is_whole for verification in verifications):
            # not a CommandError: the faults are the output, and it would print another line
            sys.exit(1)

    def _verify(self, organization: Organization | None, heads: list[HeadToCompare]) -> Verification:
        name = organization.slug if organization else PORTAL
        found = verify_chain(
            chain_of(organization), lambda fault: self.stdout.write(f"{name}: {fault}"), *heads
        )
        if heads or found.faults:
            result = result_of(found.faults, found.position)
            record_check(organization, "verify_audit", result, found.faults, heads)
        rows = f"{found.audit_entries} audit entries and {found.verdicts} verdicts, the text of {found.erased} erased"
        if found.is_whole:
            self.stdout.write(f"{name}: whole. {rows}. Head {found.position}:{found.hash}")
        else:
            self.stdout.write(self.style.ERROR(f"{name}: not whole, {found.faults} faults. {rows}."))
        return found


def _head(text: str) -> HeadToCompare:
    head = HeadToCompare.parse(text)
    if head is None:
        raise CommandError(
            f"--head {text!r} isn't valid. Copy all of it: a position, a colon and 64 characters."
        )
    return head
