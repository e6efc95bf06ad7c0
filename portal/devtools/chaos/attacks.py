"""How a webhook is forged: proofs that are wrong, and bodies that are hostile though rightly signed."""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from integrations.codescreen import signature as codescreen_signature
from portal.devtools.sandbox.json_values import JsonObject

MARK = "forged-"  # in every id of a forgery, so that it can be looked for wherever something is stored
HOUR = 3600


@dataclass(frozen=True)
class Message:
    """A message as CodeScreen would send it."""

    id: str
    timestamp: int
    body: bytes

    def headers(self, secret: str) -> dict[str, str]:
        """Return its headers, signed with a secret."""
        timestamp = str(self.timestamp)
        signature = codescreen_signature.sign(self.id, timestamp, self.body, secret)
        return {"webhook-id": self.id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def encode(payload: JsonObject) -> bytes:
    """Return the bytes of a body, the same ones each time."""
    return json.dumps(payload).encode()


def altered(right: str, place: int) -> str:
    """Return a hex text with the digit at one place changed."""
    digits = list(right)
    digits[place] = f"{int(digits[place], 16) ^ 1:x}"
    return "".join(digits)


def with_value(body: bytes, value: str) -> bytes:
    """Return an object's body with one more member, written as given."""
    return body[:-1] + b', "extra": ' + value.encode("utf-8", "surrogateescape") + b"}"


# wrong proofs

LEVER: dict[str, Callable[[JsonObject, random.Random], JsonObject]] = {
    "random signature": lambda good, chance: good | {"signature": f"{chance.getrandbits(256):064x}"},
    "first digit changed": lambda good, _: good | {"signature": altered(good["signature"], 0)},
    "last digit changed": lambda good, _: good | {"signature": altered(good["signature"], -1)},
    "upper case": lambda good, _: good | {"signature": good["signature"].upper()},
    "cut short": lambda good, chance: good | {"signature": good["signature"][: chance.randrange(1, 64)]},
    "continued": lambda good, chance: good | {"signature": good["signature"] + chance.choice("0 \n")},
    "empty signature": lambda good, _: good | {"signature": ""},
    "no signature": lambda good, _: {name: good[name] for name in good if name != "signature"},
    "signature of another type": lambda good, chance: (
        good | {"signature": chance.choice([None, 5, True, [good["signature"]], {"is": good["signature"]}])}
    ),
    "signature of another time": lambda good, chance: (
        good | {"triggeredAt": good["triggeredAt"] + chance.choice([-1, 1, HOUR * 1000])}
    ),
    "signature of another token": lambda good, _: good | {"token": uuid.uuid4().hex + uuid.uuid4().hex[:16]},
    "time as a fraction": lambda good, _: good | {"triggeredAt": float(good["triggeredAt"])},
    "time as a text": lambda good, _: good | {"triggeredAt": str(good["triggeredAt"])},
}

CODESCREEN: dict[str, Callable[[Message, str, random.Random], dict[str, str]]] = {
    "random signature": lambda message, secret, chance: (
        message.headers(secret) | {"webhook-signature": f"v1,{chance.getrandbits(256):064x}"}
    ),
    "several wrong signatures": lambda message, secret, chance: (
        message.headers(secret)
        | {"webhook-signature": " ".join(f"v1,{chance.getrandbits(256):064x}" for _ in range(20))}
    ),
    "signature of another id": lambda message, secret, _: (
        message.headers(secret) | {"webhook-id": f"{MARK}{uuid.uuid4()}"}
    ),
    "signature of another time": lambda message, secret, chance: (
        message.headers(secret) | {"webhook-timestamp": str(message.timestamp + chance.choice([-1, 1]))}
    ),
    "signature of another body": lambda message, secret, _: replace(
        message, body=message.body + b" "
    ).headers(secret),
    "another version": lambda message, secret, _: (
        message.headers(secret)
        | {"webhook-signature": message.headers(secret)["webhook-signature"].replace("v1,", "v2,")}
    ),
    "old or early": lambda message, secret, chance: replace(
        message, timestamp=message.timestamp + chance.choice([-HOUR, HOUR, -24 * HOUR])
    ).headers(secret),
    "a header missing": lambda message, secret, chance: _without(message.headers(secret), chance),
    "no headers": lambda *_: {},
}


def _without(headers: dict[str, str], chance: random.Random) -> dict[str, str]:
    missing = chance.choice(sorted(headers))
    return {name: headers[name] for name in headers if name != missing}


# rightly signed, and hostile all the same

HOSTILE = {
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "overflow": "1e999",
    "duplicate key": '{"a": 1, "a": 2}',
    "NUL": '"a\\u0000b"',
    "lone surrogate": '"\\ud800"',
    "nesting of 101": "[" * 100 + "]" * 100,
    "nesting of 20000": "[" * 20_000 + "]" * 20_000,
    "never closed": "[" * 1_000,
    "not UTF-8": '"\udcff"',  # the byte FF, once encoded
}
