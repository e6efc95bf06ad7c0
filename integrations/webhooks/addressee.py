"""Whose webhook it is, by the key in the address; remembered for a moment, since many come to the same address.

What a process remembers is only ever believed when it lets a request in: an unknown key and a signature that doesn't
match are looked up anew. So a new key or token counts at once; one that was removed, for REMEMBER_SECONDS more in
processes other than the one that removed it.
"""

import time
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.webhook_keys import FormerWebhookKey, webhook_access_changed

REMEMBER_SECONDS = 2.0
MOST_REMEMBERED = 5000


@dataclass(frozen=True)
class Addressee:
    """The organization that a key belongs to, the former key where it isn't the present one, and all that verifies.

    `read_at` is the process's monotonic time before it was read.
    """

    organization: Organization
    former_key: FormerWebhookKey | None = None
    lever_webhooks: tuple[LeverWebhook, ...] = ()
    codescreen: CodeScreenConnection | None = None
    read_at: float = field(default_factory=time.monotonic, compare=False)


class _Memory:
    """Addressees by key, for REMEMBER_SECONDS."""

    def __init__(self) -> None:
        self._by_key: dict[str, tuple[Addressee, int]] = {}
        self.forgotten = 0  # how often; what was read before the last time isn't remembered

    def get(self, key: str) -> Addressee | None:
        """Return what was read about a key not long ago."""
        found, forgotten = self._by_key.get(key, (None, 0))
        if found is None or forgotten != self.forgotten:
            return None
        return found if time.monotonic() - found.read_at < REMEMBER_SECONDS else None

    def put(self, key: str, addressee: Addressee, forgotten: int) -> None:
        """Remember what was read about a key since `forgotten`; it is never returned if that has changed meanwhile."""
        if len(self._by_key) >= MOST_REMEMBERED:
            self._by_key.clear()
        self._by_key[key] = (addressee, forgotten)

    def forget(self) -> None:
        """Ask about every key anew."""
        self.forgotten += 1
        self._by_key.clear()


memory = _Memory()


def find_addressee(key: str) -> Addressee | None:
    """Return the organization with this webhook key, or with a former one that is still honoured."""
    return memory.get(key) or find_anew(key)


def find_anew(key: str) -> Addressee | None:
    """Return the same by what the database has now.

    The present keys are looked up first: a key is replaced and stored as a former one in one transaction, so a key that
    isn't found as a present one any more is found as a former one.
    """
    read_at, forgotten = time.monotonic(), memory.forgotten
    organization, former = Organization.objects.filter(webhook_key=key).only("pk").first(), None
    if organization is None:
        former = FormerWebhookKey.objects.honoured().filter(key=key).select_related("organization").first()
        if former is None:
            return None
        organization = former.organization
    addressee = Addressee(
        organization,
        former,
        tuple(LeverWebhook.objects.active().filter(organization=organization).order_by("-pk")),
        CodeScreenConnection.objects.filter(organization=organization).first(),
        read_at,
    )
    memory.put(key, addressee, forgotten)
    return addressee


def _forget(**_: object) -> None:
    """Forget now, and once it is committed: until then another thread would read what was there before."""
    memory.forget()
    transaction.on_commit(memory.forget)


webhook_access_changed.connect(_forget, dispatch_uid="forget_addressees")
for _model in (Organization, FormerWebhookKey, LeverWebhook, CodeScreenConnection):
    post_save.connect(_forget, sender=_model, dispatch_uid="forget_addressees_at_save")
    post_delete.connect(_forget, sender=_model, dispatch_uid="forget_addressees_at_delete")
