"""Encrypted columns, each value for the place where it is kept: what was moved elsewhere can't be opened there."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField  # can't be subscripted when run


class CannotDecrypt(Exception):
    """No key in FIELD_ENCRYPTION_KEYS opens the ciphertext in this context."""

    def __init__(self, context: str) -> None:
        super().__init__(
            f"No key in FIELD_ENCRYPTION_KEYS opens the secret as {context}: its key is missing, or it was moved here."
        )


class UnreadableSecret(str):
    """Stands for a stored secret that no key in FIELD_ENCRYPTION_KEYS opens where it is.

    As a text it is empty: there is no secret to use. It equals no text, so that
    entering or removing the secret counts as a change. Stored again, it leaves what is in the database as it is.
    """

    __slots__ = ("ciphertext",)
    ciphertext: str

    def __new__(cls, ciphertext: str) -> Self:
        """Keep the ciphertext beside an empty text."""
        secret = super().__new__(cls, "")
        secret.ciphertext = ciphertext
        return secret

    def __getnewargs__(self) -> tuple[str]:
        """Return what a copy is made from."""
        return (self.ciphertext,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnreadableSecret) and other.ciphertext == self.ciphertext

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "<unreadable secret>"


@lru_cache(maxsize=2000)
def _cipher(key: str, context: str) -> Fernet:
    """Return the cipher of one key for one context, with a key of its own derived from both."""
    Fernet(key)  # refuses what is no key
    derived = HKDF(SHA256(), 32, salt=None, info=context.encode()).derive(urlsafe_b64decode(key))
    return Fernet(urlsafe_b64encode(derived))


def _ciphers(context: str) -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty: set at least one Fernet key.")
    return MultiFernet([_cipher(key, context) for key in settings.FIELD_ENCRYPTION_KEYS])


def encrypt(text: str, *, context: str) -> str:
    """Return the text encrypted with the first of FIELD_ENCRYPTION_KEYS; only the same context opens it.

    `context` says where the secret is kept and whose it is. One that names a purpose alone lets a ciphertext be moved
    between all secrets of that purpose. Raises ImproperlyConfigured when no key is set.
    """
    return _ciphers(context).encrypt(text.encode()).decode()


def decrypt(ciphertext: str, *, context: str) -> str:
    """Return the text that was encrypted in this context. Raises CannotDecrypt where no key opens it so."""
    try:
        return _ciphers(context).decrypt(ciphertext.encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise CannotDecrypt(context) from error


def renewed(ciphertext: str, *, context: str) -> str:
    """Return the same secret under the first key; the same ciphertext where it is already. Raises CannotDecrypt."""
    text = decrypt(ciphertext, context=context)
    try:
        _cipher(settings.FIELD_ENCRYPTION_KEYS[0], context).decrypt(ciphertext.encode())
    except InvalidToken:
        return encrypt(text, context=context)
    return ciphertext


def opened(ciphertext: str, *, context: str) -> str:
    """Return the secret, or an UnreadableSecret where no key opens it in this context."""
    try:
        return decrypt(ciphertext, context=context)
    except CannotDecrypt:
        return UnreadableSecret(ciphertext)


@dataclass(frozen=True)
class Ciphertext:
    """An encrypted value on its way between a row and the database."""

    text: str


class _Secret(DeferredAttribute):
    """The attribute of an encrypted column, which is opened when it is read: the row has to be known."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Ciphertext) and instance is not None:
            value = opened(value.text, context=self.field.context_of(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_TextField):
    """Text that is encrypted for its table, column and row; an empty string stays empty.

    `bound_to` names the columns that say which row it is. They are known before the row is stored, and never change.
    A value that no key opens there, as one that was moved, is read as an UnreadableSecret.

    A row's `save()` and `bulk_create()` store it; `update()` and `bulk_update()` refuse a text, since they know no row:
    `sealed()` makes what `update()` takes. It refuses every lookup but ``isnull``, because equal texts have different
    ciphertexts and a lookup would silently find nothing.
    """

    descriptor_class = _Secret

    def __init__(self, *args: Any, bound_to: Iterable[str] = ("organization_id",), **kwargs: Any) -> None:
        self.bound_to = tuple(bound_to)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return what a migration says of the column."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "bound_to": self.bound_to}

    def context(self, *row: object) -> str:
        """Return the context in which a value is encrypted, by the values of `bound_to`."""
        if None in row:
            raise FieldError(f"{self.name} is encrypted for its row: {', '.join(self.bound_to)} must be set.")
        return f"{self.model._meta.db_table}.{self.column}:{':'.join(map(str, row))}"

    def context_of(self, instance: models.Model) -> str:
        """Return the context of the row."""
        return self.context(*(getattr(instance, name) for name in self.bound_to))

    def sealed(self, instance: models.Model, text: str) -> "Ciphertext | str":
        """Return the text encrypted for the row; an empty one, and one that couldn't be read, as they are."""
        if isinstance(text, UnreadableSecret):
            return Ciphertext(text.ciphertext)
        return Ciphertext(encrypt(str(text), context=self.context_of(instance))) if text else text

    def pre_save(self, model_instance: models.Model, add: bool) -> object:
        """Encrypt the row's value for the database."""
        return self.sealed(model_instance, getattr(model_instance, self.attname))

    def get_prep_value(self, value: object) -> str | None:
        """Return what is stored; one that couldn't be read is stored as it was. Raises FieldError for a plain text."""
        if isinstance(value, Ciphertext):
            return value.text
        if isinstance(value, UnreadableSecret):
            return value.ciphertext
        if value is None or value == "":
            return None if value is None else ""
        raise FieldError(f"{self.name} is encrypted for its row: use the row's save(), or sealed().")

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> "Ciphertext | str | None":
        return Ciphertext(value) if value else value

    def get_lookup(self, lookup_name: str) -> type[IsNull]:
        """Allow ``isnull`` alone."""
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted: it can't be looked up by {lookup_name}.")


def sealed(row: models.Model, **texts: str) -> dict[str, Any]:
    """Return the texts of encrypted columns of the row, as a queryset's `update()` takes them."""
    columns = {column.name: column for column in encrypted_fields() if isinstance(row, column.model)}
    return {name: columns[name].sealed(row, text) for name, text in texts.items()}


def encrypted_fields() -> list[EncryptedTextField]:
    """Return every encrypted column, of all apps."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


# The encrypted columns' stored values: which of them can be read, and encrypting them with the first key.


BATCH = 200
#: How often one value is tried again that somebody else changes at the same moment.
TRIES = 5


@dataclass(frozen=True)
class StoredSecret:
    """One encrypted value as it is in the database."""

    column: EncryptedTextField
    pk: object
    ciphertext: str
    context: str

    def __str__(self) -> str:
        return f"{self.column.model.__name__} {self.pk}, {self.column.name}"

    @property
    def is_readable(self) -> bool:
        """Whether a key in FIELD_ENCRYPTION_KEYS opens it where it is."""
        return not isinstance(opened(self.ciphertext, context=self.context), UnreadableSecret)


@dataclass
class Rotation:
    """How many secrets were encrypted with the first key now, how many had been before, and which weren't.

    `unreadable` are those that no key opens where they are, `changing` those that another process stored anew at every
    try.
    """

    rotated: int = 0
    unchanged: int = 0
    unreadable: list[StoredSecret | str] = field(default_factory=list)
    changing: list[StoredSecret] = field(default_factory=list)


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
    column, rows = secret.column, _rows(secret.column).filter(pk=secret.pk)
    for _ in range(TRIES):
        try:
            ciphertext = renewed(secret.ciphertext, context=secret.context)
        except CannotDecrypt:
            rotation.unreadable.append(secret)
            return
        if ciphertext == secret.ciphertext:
            rotation.unchanged += 1
            return
        if rows.filter(stored=secret.ciphertext).update(**{column.name: Ciphertext(ciphertext)}):
            rotation.rotated += 1
            return
        changed_meanwhile = next(_secrets(column, rows), None)
        if changed_meanwhile is None:
            return  # the row or the secret was deleted
        secret = changed_meanwhile
    rotation.changing.append(secret)


def _rows(column: EncryptedTextField) -> models.QuerySet[models.Model]:
    """Return the rows of a column with its value as it is stored, as `stored`."""
    rows: models.QuerySet[models.Model] = column.model._base_manager.annotate(
        stored=Cast(column.name, models.TextField())
    )
    return rows


def _secrets(column: EncryptedTextField, rows: models.QuerySet[models.Model]) -> Iterator[StoredSecret]:
    """Yield the secrets of these rows, without those that are empty."""
    for pk, stored, *row in rows.values_list("pk", "stored", *column.bound_to):
        if stored:
            yield StoredSecret(column, pk, stored, column.context(*row))


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
