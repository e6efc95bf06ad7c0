"""Ways to forge a webhook: signatures that are wrong, and rightly signed bodies with a value that must be refused."""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from integrations.codescreen.payloads import sign as sign_codescreen
from portal.devtools.sandbox.values import JsonObject

MARK = "forged-"  # in every id of a forgery, so that it can be searched for in every table
HOUR = 3600


@dataclass(frozen=True)
class Message:
    """A webhook message as CodeScreen sends it; `timestamp` is in seconds."""

    id: str
    timestamp: int
    body: bytes

    def headers(self, secret: str) -> dict[str, str]:
        """Return the Standard Webhooks headers, signed with a secret."""
        timestamp = str(self.timestamp)
        signature = sign_codescreen(self.id, timestamp, self.body, secret)
        return {"webhook-id": self.id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def encode(payload: JsonObject) -> bytes:
    """Return the body of a payload."""
    return json.dumps(payload).encode()


def with_digit_changed(signature: str, index: int) -> str:
    """Return a hexadecimal signature with the digit at one index changed."""
    digits = list(signature)
    digits[index] = f"{int(digits[index], 16) ^ 1:x}"
    return "".join(digits)


def with_value(body: bytes, value: str) -> bytes:
    """Return the body of a JSON object with one more member, whose value is the given text as it is."""
    return body[:-1] + b', "extra": ' + value.encode("utf-8", "surrogateescape") + b"}"


#: Lever payloads with a wrong signature, made from a rightly signed one.
WRONG_LEVER_SIGNATURES: dict[str, Callable[[JsonObject, random.Random], JsonObject]] = {
    "random signature": lambda payload, chance: payload | {"signature": f"{chance.getrandbits(256):064x}"},
    "first digit changed": lambda payload, _: (
        payload | {"signature": with_digit_changed(payload["signature"], 0)}
    ),
    "last digit changed": lambda payload, _: (
        payload | {"signature": with_digit_changed(payload["signature"], -1)}
    ),
    "upper case": lambda payload, _: payload | {"signature": payload["signature"].upper()},
    "cut short": lambda payload, chance: (
        payload | {"signature": payload["signature"][: chance.randrange(1, 64)]}
    ),
    "continued": lambda payload, chance: (
        payload | {"signature": payload["signature"] + chance.choice("0 \n")}
    ),
    "empty signature": lambda payload, _: payload | {"signature": ""},
    "no signature": lambda payload, _: {name: payload[name] for name in payload if name != "signature"},
    "signature of another type": lambda payload, chance: (
        payload
        | {"signature": chance.choice([None, 5, True, [payload["signature"]], {"is": payload["signature"]}])}
    ),
    "signature of another time": lambda payload, chance: (
        payload | {"triggeredAt": payload["triggeredAt"] + chance.choice([-1, 1, HOUR * 1000])}
    ),
    "signature of another token": lambda payload, _: (
        payload | {"token": uuid.uuid4().hex + uuid.uuid4().hex[:16]}
    ),
    "time as a fraction": lambda payload, _: payload | {"triggeredAt": float(payload["triggeredAt"])},
    "time as a text": lambda payload, _: payload | {"triggeredAt": str(payload["triggeredAt"])},
}

#: The headers of CodeScreen messages with a wrong signature, made from the message and the right secret.
WRONG_CODESCREEN_HEADERS: dict[str, Callable[[Message, str, random.Random], dict[str, str]]] = {
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


#: JSON values that must be refused although the body is rightly signed.
REFUSED_VALUES = {
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
