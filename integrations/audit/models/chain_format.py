"""What stands in the hashes of the chain, byte for byte; described for strangers in docs/operating/audit-chain.md."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from enum import StrEnum

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
