"""A person's browser, as far as a demo needs one: it signs in and submits forms over HTTP."""

import re

import requests

from portal.devtools.waiting import REQUEST_SECONDS, RunFailed


class BrowserSession:
    """One person's session at the portal."""

    def __init__(self, portal_url: str) -> None:
        self._url = portal_url
        self._http = requests.Session()

    def sign_in(self, username: str, password: str) -> None:
        """Sign in. Raises RunFailed if the portal refuses it."""
        if self.submit("/login/", "/login/", username=username, password=password).status_code != 302:
            raise RunFailed("signing in failed")

    def submit(self, path: str, page: str, **fields: str) -> requests.Response:
        """Submit a form of a page to a path; return the response without following its redirect."""
        html = self._http.get(self._url + page, timeout=REQUEST_SECONDS).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
        if not token:
            raise RunFailed(f"{page} has no form")
        return self._http.post(
            self._url + path,
            data={**fields, "csrfmiddlewaretoken": token.group(1)},
            headers={"Referer": self._url + page},
            timeout=REQUEST_SECONDS,
            allow_redirects=False,
        )

    def open(self, url: str) -> requests.Response:
        """Open an address, following redirects."""
        return self._http.get(url, timeout=REQUEST_SECONDS)
