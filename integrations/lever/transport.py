"""How Lever's API is called: credentials, the `data` wrapper, paging.

Source: https://hire.lever.co/developer/documentation (Authentication, Pagination).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, Unpack
from urllib.parse import quote

from integrations.http.connections import Params, Sent
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError, PlatformSession

PAGE_SIZE = 100


@dataclass(frozen=True)
class Page[Item]:
    """One page of a list, and Lever's token for the page after it: empty on the last one."""

    items: list[Item]
    next: str


class TokenSource(Protocol):
    """Where the credentials of calls come from, each as the header `Authorization` holds it."""

    def current(self) -> str:
        """Return credentials that should work now."""

    def renew(self, refused: str) -> str:
        """Return other credentials after Lever refused these. Raises PlatformError when there are none."""

    def give_up(self, refused: str) -> None:
        """Record that Lever refused the last that there are."""


def bearer(access_token: str) -> str:
    """Return the credentials of an access token."""
    return f"Bearer {access_token}"


def basic(api_key: str) -> str:
    """Return the credentials of an API key: the user name, with an empty password."""
    return f"Basic {b64encode(f'{api_key}:'.encode()).decode()}"


def unwrap(body: object) -> object:
    """Return the content of a response: Lever wraps it in `data` once, sometimes twice, sometimes not at all."""
    for _ in range(2):
        if isinstance(body, Mapping) and "data" in body and not ({"id", "fields"} & body.keys()):
            body = body["data"]
    return body


def path_of(*parts: str) -> str:
    """Return the path with each part quoted: ids come from outside."""
    return "".join("/" + quote(part, safe="") for part in parts)


class LeverTransport:
    """Authorized requests to one customer's Lever. Every method raises PlatformError when one doesn't succeed."""

    def __init__(self, session: PlatformSession, tokens: TokenSource) -> None:
        self._session = session
        self._tokens = tokens

    def call(self, method: str, path: str, **sent: Unpack[Sent]) -> object:
        """Return the decoded answer. After a 401 the call is repeated once with renewed credentials."""

        def call_with(credentials: str) -> object:
            headers = {"Authorization": credentials}
            return self._session.request(method, path, headers=headers, **sent)

        credentials = self._tokens.current()
        try:
            return call_with(credentials)
        except PlatformError as error:
            if error.status != 401:
                raise
        try:
            credentials = self._tokens.renew(credentials)
            return call_with(credentials)
        except PlatformError as error:
            if error.status == 401:
                self._tokens.give_up(credentials)
            raise

    def json_object(self, method: str, path: str, **sent: Unpack[Sent]) -> JsonObject:
        """Return the unwrapped answer, which has to be a JSON object."""
        content = unwrap(self.call(method, path, **sent))
        if not isinstance(content, dict):
            raise PlatformError(
                f"Lever answered {method} {path} without an object", ambiguous=method != "GET"
            )
        return content

    def rows(self, path: str, params: Params = (), *, may_be_bare: bool = False) -> Iterator[JsonObject]:
        """Yield the JSON objects of a list, page by page."""
        for page in self.pages(path, params, may_be_bare=may_be_bare):
            yield from page.items

    def pages(
        self, path: str, params: Params = (), offset: str = "", *, may_be_bare: bool = False
    ) -> Iterator[Page[JsonObject]]:
        """Yield the pages of a list, from the one that `offset` is the token of.

        A list that `may_be_bare` is also read without its wrapper.

        Raises PlatformError where Lever says that there is another page and not which: a list that ended there would
        look complete, and what it lacks would be taken for gone.
        """
        while True:
            query = [*params, ("limit", str(PAGE_SIZE)), *([("offset", offset)] if offset else [])]
            body = self.call("GET", path, params=query)
            if may_be_bare and isinstance(body, list):
                body = {"data": body}
            rows = body.get("data") if isinstance(body, dict) else None
            if not isinstance(body, dict) or not isinstance(rows, list):
                raise PlatformError(f"Lever answered GET {path} without a list")
            following = body.get("next") if body.get("hasNext") else ""
            if not isinstance(following, str) or (body.get("hasNext") and following in {"", offset}):
                raise PlatformError(f"Lever answered GET {path} without naming the next page, which it has")
            yield Page([row for row in rows if isinstance(row, dict)], following)
            if not following:
                return
            offset = following
