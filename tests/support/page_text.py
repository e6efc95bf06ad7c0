"""What a page says."""

from typing import Any


def text(answer: Any) -> str:
    """Return a page's HTML with single spaces in place of line breaks, in which a sentence is found."""
    return " ".join(answer.content.decode().split())
