from typing import Any

import pytest
import requests

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.server import is_loopback
from tests.devtools.sandbox.callers import LeverCaller, control
from tests.devtools.sandbox.codescreen.calls import KEY, invitation
from tests.devtools.sandbox.conftest import ALDER

NOTES = f"/opportunities/{ALDER}/notes"
BROKEN = (requests.ConnectionError, requests.Timeout)


def fault(server: LeverSandbox | CodeScreenSandbox, kind: str, **more: object) -> None:
    rule = {"method": "POST", "path": "/notes$|/assessments$", "kind": kind, "times": 1, **more}
    control(server, "faults", {"seed": 1, "rules": [rule]})


def entry(lever: LeverSandbox) -> Any:
    return control(lever, "ledger?account=acme", method="GET")["accounts"]["acme"]["opportunities"][ALDER]


@pytest.mark.parametrize(
    ("kind", "notes"), [("reset_before", 0), ("reset_after", 1), ("timeout_before", 0), ("timeout_after", 1)]
)
def test_a_call_without_an_answer_has_its_effect_only_when_it_breaks_after(
    lever: LeverSandbox, caller: LeverCaller, kind: str, notes: int
):
    fault(lever, kind)
    with pytest.raises(BROKEN):
        caller.call("POST", NOTES, json={"value": "x"}, timeout=0.2)
    found = entry(lever)
    assert (found["notes"], found["posts"], found["ambiguous"]) == (notes, notes, 1)
    assert caller.post(NOTES, {"value": "x"}).status_code == 201


def test_errors_pages_and_truncated_answers_take_the_place_of_the_answer(
    lever: LeverSandbox, caller: LeverCaller
):
    fault(lever, "status", status=429, retry_after=3)
    limited = caller.post(NOTES, {"value": "x"})
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "3")
    assert entry(lever)["ambiguous"] == 0
    fault(lever, "status_after", status=500)
    assert caller.post(NOTES, {"value": "x"}).status_code == 500
    fault(lever, "html")
    assert "<h1>Bad gateway" in caller.post(NOTES, {"value": "x"}).text
    fault(lever, "truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        caller.post(NOTES, {"value": "x"})
    assert (entry(lever)["notes"], entry(lever)["ambiguous"]) == (2, 3)


def test_rules_cover_their_account_and_never_the_control_api(lever: LeverSandbox, caller: LeverCaller):
    rule = {"kind": "status", "status": 503, "account": "globex"}
    control(lever, "faults", {"rules": [rule]})
    other = LeverCaller(lever, "globex").connect()
    assert caller.get("/stages").status_code == 200
    assert other.get("/stages").status_code == 503
    control(lever, "faults", {})
    assert other.get("/stages").status_code == 200


def test_the_same_seed_draws_the_same_faults(lever: LeverSandbox, caller: LeverCaller):
    def run() -> list[int]:
        rule = {"kind": "status", "status": 500, "probability": 0.5}
        control(lever, "faults", {"seed": 7, "rules": [rule]})
        return [caller.get("/stages").status_code for _ in range(20)]

    first = run()
    assert first == run()
    assert set(first) == {200, 500}


def test_an_invitation_whose_answer_is_lost_is_in_the_ledger(codescreen: CodeScreenSandbox):
    body = invitation(codescreen)
    fault(codescreen, "reset_after")
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{codescreen.api_url}/assessments",
            json=body,
            headers={"Authorization": f"apiKey {KEY}"},
            timeout=30,
        )
    [found] = control(codescreen, "ledger?account=acme", method="GET")["accounts"]["acme"]["invitations"]
    assert (found["email"], found["emails_sent"], found["ambiguous"]) == (body["email"], 1, 1)


def test_only_this_machine_can_reach_it(lever: LeverSandbox):
    assert lever._http.server_address[0] == "127.0.0.1"
    assert is_loopback("127.0.0.2")
    assert not is_loopback("0.0.0.0")


def test_pages_of_other_origins_cannot_use_the_control_api(lever: LeverSandbox):
    url = f"{lever.url}/_control/ledger"
    assert requests.get(url, headers={"Origin": "http://elsewhere.example"}, timeout=30).status_code == 403
    assert requests.get(url, headers={"Host": "elsewhere.example"}, timeout=30).status_code == 403
