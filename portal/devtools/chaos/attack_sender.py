"""A seeded mix of hostile requests at one organization's doors, each with the answer that the contract gives it."""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from integrations.codescreen.signature import TOLERANCE_SECONDS
from portal.devtools.chaos import ingest_run
from portal.devtools.chaos.attacks import CODESCREEN, HOSTILE, LEVER, MARK, Message, encode, with_value
from portal.devtools.sandbox.json_values import JsonObject

JSON_TYPE = "application/json"
LARGEST = 256 * 1024
ON_THE_WAY = 60  # seconds a request may take until its time is looked at
PLATFORMS = ("Lever", "CodeScreen")

NEW_OR_KNOWN, KNOWN, BAD, UNPROVEN = (
    frozenset({200, 202}),
    frozenset({200}),
    frozenset({400}),
    frozenset({401}),
)
UNKNOWN_ADDRESS, TOO_LARGE, WRONG_TYPE = frozenset({404}), frozenset({413}), frozenset({415})


@dataclass(frozen=True)
class Doors:
    """The paths of one organization's doors, what opens them, and what must not."""

    lever: str
    codescreen: str
    unknown: tuple[str, ...]
    token: str
    wrong_tokens: Mapping[str, str]
    secret: str
    wrong_secrets: Mapping[str, str]
    stage_id: str


@dataclass(frozen=True)
class Attempt:
    """One request, and the answers that keep the contract."""

    kind: str
    path: str
    body: bytes
    headers: dict[str, str]
    expected: frozenset[int]


@dataclass(frozen=True)
class Heard:
    """Valid deliveries that were accepted before, which somebody has recorded on the way."""

    lever: tuple[JsonObject, ...] = ()
    codescreen: tuple[Message, ...] = ()

    @property
    def in_disguise(self) -> list[JsonObject]:
        """Lever's again under other ids, and without one.

        The signature doesn't cover the id, and with an id the id decides what is the same delivery: each of these
        may become one row more, of a candidate who is invited already.
        """
        renamed = [row | {"id": f"again-{number}-{row['id']}"} for row in self.lever for number in (1, 2)]
        unnamed = [{name: row[name] for name in row if name != "id"} for row in self.lever]
        return renamed + unnamed


class Forger:
    """A seeded mix of hostile requests; `kinds` makes one of each."""

    def __init__(self, doors: Doors, heard: Heard, chance: random.Random) -> None:
        self._doors = doors
        self._heard = heard
        self._chance = chance
        shares = (
            (40, self._lever_kinds()),
            (30, self._codescreen_kinds()),
            (14, self._hostile_kinds()),
            (10, self._replay_kinds()),
            (5.5, self._door_kinds()),
            (0.5, self._large_kinds()),
        )
        self.kinds = {name: make for _, kinds in shares for name, make in kinds.items()}
        self._names = list(self.kinds)
        self._weights = [share / len(kinds) for share, kinds in shares for _ in kinds]

    def attempt(self) -> Attempt:
        """Return the next request."""
        (name,) = self._chance.choices(self._names, self._weights)
        return self.kinds[name]()

    def stage_change(self, token: str | None = None) -> JsonObject:
        """Return a stage change of nobody, freshly signed; rightly, unless with another token."""
        token = self._doors.token if token is None else token
        made = ingest_run.stage_change(token, self._doors.stage_id)
        data = made["data"] | {"opportunityId": f"{MARK}{uuid.uuid4()}"}
        return made | {"id": f"{MARK}{uuid.uuid4()}", "data": data}

    def message(self) -> Message:
        """Return a message about nobody."""
        data = {"assessmentInstanceId": f"{MARK}{uuid.uuid4()}", "status": "Complete"}
        body = encode({"type": "candidate.evaluated", "data": data})
        return Message(f"{MARK}{uuid.uuid4()}", int(time.time()), body)

    def lever(self, kind: str, payload: JsonObject, expected: frozenset[int]) -> Attempt:
        """Return a request at Lever's door."""
        return Attempt(kind, self._doors.lever, encode(payload), {"Content-Type": JSON_TYPE}, expected)

    def codescreen(
        self, kind: str, body: bytes, headers: dict[str, str], expected: frozenset[int]
    ) -> Attempt:
        """Return a request at CodeScreen's door."""
        return Attempt(kind, self._doors.codescreen, body, {"Content-Type": JSON_TYPE} | headers, expected)

    def _lever_kinds(self) -> dict[str, Callable[[], Attempt]]:
        def spoilt(kind: str, spoil: Callable[[JsonObject, random.Random], JsonObject]) -> Attempt:
            return self.lever(kind, spoil(self.stage_change(), self._chance), UNPROVEN)

        def foreign(kind: str, token: str) -> Attempt:
            return self.lever(kind, self.stage_change(token), UNPROVEN)

        return _named("Lever", spoilt, LEVER) | _named("Lever", foreign, self._doors.wrong_tokens)

    def _codescreen_kinds(self) -> dict[str, Callable[[], Attempt]]:
        def spoilt(kind: str, spoil: Callable[[Message, str, random.Random], dict[str, str]]) -> Attempt:
            message = self.message()
            headers = spoil(message, self._doors.secret, self._chance)
            return self.codescreen(kind, message.body, headers, UNPROVEN)

        def foreign(kind: str, secret: str) -> Attempt:
            message = self.message()
            return self.codescreen(kind, message.body, message.headers(secret), UNPROVEN)

        wrong = self._doors.wrong_secrets
        return _named("CodeScreen", spoilt, CODESCREEN) | _named("CodeScreen", foreign, wrong)

    def _hostile_kinds(self) -> dict[str, Callable[[], Attempt]]:
        def at_lever(kind: str, value: str) -> Attempt:
            body = with_value(encode(self.stage_change()), value)
            return Attempt(kind, self._doors.lever, body, {"Content-Type": JSON_TYPE}, BAD)

        def at_codescreen(kind: str, value: str) -> Attempt:
            message = self.message()
            body = with_value(message.body, value)
            return self.codescreen(kind, body, replace(message, body=body).headers(self._doors.secret), BAD)

        return _named("Lever", at_lever, HOSTILE) | _named("CodeScreen", at_codescreen, HOSTILE)

    def _replay_kinds(self) -> dict[str, Callable[[], Attempt]]:
        kinds: dict[str, Callable[[], Attempt]] = {}
        if self._heard.lever:
            kinds["Lever: replay"] = partial(self._replay, "Lever: replay", self._heard.lever, KNOWN)
            disguised = "Lever: replay under another id"
            kinds[disguised] = partial(self._replay, disguised, self._heard.in_disguise, NEW_OR_KNOWN)
        if self._heard.codescreen:
            kinds["CodeScreen: replay"] = self._replayed_message
            kinds["CodeScreen: replay signed later"] = self._message_signed_later
        return kinds

    def _replay(self, kind: str, heard: Sequence[JsonObject], expected: frozenset[int]) -> Attempt:
        return self.lever(kind, self._chance.choice(heard), expected)

    def _replayed_message(self) -> Attempt:
        message = self._chance.choice(self._heard.codescreen)
        age = time.time() - message.timestamp
        expected = KNOWN if age <= TOLERANCE_SECONDS - ON_THE_WAY else KNOWN | UNPROVEN
        if age > TOLERANCE_SECONDS:
            expected = UNPROVEN
        headers = message.headers(self._doors.secret)
        return self.codescreen("CodeScreen: replay", message.body, headers, expected)

    def _message_signed_later(self) -> Attempt:
        message = replace(self._chance.choice(self._heard.codescreen), timestamp=int(time.time()))
        headers = message.headers(self._doors.secret)
        return self.codescreen("CodeScreen: replay signed later", message.body, headers, KNOWN)

    def _valid(self, padding: str = "") -> dict[str, Attempt]:
        """Return a rightly signed request for each door; none of them is to be sent as it is."""
        filler = {"filler": padding} if padding else {}
        message = self.message()
        body = encode(json.loads(message.body) | filler)
        headers = replace(message, body=body).headers(self._doors.secret)
        return {
            "Lever": self.lever("", self.stage_change() | filler, frozenset()),
            "CodeScreen": self.codescreen("", body, headers, frozenset()),
        }

    def _door_kinds(self) -> dict[str, Callable[[], Attempt]]:
        def unknown(kind: str, path: str) -> Attempt:
            valid = self._valid()[kind.partition(":")[0]]
            return Attempt(kind, path, valid.body, valid.headers, UNKNOWN_ADDRESS)

        def mistyped(kind: str, media_type: str) -> Attempt:
            valid = self._valid()[kind.partition(":")[0]]
            return Attempt(
                kind, valid.path, valid.body, valid.headers | {"Content-Type": media_type}, WRONG_TYPE
            )

        types = {"plain text": "text/plain", "a form": "application/x-www-form-urlencoded"}
        kinds = _named("Lever", mistyped, types) | _named("CodeScreen", mistyped, types)
        for platform, path in zip(PLATFORMS, self._doors.unknown, strict=True):
            kinds |= _named(platform, unknown, {"unknown key": path})
        return kinds

    def _large_kinds(self) -> dict[str, Callable[[], Attempt]]:
        def large(kind: str, platform: str) -> Attempt:
            valid = self._valid("x" * LARGEST)[platform]
            return Attempt(kind, valid.path, valid.body, valid.headers, TOO_LARGE)

        return {
            name: make
            for platform in PLATFORMS
            for name, make in _named(platform, large, {"over 256 KiB": platform}).items()
        }


def _named[Way](
    platform: str, make: Callable[[str, Way], Attempt], ways: Mapping[str, Way]
) -> dict[str, Callable[[], Attempt]]:
    return {f"{platform}: {name}": partial(make, f"{platform}: {name}", way) for name, way in ways.items()}
