"""What the pretend Lever refuses, as the real one does."""

from typing import Any

import pytest

from portal.devtools.sandbox.lever.api import opportunities
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller, control
from tests.devtools.sandbox.conftest import ALDER, SUPER_ADMIN

NOTE = {"value": "hello"}
NOTES, FILES, FEEDBACK = (f"/opportunities/{ALDER}/{part}" for part in ("notes", "files", "feedback"))
RATING = {"type": "score-system", "text": "Rating"}


QUINCE = f"/opportunities/{stable_id('acme', 'opportunity', 'Quince')}"


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "message"),
    [
        ("GET", "/opportunities/nobody", {}, 404, "opportunities nobody was not found"),
        ("GET", "/nothing", {}, 404, "was not found"),
        ("GET", QUINCE, {}, 403, "confidential"),
        ("GET", "/opportunities?limit=101", {}, 400, "limit"),
        ("GET", "/opportunities?offset=nonsense", {}, 400, "Invalid offset token"),
        ("GET", f"/opportunities/{ALDER}?expand=posting", {}, 400, "posting is not expandable"),
        ("POST", f"{NOTES}?perform_as=nobody", {"json": NOTE}, 400, "nobody"),
        ("POST", FILES, {"files": {"file": ("a.pdf", b"%PDF")}}, 400, "parameter: perform_as"),
        ("POST", f"{FILES}?perform_as={SUPER_ADMIN}", {}, 400, "parameter: file"),
        ("POST", FEEDBACK, {"json": {}}, 400, "parameter: perform_as"),
        ("POST", "/feedback_templates", {"json": {"text": "x", "fields": []}}, 400, "exactly one"),
        ("POST", "/feedback_templates", {"json": {"text": "x", "fields": [RATING] * 2}}, 400, "exactly one"),
    ],
)
def test_a_faulty_call_is_refused_as_lever_refuses_it(
    caller: LeverCaller, method: str, path: str, options: dict[str, Any], status: int, message: str
):
    answer = caller.call(method, path, **options)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}
    assert message in answer.json()["message"]


def test_a_call_without_a_token_is_401(lever: LeverSandbox):
    assert LeverCaller(lever).get("/stages").status_code == 401


def test_each_account_has_its_own_rate_limit(lever: LeverSandbox, caller: LeverCaller):
    control(lever, "settings", {"account": "acme", "rate_limit": 0.001})
    answers = [caller.get("/stages") for _ in range(25)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 4
    assert LeverCaller(lever, "globex").connect().get("/stages").status_code == 200


def test_a_file_that_is_too_large_is_refused(caller: LeverCaller, monkeypatch):
    monkeypatch.setattr(opportunities, "MAX_FILE", 4)
    sent = {"file": ("report.pdf", b"%PDF-1.7", "application/pdf")}
    assert caller.call("POST", FILES, files=sent, params={"perform_as": SUPER_ADMIN}).status_code == 413
