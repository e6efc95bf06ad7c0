"""Generates a seeded mix of hostile requests, each with the answers that the contract allows."""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from integrations.codescreen.payloads import TOLERANCE_SECONDS
from portal.devtools.chaos.attacks.forgeries import (
    MARK,
    REFUSED_VALUES,
    WRONG_CODESCREEN_HEADERS,
    WRONG_LEVER_SIGNATURES,
    Message,
    encode,
    with_value,
)
from portal.devtools.chaos.ingest_run import make_stage_change
from portal.devtools.sandbox.values import JsonObject

JSON_TYPE = "application/json"
OTHER_TYPES = {"plain text": "text/plain", "a form": "application/x-www-form-urlencoded"}
LARGEST = 256 * 1024
TRANSIT_SECONDS = 60  # that a request may take until its timestamp is checked
LEVER, CODESCREEN = "Lever", "CodeScreen"

# the statuses of an answer
NEW_OR_KNOWN = frozenset({200, 202})
KNOWN = frozenset({200})
BAD = frozenset({400})
UNVERIFIED = frozenset({401})
UNKNOWN_ADDRESS = frozenset({404})
TOO_LARGE = frozenset({413})
WRONG_TYPE = frozenset({415})


@dataclass(frozen=True)
class Endpoints:
    """The paths of one organization's webhook endpoints, the secrets they accept and some they must not accept."""

    lever: str
    codescreen: str
    unknown: Mapping[str, str]  # by platform: a path with a key of no organization
    token: str
    wrong_tokens: Mapping[str, str]
    secret: str
    wrong_secrets: Mapping[str, str]
    stage_id: str


@dataclass(frozen=True)
class Attempt:
    """One request, and the statuses that keep the contract."""

    kind: str
    path: str
    body: bytes
    headers: dict[str, str]
    expected: frozenset[int]


type MakeAttempt = Callable[[], Attempt]


@dataclass(frozen=True)
class RecordedTraffic:
    """Valid deliveries that were accepted before, as an eavesdropper may have recorded them."""

    lever: tuple[JsonObject, ...] = ()
    codescreen: tuple[Message, ...] = ()

    @property
    def with_other_ids(self) -> list[JsonObject]:
        """Lever's payloads again under other ids, and without one.

        The signature doesn't cover the id, and the id decides what is the same delivery: each of these may become
        another row, about a candidate who is invited already.
        """
        other_ids = [
            payload | {"id": f"again-{number}-{payload['id']}"} for payload in self.lever for number in (1, 2)
        ]
        without_id = [{name: payload[name] for name in payload if name != "id"} for payload in self.lever]
        return other_ids + without_id


class AttackGenerator:
    """A seeded mix of hostile requests; `kinds` has a function for each kind that makes one request."""

    def __init__(self, endpoints: Endpoints, recorded: RecordedTraffic, chance: random.Random) -> None:
        self._endpoints = endpoints
        self._recorded = recorded
        self._random = chance
        shares = (
            (40, self._wrong_lever_kinds()),
            (30, self._wrong_codescreen_kinds()),
            (14, self._refused_value_kinds()),
            (10, self._replay_kinds()),
            (5.5, self._misaddressed_kinds()),
            (0.5, self._large_kinds()),
        )
        self.kinds = {name: make for _, kinds in shares for name, make in kinds.items()}
        self._names = list(self.kinds)
        self._weights = [share / len(kinds) for share, kinds in shares for _ in kinds]

    def attempt(self) -> Attempt:
        """Return the next request."""
        (name,) = self._random.choices(self._names, self._weights)
        return self.kinds[name]()

    def stage_change(self, token: str | None = None) -> JsonObject:
        """Return a new, marked stage change, signed with the organization's token or with another one."""
        token = self._endpoints.token if token is None else token
        payload = make_stage_change(token, self._endpoints.stage_id)
        data = payload["data"] | {"opportunityId": f"{MARK}{uuid.uuid4()}"}
        return payload | {"id": f"{MARK}{uuid.uuid4()}", "data": data}

    def message(self) -> Message:
        """Return a new, marked message of CodeScreen's."""
        data = {"assessmentInstanceId": f"{MARK}{uuid.uuid4()}", "status": "Complete"}
        body = encode({"type": "candidate.evaluated", "data": data})
        return Message(f"{MARK}{uuid.uuid4()}", int(time.time()), body)

    def lever(self, kind: str, payload: JsonObject, expected: frozenset[int]) -> Attempt:
        """Return a request to Lever's endpoint."""
        return Attempt(kind, self._endpoints.lever, encode(payload), {"Content-Type": JSON_TYPE}, expected)

    def codescreen(
        self, kind: str, body: bytes, headers: dict[str, str], expected: frozenset[int]
    ) -> Attempt:
        """Return a request to CodeScreen's endpoint."""
        headers = {"Content-Type": JSON_TYPE} | headers
        return Attempt(kind, self._endpoints.codescreen, body, headers, expected)

    def _wrong_lever_kinds(self) -> dict[str, MakeAttempt]:
        def tampered(kind: str, tamper: Callable[[JsonObject, random.Random], JsonObject]) -> Attempt:
            return self.lever(kind, tamper(self.stage_change(), self._random), UNVERIFIED)

        def with_token(kind: str, token: str) -> Attempt:
            return self.lever(kind, self.stage_change(token), UNVERIFIED)

        return _named(LEVER, tampered, WRONG_LEVER_SIGNATURES) | _named(
            LEVER, with_token, self._endpoints.wrong_tokens
        )

    def _wrong_codescreen_kinds(self) -> dict[str, MakeAttempt]:
        def tampered(kind: str, tamper: Callable[[Message, str, random.Random], dict[str, str]]) -> Attempt:
            message = self.message()
            headers = tamper(message, self._endpoints.secret, self._random)
            return self.codescreen(kind, message.body, headers, UNVERIFIED)

        def with_secret(kind: str, secret: str) -> Attempt:
            message = self.message()
            return self.codescreen(kind, message.body, message.headers(secret), UNVERIFIED)

        return _named(CODESCREEN, tampered, WRONG_CODESCREEN_HEADERS) | _named(
            CODESCREEN, with_secret, self._endpoints.wrong_secrets
        )

    def _refused_value_kinds(self) -> dict[str, MakeAttempt]:
        def to_lever(kind: str, value: str) -> Attempt:
            body = with_value(encode(self.stage_change()), value)
            return Attempt(kind, self._endpoints.lever, body, {"Content-Type": JSON_TYPE}, BAD)

        def to_codescreen(kind: str, value: str) -> Attempt:
            message = self.message()
            message = replace(message, body=with_value(message.body, value))
            return self.codescreen(kind, message.body, message.headers(self._endpoints.secret), BAD)

        return _named(LEVER, to_lever, REFUSED_VALUES) | _named(CODESCREEN, to_codescreen, REFUSED_VALUES)

    def _replay_kinds(self) -> dict[str, MakeAttempt]:
        kinds: dict[str, MakeAttempt] = {}
        if self._recorded.lever:
            kinds |= _named(LEVER, self._lever_replay, {"replay": (self._recorded.lever, KNOWN)})
            other_ids = (self._recorded.with_other_ids, NEW_OR_KNOWN)
            kinds |= _named(LEVER, self._lever_replay, {"replay under another id": other_ids})
        if self._recorded.codescreen:
            kinds |= _named(
                CODESCREEN, self._codescreen_replay, {"replay": False, "replay signed later": True}
            )
        return kinds

    def _lever_replay(self, kind: str, replay: tuple[Sequence[JsonObject], frozenset[int]]) -> Attempt:
        payloads, expected = replay
        return self.lever(kind, self._random.choice(payloads), expected)

    def _codescreen_replay(self, kind: str, is_signed_later: bool) -> Attempt:
        message = self._random.choice(self._recorded.codescreen)
        if is_signed_later:
            message = replace(message, timestamp=int(time.time()))
        age = time.time() - message.timestamp
        expected = KNOWN if age <= TOLERANCE_SECONDS - TRANSIT_SECONDS else KNOWN | UNVERIFIED
        if age > TOLERANCE_SECONDS:
            expected = UNVERIFIED
        return self.codescreen(kind, message.body, message.headers(self._endpoints.secret), expected)

    def _valid(self, platform: str, filler: str = "") -> Attempt:
        """Return a rightly signed request, never to be sent as it is; a filler makes its body longer."""
        more = {"filler": filler} if filler else {}
        if platform == LEVER:
            return self.lever("", self.stage_change() | more, frozenset())
        message = self.message()
        message = replace(message, body=encode(json.loads(message.body) | more))
        return self.codescreen("", message.body, message.headers(self._endpoints.secret), frozenset())

    def _misaddressed_kinds(self) -> dict[str, MakeAttempt]:
        kinds: dict[str, MakeAttempt] = {}
        for platform, unknown_path in self._endpoints.unknown.items():

            def to_path(kind: str, path: str, platform: str = platform) -> Attempt:
                return replace(self._valid(platform), kind=kind, path=path, expected=UNKNOWN_ADDRESS)

            def with_type(kind: str, media_type: str, platform: str = platform) -> Attempt:
                valid = self._valid(platform)
                headers = valid.headers | {"Content-Type": media_type}
                return replace(valid, kind=kind, headers=headers, expected=WRONG_TYPE)

            kinds |= _named(platform, with_type, OTHER_TYPES)
            kinds |= _named(platform, to_path, {"unknown key": unknown_path})
        return kinds

    def _large_kinds(self) -> dict[str, MakeAttempt]:
        def large(kind: str, platform: str) -> Attempt:
            return replace(self._valid(platform, "x" * LARGEST), kind=kind, expected=TOO_LARGE)

        return _named(LEVER, large, {"over 256 KiB": LEVER}) | _named(
            CODESCREEN, large, {"over 256 KiB": CODESCREEN}
        )


def _named[Way](
    platform: str, make: Callable[[str, Way], Attempt], ways: Mapping[str, Way]
) -> dict[str, MakeAttempt]:
    """Return a function for each way, under the name of the kind, which it passes on to `make`."""
    return {f"{platform}: {name}": partial(make, f"{platform}: {name}", way) for name, way in ways.items()}
