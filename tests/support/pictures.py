"""Pictures of the running product: how one is taken, and a hash of what it shows.

A test that keeps a picture takes it again with MAKE_PICTURES=1 in the environment, and fails while the page says
something else than the picture did.
"""

import base64
import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Locator, Page

STALE = "the page has changed: make the pictures again, as the beginning of this file says, and look at them"


def are_made() -> bool:
    """Whether the pictures are to be made again."""
    return bool(os.environ.get("MAKE_PICTURES"))


class Content(HTMLParser):
    """The elements with their classes and the words of a part of a page, without times, numbers and drawings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines = list[str]()
        self._skipped = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"time", "svg"}:
            self._skipped = tag
        if not self._skipped and ("type", "hidden") not in attrs:
            self.lines.append(f"<{tag} {dict(attrs).get('class') or ''}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""

    def handle_data(self, data: str) -> None:
        words = re.sub(r"\d+", "0", " ".join(data.split()))
        if words and not self._skipped:
            self.lines.append(words)

    def hash(self) -> str:
        """Return a hash of the content."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def shown_by(part: Locator) -> str:
    """Return a hash of what a part of a page says now."""
    return Content(part.evaluate("(element) => element.outerHTML")).hash()


def capture(page: Page, box: dict[str, float], file: Path, scale: int) -> dict[str, int]:
    """Store what is in the box, which counts from the top of the window, as WebP; return its size on the page."""
    size = {side: round(length) for side, length in box.items()}
    answer = page.context.new_cdp_session(page).send(
        "Page.captureScreenshot", {"format": "webp", "quality": 70, "clip": size | {"scale": scale}}
    )
    file.write_bytes(base64.b64decode(answer["data"]))
    return size
