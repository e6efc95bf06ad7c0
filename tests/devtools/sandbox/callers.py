"""What a portal does with the pretend platforms, in a few lines."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from portal.devtools.sandbox.lever.server import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_REDIRECT_URIS,
    LeverSandbox,
)

REDIRECT_URI = DEMO_REDIRECT_URIS[0]
ALL_SCOPES = (
    "offline_access opportunities:write:admin notes:write:admin stages:read:admin tags:read:admin "
    "webhooks:write:admin feedback:write:admin feedback_templates:write:admin postings:read:admin "
    "users:read:admin contact:write:admin files:write:admin archive_reasons:read:admin applications:read:admin"
)


class LeverCaller:
    """Speaks to a pretend Lever as the registered app."""

    def __init__(self, server: LeverSandbox, account: str = "acme") -> None:
        self.server = server
        self.account = account
        self.http = requests.Session()
        self.http.trust_env = False
        self.tokens: dict[str, Any] = {}

    def authorize_query(self, **changes: str) -> dict[str, str]:
        return {
            "client_id": DEMO_CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "state": "some-state",
            "audience": f"{self.server.url}/v1/",
            "scope": ALL_SCOPES,
        } | changes

    def answer(self, decision: str = "accept", **changes: str) -> dict[str, str]:
        form = self.authorize_query(**changes) | {"account": self.account, "decision": decision}
        response = self.http.post(f"{self.server.url}/authorize", data=form, allow_redirects=False)
        assert response.status_code == 303, response.text
        return landed(response)

    def token(self, **fields: str) -> requests.Response:
        known = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
        return self.http.post(f"{self.server.url}/oauth/token", data=known | fields)

    def exchange(self, code: str) -> requests.Response:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)

    def refresh(self) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def connect(self, scope: str = ALL_SCOPES) -> "LeverCaller":
        response = self.exchange(self.answer(scope=scope)["code"])
        assert response.status_code == 200, response.text
        self.tokens = response.json()
        return self

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens.get('access_token', '')}"}
        return self.http.request(method, f"{self.server.url}/v1{path}", headers=headers, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **params: Any) -> requests.Response:
        return self.call("POST", path, json=body or {}, params=params)

    def put(self, path: str, body: Any = None, **params: Any) -> requests.Response:
        return self.call("PUT", path, json=body or {}, params=params)


def landed(response: requests.Response) -> dict[str, str]:
    """Return the query of the address a response leads to."""
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def press(server: Any, act: str, /, **form: Any) -> str:
    """Send a form of a page of `acme` and return the page that it leads to."""
    return requests.post(f"{server.url}/acme/do/{act}", data=form, timeout=60).text


def control(server: Any, path: str, body: Any = None, method: str = "POST") -> Any:
    """Make a call of a server's control API and return its answer."""
    response = requests.request(method, f"{server.url}/_control/{path}", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()
