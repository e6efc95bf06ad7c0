"""What stands in the hashes of a chain, and its head: how many rows the chain has, and the hash of the last one."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

from integrations.store.columns import Holds, harmless

#: What the first row of a chain gives as the hash of the row before it.
NO_HASH = "0" * 64
#: The chain of what concerns the whole portal; every other chain has the id of its organization.
PORTAL_CHAIN = 0

type Json = str | int | bool | list[Json] | dict[str, Json] | None


def canonical(value: Mapping[str, Json]) -> bytes:
    """Return the one way to write a JSON object: sorted keys, no spaces, UTF-8 without escapes it doesn't need."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def text_digest(salt: str, text: Mapping[str, Json]) -> str:
    """Return what a link holds instead of the text: without the salt nobody can find the text by trying."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(text)).hexdigest()


class ChainHeadQuerySet(models.QuerySet["ChainHead"]):
    """Heads by chain."""

    def lock(self, chain: int) -> "ChainHead":
        """Return the head of a chain, locked until the transaction ends; make it for a chain without rows.

        Writers take this lock after all others, and each chain has its own: so they never wait for one another in a
        circle, nor for writers of other organizations. Only a change of the organization's key waits for it first
        (`replace_webhook_key` in `organizations/acts.py`).
        """
        locked = self.select_for_update(of=("self",)).filter(pk=chain)
        if (head := locked.first()) is None:
            self.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
            head = locked.get()
        return head


class ChainHead(models.Model):
    """How many rows one chain has, and the hash of the last one, under a key that isn't in the database."""

    HOLDS = Holds("the end of each chain of audit entries and verdicts", "for ever")

    chain = models.BigIntegerField(
        primary_key=True, help_text="The organization's id; 0 for what concerns the whole portal."
    )
    position = models.BigIntegerField(default=0)
    hash = harmless(models.CharField(max_length=64, default=NO_HASH))
    keyed_hash = harmless(
        models.CharField(
            max_length=64,
            blank=True,
            editable=False,
            help_text="Of chain, position and hash, under a key that isn't in the database. Empty since the first row "
            "after a head that it didn't fit.",
        )
    )

    objects = ChainHeadQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @property
    def is_genuine(self) -> bool:
        """Whether the portal wrote this head, under one of FIELD_ENCRYPTION_KEYS; true of a chain without rows."""
        is_new = (self.position, self.hash, self.keyed_hash) == (0, NO_HASH, "")
        keys = settings.FIELD_ENCRYPTION_KEYS
        return is_new or any(hmac.compare_digest(self.keyed_hash, self._keyed_hash(key)) for key in keys)

    def advance(self, row_hash: str) -> None:
        """Make the row with this hash, which was just stored at the next position, the head.

        A head that isn't genuine doesn't become so by what is written after it: what somebody did to the chain outside
        the portal would look like the portal's own from then on.
        """
        was_genuine = self.is_genuine
        self.position, self.hash, self.keyed_hash = self.position + 1, row_hash, ""
        if was_genuine:
            self.sign()
        else:
            self.save()

    def sign(self) -> None:
        """Store the head as it is with its keyed hash under the first of FIELD_ENCRYPTION_KEYS."""
        self.keyed_hash = self._keyed_hash(settings.FIELD_ENCRYPTION_KEYS[0])
        self.save()

    def _keyed_hash(self, key: str) -> str:
        end = f"{self.chain}:{self.position}:{self.hash}"
        return salted_hmac("integrations.chain.head", end, secret=key, algorithm="sha256").hexdigest()
