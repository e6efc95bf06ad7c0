"""What stands in the hashes of a chain, and where it ends: the head that writers lock, its seal, announced heads."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from integrations.store.append_only import AppendOnly, AppendOnlyModel, AppendOnlyQuerySet
from integrations.store.personal import Holds, harmless

#: The version of this form. It stands in every link, so that a later form can be told from this one.
FORMAT = 1
#: What the first row of a chain gives as the hash of the row before it.
NO_HASH = "0" * 64
#: The chain of what concerns the whole portal; every other chain has the id of its organization.
PORTAL_CHAIN = 0
SALT_BYTES = 16

type Json = str | int | bool | list[Json] | dict[str, Json] | None


class ChainKind(StrEnum):
    """The kinds of rows that share one chain."""

    AUDIT_ENTRY = "audit_entry"
    VERDICT = "verdict"


def canonical(value: Mapping[str, Json]) -> bytes:
    """Return the one way to write a JSON object: sorted keys, no spaces, UTF-8 without escapes it doesn't need."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def new_salt() -> str:
    """Return a random salt in hexadecimal."""
    return secrets.token_hex(SALT_BYTES)


def text_digest(salt: str, text: Mapping[str, Json]) -> str:
    """Return what a link holds instead of the text: without the salt nobody can find the text by trying."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(text)).hexdigest()


def link_hash(
    *, chain: int, position: int, previous_hash: str, kind: ChainKind, row: Mapping[str, Json], digest: str
) -> str:
    """Return the hash of one row of a chain in hexadecimal."""
    link: dict[str, Json] = {
        "format": FORMAT,
        "chain": chain,
        "position": position,
        "previous": previous_hash,
        "kind": kind.value,
        "row": dict(row),
        "text": digest,
    }
    return hashlib.sha256(canonical(link)).hexdigest()


# The seal of a chain's head. The key isn't in the database: a person who writes there alone can't make one.


_SALT = "integrations.chain.head"


def fits(stored: str, chain: int, position: int, row_hash: str, keys: Sequence[str] | None = None) -> bool:
    """Whether one of the keys, of FIELD_ENCRYPTION_KEYS if none are given, made this seal of the head."""
    known = settings.FIELD_ENCRYPTION_KEYS if keys is None else keys
    return any(hmac.compare_digest(stored, _seal(key, chain, position, row_hash)) for key in known)


def _seal(key: str, chain: int, position: int, row_hash: str) -> str:
    """Return the seal of a head, 64 characters, by a key that is derived from this one of FIELD_ENCRYPTION_KEYS."""
    return salted_hmac(_SALT, f"{chain}:{position}:{row_hash}", secret=key, algorithm="sha256").hexdigest()


# The head of each chain of audit entries and verdicts, which writers lock.


class ChainHeadQuerySet(AppendOnlyQuerySet["ChainHead"]):
    """Heads by chain."""

    def lock(self, chain: int) -> "ChainHead":
        """Return the head of a chain, locked until the transaction ends; make it for a chain without rows.

        Writers take this lock after all others, and each chain has its own: so they never wait for one another in a
        circle, nor for writers of other organizations. Only a change of the organization's key waits for it first
        (`replace_webhook_key` in `organizations/acts.py`).
        """
        locked = self.select_for_update(of=("self",)).filter(pk=chain)
        if (head := locked.first()) is None:
            models.QuerySet.bulk_create(self, [ChainHead(chain=chain)], ignore_conflicts=True)
            head = locked.get()
        return head


class ChainHead(AppendOnlyModel):
    """The position and hash of the last row of one chain."""

    HOLDS = Holds("the end of each chain of audit entries and verdicts", "for ever")

    chain = models.BigIntegerField(
        primary_key=True, help_text="The organization's id; 0 for what concerns the whole portal."
    )
    position = models.BigIntegerField(default=0)
    hash = harmless(models.CharField(max_length=64, default=NO_HASH))
    seal = harmless(
        models.CharField(
            max_length=64,
            blank=True,
            editable=False,
            help_text="By a key that isn't in the database. Empty since the first row after a head whose seal "
            "didn't fit.",
        )
    )

    objects = ChainHeadQuerySet.as_manager()

    class Meta:
        constraints = [AppendOnly(name="chain_head_append_only", counter="position")]

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @property
    def is_sealed(self) -> bool:
        """Whether the portal made this head: its seal fits, or it is that of a chain without rows."""
        is_new = (self.position, self.hash, self.seal) == (0, NO_HASH, "")
        return is_new or fits(self.seal, self.chain, self.position, self.hash)

    @property
    def is_under_first_key(self) -> bool:
        """Whether the seal is by the first of FIELD_ENCRYPTION_KEYS."""
        first = settings.FIELD_ENCRYPTION_KEYS[:1]
        return fits(self.seal, self.chain, self.position, self.hash, first)

    def advance(self, row_hash: str, *, seals_anew: bool = False) -> None:
        """Make the row with this hash, which was just stored at the next position, the head.

        A head that isn't sealed gets no seal by what is written after it, unless `seals_anew`: what somebody did to the
        chain outside the portal would look like the portal's own from then on.
        """
        position = self.position + 1
        seal = (
            _seal(settings.FIELD_ENCRYPTION_KEYS[0], self.chain, position, row_hash)
            if seals_anew or self.is_sealed
            else ""
        )
        ChainHead.objects.filter(pk=self.chain)._change(position=position, hash=row_hash, seal=seal)


# The heads that were announced outside the database.


class AnnouncedHeadQuerySet(AppendOnlyQuerySet["AnnouncedHead"]):
    """Announced heads by chain."""

    def of_chain(self, chain: int) -> Self:
        """Return what was announced of one chain, earliest first."""
        return self.filter(chain=chain).order_by("position")


class AnnouncedHead(AppendOnlyModel):
    """The head that a chain had when it was written to the log and into e-mails: the chain must still contain it."""

    HOLDS = Holds("the ends of chains that were announced outside the database", "for ever")

    chain = models.BigIntegerField(help_text="The organization's id; 0 for what concerns the whole portal.")
    position = models.BigIntegerField()
    hash = harmless(models.CharField(max_length=64))
    announced_at = models.DateTimeField(db_default=Now())

    objects = AnnouncedHeadQuerySet.as_manager()

    class Meta:
        ordering = ["-announced_at", "-pk"]
        constraints = [
            AppendOnly(name="announced_head_append_only"),
            models.UniqueConstraint(fields=["chain", "position"], name="announced_head_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"
