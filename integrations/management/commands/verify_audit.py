"""`manage.py verify_audit [ORGANIZATION]`: whether audit entries and verdicts are all there, as they were written."""

import sys
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.audit.models.chain import PORTAL_CHAIN
from integrations.audit.verification import Verification, accept_chain, verify_chain
from integrations.management.arguments import add_optional_organization, organizations_named
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization

PORTAL = "the portal"


class Command(MigratingCommand):
    help = (
        "Check the chains of audit entries and verdicts. Print each row that was changed, removed or added outside "
        "the portal, and exit 1 if there is any. Without ORGANIZATION also the chain of what concerns the whole portal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_optional_organization(parser)
        parser.add_argument(
            "--accept",
            metavar="REASON",
            help="first sign these chains as they are, such as after a key was lost; the reason goes into the log",
        )

    def handle(self, *args: object, **options: Any) -> None:
        chains: list[Organization | None] = list(organizations_named(options["organization"]))
        if options["organization"] is None:
            chains.insert(0, None)
        if options["accept"] is not None and not options["accept"].strip():
            raise CommandError("Say the reason why these chains are accepted.")
        for organization in chains if options["accept"] else ():
            accept_chain(organization, options["accept"], "verify_audit")
        verifications = [self._verify(organization) for organization in chains]
        if not all(verification.is_whole for verification in verifications):
            # not a CommandError: the faults are the output, and it would print another line
            sys.exit(1)

    def _verify(self, organization: Organization | None) -> Verification:
        name = organization.slug if organization else PORTAL
        chain = organization.pk if organization else PORTAL_CHAIN
        found = verify_chain(chain, lambda fault: self.stdout.write(f"{name}: {fault}"))
        rows = f"{found.audit_entries} audit entries and {found.verdicts} verdicts, the text of {found.erased} erased"
        if found.is_whole:
            self.stdout.write(f"{name}: whole. {rows}. Head {found.position}:{found.hash}")
        else:
            self.stdout.write(self.style.ERROR(f"{name}: not whole, {found.faults} faults. {rows}."))
        return found
