"""Ids and tokens of what the pretend platforms hold."""

import secrets
import uuid

_NAMESPACE = uuid.UUID("6f0c1a52-5a0d-5b0e-9c0f-000000000001")


def new_id() -> str:
    """Return a random id for something made while the sandbox runs."""
    return str(uuid.uuid4())


def stable_id(*names: str) -> str:
    """Return the id that a seeded object has in every run."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def new_token() -> str:
    """Return 48 hexadecimal characters, the length of Lever's tokens."""
    return secrets.token_hex(24)
