"""Check pages in Chromium: axe's rules, console errors, sideways scrolling, and what suits a phone."""

from collections.abc import Sequence
from typing import Any, Self

from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

PHONE = 390
#: Width and colour scheme of each check; the narrow one is a phone's.
SHAPES: list[tuple[int, Any]] = [(1280, "light"), (PHONE, "dark")]
#: 1280 pixels at 400 %, for WCAG 1.4.10: nothing scrolls sideways.
ZOOMED = 320
_AXE = Axe().axe_script
#: Frames are left out: an e-mail in a frame is checked on its own. To preload imported style sheets axe would write
#: inline styles, which the content security policy blocks.
_RUN = """(tags) => Promise.race([
  axe.run({exclude: [['iframe']]}, {
    resultTypes: ['violations'], iframes: false, preload: false, ...(tags.length && {runOnly: tags}),
  }).then((found) => found.violations),
  new Promise((resolve) => setTimeout(() => resolve([{id: 'axe did not end', nodes: []}]), 30000)),
])"""
MOST_BYTES = 60_000
#: How many screens of a phone a page is long at most; the overview tells of Health too.
MOST_SCREENS, MOST_SCREENS_OF_OVERVIEW, SCREEN = 6, 8, 844
#: What a finger must hit, and isn't 44 pixels large: links within a text may be smaller, the label of a box counts.
_SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(one => {
  if (!one.checkVisibility() || one.matches('.skip') || getComputedStyle(one).display === 'inline') return false;
  const boxes = [one, ...(one.labels ?? [])].map((each) => each.getBoundingClientRect());
  const [width, height] = ['width', 'height'].map((side) => Math.max(...boxes.map((box) => box[side])));
  return width && (width < 43.5 || height < 43.5);
}).map((one) => one.outerHTML.slice(0, 120))"""
_SMALL_FIELDS = """() => [...document.querySelectorAll('input, select, textarea')].filter((one) =>
  !['hidden', 'checkbox', 'radio'].includes(one.type) && parseFloat(getComputedStyle(one).fontSize) < 16
).map((one) => one.outerHTML.slice(0, 120))"""
_SETTLE = "document.getAnimations().forEach((one) => one.finish())"  # contrast is measured after transitions


class Visit:
    """A browser context of one user: `problems` collects everything wrong with the pages, `checks` counts them.

    At its end nothing may be wrong.
    """

    def __init__(self, browser: Browser, site: str, user: Any = None, **context: Any) -> None:
        self.context: BrowserContext = browser.new_context(**context)
        self.site, self.problems, self.checks = site, list[Any](), 0
        if user is not None:
            self.context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": site}])
        self.page: Page = self.context.new_page()
        self._device = self.context.new_cdp_session(self.page)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self._note("page error", str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.context.close()
        assert error or self.problems == []

    def _note(self, what: str, detail: Any) -> None:
        self.problems.append((self.page.url.removeprefix(self.site), what, detail))

    def _note_console(self, message: Any) -> None:
        # Chromium logs every response that isn't a success, such as an error page under test
        if (
            message.type in {"error", "warning"}
            and "the server responded with a status of" not in message.text
        ):
            self._note("console", message.text)

    def open_and_check(self, path: str, status: int = 200, shapes: list[tuple[int, Any]] = SHAPES) -> None:
        """Open a page and check it in every shape."""
        answer = self.page.goto(self.site + path)
        assert answer
        if answer.status != status:
            self._note("status", answer.status)
        if (size := len(answer.body())) > MOST_BYTES:
            self._note("bytes", size)
        shows_secret = "no-transform" in answer.headers["cache-control"]
        if shows_secret == ("gzip" in answer.headers.get("content-encoding", "")):
            self._note("compressed", not shows_secret)
        if (headings := self.page.locator("h1").count()) != 1:
            self._note("first headings", headings)
        self.check(shapes)

    def press(self, selector: str) -> None:
        """Click what leads to another page and wait for that page: a click alone returns while the old one goes."""
        with self.page.expect_navigation():
            self.page.click(selector)

    def send(self, **values: str) -> None:
        """Fill the fields of the page's form, and send it."""
        for name, value in values.items():
            self.page.fill(f"[name={name}]", value)
        self.press("main button")

    def check_email(self, html: str) -> None:
        """Check an e-mail's HTML in a blank page."""
        self.page.goto("about:blank")
        self.page.set_content(html)
        # WCAG rules only: landmarks are the mail program's
        self.check(tags=["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])

    def check(self, shapes: list[tuple[int, Any]] = SHAPES, tags: Sequence[str] = ()) -> None:
        """Check the open page in every shape without loading it again, by all of axe's rules or those with `tags`."""
        self.page.evaluate(_AXE)
        for width, scheme in shapes:
            self.page.set_viewport_size({"width": width, "height": 900})
            self._device.send("Emulation.setTouchEmulationEnabled", {"enabled": width == PHONE})
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(_SETTLE)
            self.checks += 1
            for rule in self.page.evaluate(_RUN, list(tags)):
                self._note(f"{rule['id']} ({width}, {scheme})", [node["html"] for node in rule["nodes"]][:2])
            self._note_sideways(width)
            if width == PHONE and self.page.url.startswith(self.site):
                self._note_phone()
        self.page.set_viewport_size({"width": ZOOMED, "height": 900})
        self._note_sideways(ZOOMED)

    def _note_phone(self) -> None:
        """Note what is too small for fingers, and a page that is too long."""
        most = MOST_SCREENS_OF_OVERVIEW if self.page.url == f"{self.site}/" else MOST_SCREENS
        if (height := self.page.evaluate("document.body.scrollHeight")) > most * SCREEN:
            self._note("height", height)
        for what, script in (("targets", _SMALL_TARGETS), ("fields", _SMALL_FIELDS)):
            if found := self.page.evaluate(script):
                self._note(what, found)

    def _note_sideways(self, width: int) -> None:
        if not self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self._note("scrolls sideways", width)


def session_of(user: Any) -> str:
    """Sign a user in and return the session key."""
    client = Client()
    client.force_login(
        get_user_model().objects.get(pk=user.pk), backend="portal.accounts.backend.PasswordBackend"
    )
    return client.cookies["sessionid"].value
