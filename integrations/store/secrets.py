"""The encrypted columns' stored values: which of them can be read, and encrypting them with the first key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast

from integrations.store.columns import EncryptedTextField, UnreadableSecret, cipher, encrypted_fields, opened

BATCH = 200
#: How often one value is tried again that somebody else changes at the same moment.
TRIES = 5


@dataclass(frozen=True)
class StoredSecret:
    """One encrypted value as it is in the database."""

    column: EncryptedTextField
    pk: object
    ciphertext: str

    def __str__(self) -> str:
        return f"{self.column.model.__name__} {self.pk}, {self.column.name}"

    @property
    def is_readable(self) -> bool:
        """Whether a key in FIELD_ENCRYPTION_KEYS opens it."""
        return not isinstance(opened(self.ciphertext), UnreadableSecret)


@dataclass
class Rotation:
    """How many secrets were encrypted with the first key now, how many had been before, and which weren't.

    `unreadable` are those that no key opens, `changing` those that another process stored anew at every try.
    """

    rotated: int = 0
    unchanged: int = 0
    unreadable: list[StoredSecret] = field(default_factory=list)
    changing: list[StoredSecret] = field(default_factory=list)


class _Step(Enum):
    """How the rotation of one value ended."""

    ROTATED = auto()
    UNCHANGED = auto()
    UNREADABLE = auto()
    CHANGED_MEANWHILE = auto()


def sample_of_secrets(number: int) -> list[StoredSecret]:
    """Return this many of the oldest and of the newest secrets of every column.

    The oldest were written with the oldest key, the newest with the present one.
    """
    found: dict[tuple[str, object], StoredSecret] = {}
    for column in encrypted_fields():
        for order in ("pk", "-pk"):
            for secret in _secrets(column, _rows(column).order_by(order)[:number]):
                found[str(column), secret.pk] = secret
    return list(found.values())


def rotate_secrets() -> Rotation:
    """Encrypt every secret with the first key. Safe while the portal runs, and to be killed and run again.

    No transaction spans two values, and a value is only replaced while it is the one that was read: what somebody
    stores meanwhile is never overwritten.
    """
    rotation = Rotation()
    for column in encrypted_fields():
        for secret in _all_secrets(column):
            _rotate(secret, rotation)
    return rotation


def _rotate(secret: StoredSecret, rotation: Rotation) -> None:
    current: StoredSecret | None = secret
    for _ in range(TRIES):
        if current is None:
            return  # the row or the secret was deleted meanwhile
        match _try_to_rotate(current):
            case _Step.ROTATED:
                rotation.rotated += 1
                return
            case _Step.UNCHANGED:
                rotation.unchanged += 1
                return
            case _Step.UNREADABLE:
                rotation.unreadable.append(current)
                return
            case _Step.CHANGED_MEANWHILE:
                rows = _rows(current.column).filter(pk=current.pk)
                current = next(_secrets(current.column, rows), None)
    if current is not None:
        rotation.changing.append(current)


def _try_to_rotate(secret: StoredSecret) -> _Step:
    if _is_under_first_key(secret.ciphertext):
        return _Step.UNCHANGED
    try:
        renewed = cipher().rotate(secret.ciphertext.encode()).decode()
    except (InvalidToken, UnicodeError):
        return _Step.UNREADABLE
    rows = _rows(secret.column).filter(pk=secret.pk, stored=secret.ciphertext)
    changed = rows.update(**{secret.column.name: Value(renewed, output_field=models.TextField())})
    return _Step.ROTATED if changed else _Step.CHANGED_MEANWHILE


def _is_under_first_key(ciphertext: str) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(ciphertext.encode())
    except (InvalidToken, UnicodeError):
        return False
    return True


def _rows(column: EncryptedTextField) -> models.QuerySet[models.Model]:
    """Return the rows of a column with its value as it is stored, as `stored`."""
    rows: models.QuerySet[models.Model] = column.model._base_manager.annotate(
        stored=Cast(column.name, models.TextField())
    )
    return rows


def _secrets(column: EncryptedTextField, rows: models.QuerySet[models.Model]) -> Iterator[StoredSecret]:
    """Yield the secrets of these rows, without those that are empty."""
    for pk, stored in rows.values_list("pk", "stored"):
        if stored:
            yield StoredSecret(column, pk, stored)


def _all_secrets(column: EncryptedTextField) -> Iterator[StoredSecret]:
    """Yield every secret of a column, read in batches: no cursor stays open while rows are changed."""
    last: object = None
    while True:
        rows = _rows(column).order_by("pk")
        pks = list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", flat=True)[:BATCH])
        if not pks:
            return
        yield from _secrets(column, rows.filter(pk__in=pks))
        last = pks[-1]
