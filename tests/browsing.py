"""A page in Chromium as a test looks at it: what axe finds, what the console says, whether it fits the screen."""

from collections.abc import Sequence
from typing import Any, Self

from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

SHAPES: list[tuple[int, Any]] = [(1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")]
_AXE = Axe().axe_script
#: An e-mail inside a page is a document of its own, written for mail programs; it is looked at by itself.
_RUN = """(tags) => Promise.race([
  axe.run({exclude: [['iframe']]}, {
    resultTypes: ['violations'], iframes: false, ...(tags.length && {runOnly: tags}),
  }).then((found) => found.violations),
  new Promise((resolve) => setTimeout(() => resolve([{id: 'axe did not end', nodes: []}]), 30000)),
])"""
_SETTLE = "document.getAnimations().forEach((one) => one.finish())"  # a colour on its way is no colour


class Visit:
    """One person's browser; counts the pages it looked at, and keeps everything that was wrong with them."""

    def __init__(self, browser: Browser, site: str, person: Any = None, **context: Any) -> None:
        self.context: BrowserContext = browser.new_context(**context)
        self.site, self.wrong, self.looks = site, list[Any](), 0
        if person is not None:
            self.context.add_cookies([{"name": "sessionid", "value": session_of(person), "url": site}])
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._note("page error", str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _note(self, what: str, detail: Any) -> None:
        self.wrong.append((self.page.url.removeprefix(self.site), what, detail))

    def _heard(self, message: Any) -> None:
        # Chromium itself says so of every answer that isn't a success, such as the 403 that is looked at
        if (
            message.type in {"error", "warning"}
            and "the server responded with a status of" not in message.text
        ):
            self._note("console", message.text)

    def look_at(self, path: str, status: int = 200, shapes: list[tuple[int, Any]] = SHAPES) -> None:
        """Open a page and look at it in every shape."""
        answer = self.page.goto(self.site + path)
        if answer is None or answer.status != status:
            self._note("status", answer and answer.status)
        self.look(shapes)

    def look_at_mail(self, path: str) -> None:
        """Look at an e-mail as a mail program shows it: its address forbids all scripts, and so axe."""
        self.page.goto("about:blank")
        self.page.set_content(self.context.request.get(self.site + path).text())
        # a mail program has the landmarks, not the e-mail in it
        self.look(tags=["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])

    def look(self, shapes: list[tuple[int, Any]] = SHAPES, tags: Sequence[str] = ()) -> None:
        """Look at the page that is open in every shape, without loading it again; by all of axe's rules, or some."""
        self.page.evaluate(_AXE)
        for width, scheme in shapes:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(_SETTLE)
            self.looks += 1
            for rule in self.page.evaluate(_RUN, list(tags)):
                self._note(f"{rule['id']} ({width}, {scheme})", [node["html"] for node in rule["nodes"]][:2])
            if not self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                self._note("scrolls sideways", width)


def session_of(person: Any) -> str:
    """Return the session key of a person who is signed in."""
    client = Client()
    user = get_user_model().objects.get(pk=person.pk)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value
