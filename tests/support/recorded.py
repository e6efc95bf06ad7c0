"""Answers of the platforms in the shapes that they document or that others recorded; all values are made up.

A fixture has `objects`, which a case repeats as `"@name"`, or as `{"like": "@name", "but": {…}, "without": […]}`.
A case is a client's `call` with its arguments, the `answers` on the wire (request, status, body), and either what the
client `reads` from them or how it `fails`.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pytest
import responses

from integrations.http.connections import Upload
from integrations.http.session import PlatformError
from tests.support.payloads import FIXTURES

UPLOAD = Upload("codescreen-report.pdf", b"%PDF-", "application/pdf")


class Answer(NamedTuple):
    """What a platform answers to a request."""

    request: str
    status: int
    body: Any


class Case(NamedTuple):
    """A client's call with what is answered to it and what is expected of it."""

    name: str
    call: list[Any]
    answers: list[Answer]
    expected: dict[str, Any]


def cases(name: str) -> list[Case]:
    """Return the cases of the fixture `name`, such as `lever/recorded_answers`."""
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    objects: dict[str, Any] = {}
    for label, value in document["objects"].items():
        objects[f"@{label}"] = _filled(value, objects)
    return [
        Case(
            case["name"],
            case["call"],
            [Answer(request, status, _filled(body, objects)) for request, status, body in case["answers"]],
            {key: case[key] for key in ("reads", "fails") if key in case},
        )
        for case in document["cases"]
    ]


def _filled(value: Any, objects: Mapping[str, Any]) -> Any:
    """Return the value with the objects that it names in their places."""
    if isinstance(value, str):
        return deepcopy(objects[value]) if value in objects else value
    if isinstance(value, list):
        return [_filled(item, objects) for item in value]
    if not isinstance(value, dict):
        return value
    if "like" not in value:
        return {name: _filled(item, objects) for name, item in value.items()}
    whole = {**_filled(value["like"], objects), **_filled(value.get("but", {}), objects)}
    return {name: item for name, item in whole.items() if name not in value.get("without", ())}


def call(client: object, case: Case, api: str, answers: list[Answer]) -> tuple[Any, list[str]]:
    """Return what the client reads when the platform at `api` answers so, and the addresses that it called."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for answer in answers:
            method, path = answer.request.split(" ")
            wire.add(method, api + path, json=answer.body, status=answer.status)
        method, *arguments = case.call
        read = getattr(client, method)(*(UPLOAD if item == "UPLOAD" else item for item in arguments))
        return plain(read), [str(made.request.url) for made in wire.calls]


def plain(value: Any) -> Any:
    """Return the value as JSON would have it: the attributes of an object, times in milliseconds."""
    if is_dataclass(value):
        properties = [name for name, one in vars(type(value)).items() if isinstance(one, property)]
        names = [field.name for field in fields(value)] + properties
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (list, tuple, set, Iterator)):
        return [plain(item) for item in value]
    return value


def check(client: object, case: Case, api: str) -> list[str]:
    """Compare what the client makes of the answers with what is expected. Return the addresses that it called."""
    if "fails" in case.expected:
        with pytest.raises(PlatformError) as raised:
            call(client, case, api, case.answers)
        assert {name: getattr(raised.value, name) for name in case.expected["fails"]} == case.expected[
            "fails"
        ]
        return []
    read, addresses = call(client, case, api, case.answers)
    assert picked(read, case.expected["reads"]) == case.expected["reads"]
    return addresses


def picked(value: Any, wanted: Any) -> Any:
    """Return of the value what `wanted` names."""
    if isinstance(wanted, dict) and wanted and isinstance(value, dict):
        return {name: picked(value.get(name, "absent"), item) for name, item in wanted.items()}
    if isinstance(wanted, list) and isinstance(value, list) and len(wanted) == len(value):
        return [picked(item, want) for item, want in zip(value, wanted, strict=True)]
    return value


def with_a_gap(answers: list[Answer]) -> Iterator[list[Answer]]:
    """Yield the answers again and again, each time with one member of a body null, or absent."""
    for number, answer in enumerate(answers):
        for body in _gaps(answer.body):
            yield [*answers[:number], answer._replace(body=body), *answers[number + 1 :]]


def _gaps(value: Any) -> Iterator[Any]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(value, dict):
            yield {name: one for name, one in value.items() if name != key}
        for replaced in (None, *_gaps(item)):
            changed = value.copy()
            changed[key] = replaced
            yield changed
