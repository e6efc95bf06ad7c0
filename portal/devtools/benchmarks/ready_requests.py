"""Webhooks as complete HTTP requests, made before a round, so that making them costs the load nothing."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from integrations.lever.payloads import sign
from portal.devtools.ports import HOST

#: How many digits the length of each request has in a file.
LENGTH_DIGITS = 8

type Body = dict[str, object]


def padding(size: int) -> list[Body]:
    """Return fields such as webhooks have, about so many bytes of JSON."""
    one = {
        "id": "0f0e0d0c-0b0a-4a4b-8c8d-1a2b3c4d5e6f",
        "text": "Custom field",
        "value": "x" * 24,
        "order": 12,
    }
    return [one] * max(0, size // (len(json.dumps(one)) + 2))


def lever(path: str, signature_token: str, size: int) -> bytes:
    """Return a request with a new, signed webhook of Lever, about an event that leads to nothing."""
    token, triggered_at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateHired",
        "triggeredAt": triggered_at,
        "token": token,
        "data": {
            "opportunityId": str(uuid.uuid4()),
            "contactId": str(uuid.uuid4()),
            "fields": padding(size - 400),
        },
        "signature": sign(token, triggered_at, signature_token),
    }
    return post(path, json.dumps(payload).encode())


def plain(path: str, size: int) -> bytes:
    """Return a request with an unsigned body of about this size."""
    return post(path, json.dumps({"id": str(uuid.uuid4()), "fields": padding(size - 60)}).encode())


def stripe(path: str, secret: str, size: int) -> bytes:
    """Return a request with a new event of Stripe, signed as https://docs.stripe.com/webhooks#verify-manually says."""
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "livemode": False,
        "type": "customer.updated",
        "data": {"object": {"id": "cus_1", "fields": padding(size - 150)}},
    }
    body, moment = json.dumps(event).encode(), int(time.time())
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return post(path, body, f"Stripe-Signature: t={moment},v1={signature}\r\n")


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """Return a whole POST request; `headers` are further lines."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write(path: Path, count: int, make: Callable[[], bytes]) -> None:
    """Write so many requests into a file, each after its length."""
    with path.open("wb") as file:
        for _ in range(count):
            request = make()
            file.write(f"{len(request):0{LENGTH_DIGITS}d}".encode() + request)


def read(path: Path) -> Iterator[bytes]:
    """Return the requests of a file."""
    with path.open("rb") as file:
        while length := file.read(LENGTH_DIGITS):
            yield file.read(int(length))
