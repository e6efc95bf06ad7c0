"""Values in the cache that are trusted: signed, so that who can write to Redis can't put in others."""

from django.core import signing
from django.core.cache import cache

from integrations.http.json_values import JsonObject


def get(key: str, seconds: int) -> JsonObject | None:
    """Return the key's value; None where there is none, the portal didn't store it or it is older than so long."""
    signed = cache.get(key)
    if not isinstance(signed, str):
        return None
    try:
        value = signing.loads(signed, salt=key, max_age=seconds)
    except signing.BadSignature:
        return None
    return value if isinstance(value, dict) else None


def store(key: str, value: JsonObject, seconds: int) -> None:
    """Keep the value for so many seconds."""
    cache.set(key, signing.dumps(value, salt=key), seconds)
