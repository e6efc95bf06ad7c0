"""What a portal and a candidate do with the pretend CodeScreen."""

from typing import Any

import requests

from portal.devtools.sandbox.codescreen.seed import key_of
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from tests.devtools.sandbox.callers import control

KEY = key_of("acme")


def call(
    server: CodeScreenSandbox, method: str, path: str, body: Any = None, **headers: str
) -> requests.Response:
    known = {"Authorization": f"apiKey {KEY}"} | {name.replace("_", "-"): v for name, v in headers.items()}
    return requests.request(method, f"{server.api_url}{path}", json=body, headers=known, timeout=30)


def assessment(server: CodeScreenSandbox, name: str = "Backend") -> Any:
    listed = call(server, "GET", "/assessments").json()
    assert all(set(item) == {"assessmentId", "assessmentName"} for item in listed)
    return next(item["assessmentId"] for item in listed if item["assessmentName"] == name)


def invitation(server: CodeScreenSandbox, name: str = "Backend", **more: str) -> dict[str, str]:
    return {
        "assessmentId": assessment(server, name),
        "firstName": "Candidate",
        "lastName": "Alder",
        "email": "alder@candidates.example",
    } | more


def invite(server: CodeScreenSandbox, name: str = "Backend", **more: str) -> Any:
    response = call(server, "POST", "/assessments", invitation(server, name, **more))
    assert response.status_code == 200
    assert set(response.json()) == {"assessmentInstanceId"}
    return response.json()["assessmentInstanceId"]


def status(server: CodeScreenSandbox, instance: str) -> Any:
    return call(server, "GET", f"/assessments/{instance}").json()


def act(server: CodeScreenSandbox, instance: str, action: Any, **verdict: Any) -> Any:
    return control(
        server, "candidate", {"account": "acme", "instance": instance, "action": action, **verdict}
    )
