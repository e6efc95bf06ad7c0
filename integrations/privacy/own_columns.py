"""What one row says about its own candidate, for readers who may know of that one."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import Model

from integrations.outbox.models.effect import Effect
from integrations.store.columns import EncryptedTextField

#: What of an e-mail to the team is about others: who got it.
_ABOUT_OTHERS = ("recipients", "sent_to")
#: What of a webhook's body would let a reader send it once more.
_SIGNED = ("signature", "token")


def own_columns(row: Model) -> dict[str, object]:
    """Return a row's columns by name, without secrets and what is about others.

    Times are in UTC with microseconds, decimals are text.
    """
    columns = {
        field.attname: _json(field.attname, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField)
    }
    payload = columns.get("payload")
    if isinstance(row, Effect) and isinstance(payload, dict):
        columns["payload"] = {name: value for name, value in payload.items() if name not in _ABOUT_OTHERS}
    return columns


def _json(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return str(value)
    if name == "payload" and isinstance(value, dict):
        return {key: "[removed]" if key in _SIGNED else item for key, item in value.items()}
    return value
