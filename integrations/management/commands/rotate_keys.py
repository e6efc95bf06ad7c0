"""`manage.py rotate_keys`: encrypt every stored secret with the first key."""

from django.core.management import CommandError

from integrations.accounts.acts.second_factors import rotate_factors
from integrations.audit.verification import sign_heads
from integrations.management.migrating import MigratingCommand
from integrations.store.encryption import rotate_secrets


class Command(MigratingCommand):
    help = (
        "Encrypt every stored secret, and sign the end of every log, with the first key in FIELD_ENCRYPTION_KEYS. "
        "Afterwards the other keys may be removed. Every process must have been started with the first key before. "
        "Can be stopped and run again at any time, also while the portal runs. Exits 1 when one of the secrets was not "
        "encrypted again."
    )

    def handle(self, *args: object, **options: object) -> None:
        rotation = rotate_secrets()
        rotate_factors(rotation)
        total = rotation.rotated + rotation.unchanged
        self.stdout.write(
            f"rotated {rotation.rotated}: {total} secrets are encrypted with the first key, "
            f"{rotation.unchanged} of them were before."
        )
        for secret in rotation.unreadable:
            self.stdout.write(f"{secret}: no key can decrypt it there.")
        for secret in rotation.changing:
            self.stdout.write(f"{secret}: another process kept changing it.")
        if rotation.unreadable:
            raise CommandError(
                f"{len(rotation.unreadable)} not rotated, because no key in FIELD_ENCRYPTION_KEYS opens them where "
                "they are. Put the key that they were written with back at the end of the list and run this again. If "
                "none is missing, they were moved in the database: enter them again, `manage.py doctor` says where."
            )
        if rotation.changing:
            raise CommandError(
                f"{len(rotation.changing)} not rotated. Keep the other keys, and run this again."
            )
        for head in sign_heads():
            self.stdout.write(f"The end of log {head.chain} was not signed: run `manage.py verify_audit`.")
        self.stdout.write("The other keys may be removed.")
