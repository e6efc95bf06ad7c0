"""Which font shows a character in a report.

Open Sans is embedded: Latin, Greek and Cyrillic. Chinese, Japanese and Korean use the fonts that PDF viewers have for
them, which aren't embedded: a font of our own would be many megabytes for each. Characters of other scripts are shown
as `?`.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import ttf_opensans
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "OpenSans", "OpenSans-Bold"
CHINESE, JAPANESE, KOREAN = "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
MISSING = "?"

_FILES = Path(ttf_opensans.__file__).parent / "ttf"
_regular = TTFont(REGULAR, str(_FILES / "OpenSans-Regular.ttf"))
pdfmetrics.registerFont(_regular)
pdfmetrics.registerFont(TTFont(BOLD, str(_FILES / "OpenSans-Bold.ttf")))
for _name in (CHINESE, JAPANESE, KOREAN):
    pdfmetrics.registerFont(UnicodeCIDFont(_name))


def printable(text: str) -> str:
    """Return the text on one line, composed, without control characters; what no font has is `?`."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(map(_shown, composed))


def is_printable(text: str) -> bool:
    """Whether the fonts have every character of the text."""
    return MISSING not in printable(text.replace(MISSING, " "))


def runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a printable text with the font of each; `font` is Open Sans, regular or bold."""
    han = JAPANESE if any(_is_kana(one) for one in text) else CHINESE
    for name, part in groupby(text, lambda one: _font_of(one, font, han)):
        yield "".join(part), name


def width(text: str, font: str, size: float) -> float:
    """Return how wide a printable text is, in points."""
    return sum(pdfmetrics.stringWidth(part, name, size) for part, name in runs(text, font))


def _shown(character: str) -> str:
    if unicodedata.category(character)[0] == "C":
        return ""
    if ord(character) in _regular.face.charToGlyph or _is_asian(character):
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if ord(base) in _regular.face.charToGlyph else MISSING


def _font_of(character: str, font: str, han: str) -> str:
    if ord(character) in _regular.face.charToGlyph:
        return font
    return KOREAN if _is_hangul(character) else han


def _is_asian(character: str) -> bool:
    return _is_han(character) or _is_kana(character) or _is_hangul(character)


def _is_han(character: str) -> bool:
    """Whether it is a Chinese character of the common block, or punctuation or a full-width form used with them."""
    return "一" <= character <= "鿿" or "　" <= character <= "〿" or "！" <= character <= "￮"


def _is_kana(character: str) -> bool:
    return "぀" <= character <= "ヿ"


def _is_hangul(character: str) -> bool:
    return "가" <= character <= "힣"
