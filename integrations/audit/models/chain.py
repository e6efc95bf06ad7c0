"""Rows of a chain: each is linked to the one before it by a hash, in the transaction that writes it; and its head."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import batched
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils.crypto import salted_hmac

from integrations.store import database
from integrations.store.columns import Holds, harmless
from integrations.store.triggers import AppendOnlyModel, AppendOnlyQuerySet, refuse

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


ERASED_AT_ONCE = 500
SALT_BYTES = 16
#: The field of an erasure's `changes` that names the positions that it erased.
ERASED_POSITIONS = "erased_positions"


class ChainedQuerySet[Row: "Chained"](AppendOnlyQuerySet[Row]):
    """Rows of chains."""

    def in_chain(self, chain: int) -> "ChainedQuerySet[Row]":
        own = self.filter(organization_id=None if chain == PORTAL_CHAIN else chain)
        return own.order_by("position")

    def erase_text(self) -> list[int]:
        """Empty the personal text of these rows and destroy its salt. Return the positions of the rows erased now.

        The digest stays, so that the chain still holds. Afterwards, in the same transaction, the caller records an
        entry with AuditAction.ERASE whose changes name these positions (ERASED_POSITIONS); without it `verify_audit`
        reports the rows. Safe to run twice: what is erased already isn't returned again.
        """
        return self._erase(self.model.TEXT_COLUMNS)

    def _erase(self, columns: tuple[str, ...]) -> list[int]:
        """Empty the columns, which hold the personal text of these rows, and destroy its salt; return the positions."""
        with transaction.atomic():
            # of two erasures at once, each row is one's alone
            rows = self.exclude(text_salt="").select_for_update(of=("self",), no_key=True)
            found = list(rows.order_by("position").values_list("pk", "position"))
            for batch in batched(found, ERASED_AT_ONCE):
                keys = [key for key, _ in batch]
                AppendOnlyQuerySet(self.model, using=self.db).filter(pk__in=keys)._change(
                    text_salt="", **self.model.empty(columns)
                )
        return [position for _, position in found]


class Chained(AppendOnlyModel):
    """A row of a chain."""

    #: The columns that the hash covers as they are, but for those that hold personal text in a row.
    HASHED_COLUMNS: ClassVar[tuple[str, ...]]
    #: The columns that hold personal text: the hash covers a salted digest of them.
    TEXT_COLUMNS: ClassVar[tuple[str, ...]]
    #: The column with the time of the row.
    TIME_COLUMN: ClassVar[str]

    organization_id: int | None

    position = models.BigIntegerField(
        editable=False,
        help_text="Its place in the organization's chain of audit entries and verdicts, from 1.",
    )
    previous_hash = harmless(
        models.CharField(
            max_length=64, editable=False, help_text="The hash of the row at the position before."
        )
    )
    hash = harmless(
        models.CharField(
            max_length=64, editable=False, help_text="SHA-256 over this row and the hash of the row before."
        )
    )
    text_salt = harmless(
        models.CharField(
            max_length=32, blank=True, editable=False, help_text="Empty once the personal text was erased."
        )
    )
    text_digest = harmless(
        models.CharField(
            max_length=64,
            editable=False,
            help_text="SHA-256 over the salt and the personal text; stays when it is erased.",
        )
    )

    class Meta:
        abstract = True

    def save(self, **_: Any) -> None:
        """Store a new row and link it to the chain. Raises AppendOnlyError for a row that is stored already."""
        if not self._state.adding:
            refuse(type(self), "save() of a stored row")
        with transaction.atomic(savepoint=False):
            head = ChainHead.objects.lock(self.chain)
            self._link(head)
            super().save()
            head.advance(self.hash)

    @property
    def chain(self) -> int:
        return self.organization_id or PORTAL_CHAIN

    @property
    def is_erased(self) -> bool:
        return not self.text_salt

    @property
    def text_columns(self) -> tuple[str, ...]:
        return self.TEXT_COLUMNS

    @classmethod
    def empty(cls, columns: Iterable[str]) -> dict[str, Any]:
        """Return what these columns hold once they are erased."""
        return {
            name: {} if isinstance(cls._meta.get_field(name), models.JSONField) else "" for name in columns
        }

    def _link(self, head: ChainHead) -> None:
        if getattr(self, self.TIME_COLUMN) is None:
            setattr(self, self.TIME_COLUMN, database.now())
        for name in self.text_columns:
            setattr(self, name, _storable(getattr(self, name)))
        self.position, self.previous_hash = head.position + 1, head.hash
        self.text_salt = secrets.token_hex(SALT_BYTES)
        self.text_digest = self.recomputed_digest()
        self.hash = self.recomputed_hash()

    def recomputed_digest(self) -> str:
        """Return the digest of the personal text as it is in this row."""
        return text_digest(self.text_salt, {name: getattr(self, name) for name in self.text_columns})

    def recomputed_hash(self) -> str:
        """Return the hash of this row's columns, its digest, its position and the hash before it, as they are now."""
        link: dict[str, Json] = {
            "chain": self.chain,
            "position": self.position,
            "previous": self.previous_hash,
            "kind": str(self._meta.model_name),
            "row": self.hashed_row(),
            "text": self.text_digest,
        }
        return hashlib.sha256(canonical(link)).hexdigest()

    def fits_digest(self) -> bool:
        """Whether the personal text is the one that was written; False for erased text too."""
        try:
            return self.recomputed_digest() == self.text_digest
        except ValueError:  # a salt that is no hexadecimal number
            return False

    def fits_hash(self) -> bool:
        """Whether the columns, the digest and the hash before are those that were written at this position."""
        return self.recomputed_hash() == self.hash

    def hashed_row(self) -> dict[str, Json]:
        """Return the columns that the hash covers as they are."""
        row = {}
        for name in self.HASHED_COLUMNS:
            if name in self.text_columns:
                continue
            column = self._meta.get_field(name)
            if isinstance(column, models.Field):
                row[name] = _as_json(column.to_python(getattr(self, name)))
        return row


def _as_json(value: object) -> Json:
    """Return a column's value for JSON: a time in UTC with microseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError(f"A {type(value).__name__} has no canonical form.")


def _storable(value: Any) -> Any:
    """Return the value as every database gives it back: a fraction as text, since PostgreSQL writes some anew."""
    if isinstance(value, str):
        return value
    return json.loads(json.dumps(value), parse_float=str, parse_constant=str)
