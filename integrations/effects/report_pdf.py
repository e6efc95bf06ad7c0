"""The report as a PDF: its fonts, and how its page looks."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby, zip_longest
from pathlib import Path
from threading import Lock
from urllib.parse import quote

import ttf_opensans
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from integrations.effects.report_words import ReportWords

# Which font shows a character in a report.
#
# Open Sans is embedded: Latin, Greek and Cyrillic. Chinese, Japanese and Korean use the fonts that PDF viewers have: to
# embed one for each would take many megabytes. A character that no font has becomes its base letter, else `?`.


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
    """Return the text on one line, composed, without control characters; what no font has is its base letter or `?`."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(map(_shown, composed))


def is_printable(text: str) -> bool:
    """Whether `printable` replaces no character by `?`."""
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
    is_asian = _is_han(character) or _is_kana(character) or _is_hangul(character)
    if is_asian or ord(character) in _regular.face.charToGlyph:
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if ord(base) in _regular.face.charToGlyph else MISSING


def _font_of(character: str, font: str, han: str) -> str:
    if ord(character) in _regular.face.charToGlyph:
        return font
    return KOREAN if _is_hangul(character) else han


def _is_han(character: str) -> bool:
    """Whether it is a Chinese character of the common block, or punctuation or a full-width form used with them."""
    return "一" <= character <= "鿿" or "　" <= character <= "〿" or "！" <= character <= "￮"


def _is_kana(character: str) -> bool:
    return "぀" <= character <= "ヿ"


def _is_hangul(character: str) -> bool:
    return "가" <= character <= "힣"


# How a report looks: an A4 page of real text, with a link to the report in CodeScreen; more where details need them.


PRODUCT = "CodeScreen–Lever portal"
MARGIN, LABELS = 56.0, 128.0
#: Below it stands the foot.
LOWEST = MARGIN + 34
LINE = 1.4  # of a font's size
MOST_LINES = 3
INK, QUIET, RULE, LINK = "#1c2526", "#56666a", "#d5dddf", "#0f5c63"
#: For each outcome, the colours of the panel and of its text.
_TONES = {
    "Passed": ("#e6f4ea", "#17603a"),
    "Failed": ("#fbe9e7", "#96271c"),
    "Expired": ("#fdf3dc", "#7a5200"),
}
_NEUTRAL = ("#eef2f3", INK)
#: Kept as they are in an address; everything else is escaped.
_OF_ADDRESSES = ":/?#[]@!$&'()*+,;=%-._~"

#: All threads share reportlab's fonts, so one thread draws at a time.
_lock = Lock()


def render(words: ReportWords) -> bytes:
    """Return the PDF of a report. The same words give the same bytes."""
    content = BytesIO()
    canvas = Canvas(
        content,
        pagesize=A4,
        # 20 kB more, and the same bytes whatever version of zlib there is
        pageCompression=0,
        # no time, no random ids; the date is set below
        invariant=1,
        lang="en",
        initialFontName=REGULAR,
    )
    moment = words.moment
    canvas.setDateFormatter(lambda *_: f"D:{moment:%Y%m%d%H%M%S}Z")
    canvas.setTitle(printable(f"Assessment report: {words.assessment}"))
    canvas.setSubject(printable(words.result))
    canvas.setAuthor(printable(words.organization))
    canvas.setCreator(PRODUCT)
    with _lock:
        _draw(_Page(canvas), words)
        canvas.showPage()
        canvas.save()
    return content.getvalue()


@dataclass
class _Page:
    """A page, and how far down it is written."""

    canvas: Canvas
    y: float = A4[1] - MARGIN

    def text(self, x: float, y: float, text: str, font: str, size: float, colour: str) -> None:
        """Write one line, each part of it in the font that has its characters."""
        self.canvas.setFillColor(HexColor(colour))
        for part, name in runs(text, font):
            self.canvas.setFont(name, size)
            self.canvas.drawString(x, y, part)
            x += width(part, font, size)

    def down(self, points: float) -> float:
        """Go down the page, and return where that is."""
        self.y -= points
        return self.y


def _draw(page: _Page, words: ReportWords) -> None:
    right = A4[0] - MARGIN
    page.text(MARGIN, page.down(10), printable(words.organization)[:80], REGULAR, 10, QUIET)
    page.text(MARGIN, page.down(32), "Assessment report", BOLD, 24, INK)
    for line in _wrapped(printable(words.assessment), REGULAR, 13, right - MARGIN):
        page.text(MARGIN, page.down(20), line, REGULAR, 13, QUIET)
    page.down(24)
    _draw_result(page, words)
    page.down(12)
    for label, text in words.lines:
        _draw_fact(page, [label], _wrapped(printable(text), REGULAR, 11, right - MARGIN - LABELS), INK)
    if words.report_url:
        _draw_link(page, words.report_url, right)
    _draw_details(page, words)
    _draw_foot(page, words)


def _draw_details(page: _Page, words: ReportWords) -> None:
    """Draw what else CodeScreen says, on further pages where one is full."""
    for position, (key, text) in enumerate(words.details):
        labels = _wrapped(printable(key), REGULAR, 11, LABELS - 12)
        lines = _wrapped(printable(text), REGULAR, 11, A4[0] - 2 * MARGIN - LABELS)
        heading = 0 if position else 38
        if page.y - heading - 17 - 11 * LINE * max(len(labels), len(lines)) < LOWEST:
            _draw_foot(page, words)
            page.canvas.showPage()
            page.y = A4[1] - MARGIN
        if heading:
            page.text(MARGIN, page.down(heading - 8), "Details from CodeScreen", BOLD, 13, INK)
            page.down(8)
        _draw_fact(page, labels, lines, INK)


def _draw_result(page: _Page, words: ReportWords) -> None:
    """Draw the panel with the result, and beside it the score and the rating."""
    ground, ink = _TONES.get(words.outcome, _NEUTRAL)
    height = 84.0
    page.canvas.setFillColor(HexColor(ground))
    page.canvas.roundRect(MARGIN, page.down(height), A4[0] - 2 * MARGIN, height, 8, stroke=0, fill=1)
    size = 26 if words.outcome else 17  # the sentence for a result that isn't stated is longer
    x = MARGIN + 20
    for label, text in (("Result", words.result), ("Score", words.score), ("Rating", words.rating)):
        if text:
            page.text(x, page.y + 56, label, REGULAR, 10, QUIET)
            page.text(x, page.y + 22, printable(text), BOLD, size, ink if label == "Result" else INK)
            x += max(width(printable(text), BOLD, size), 60) + 44


def _draw_fact(page: _Page, label: list[str], lines: list[str], colour: str) -> None:
    """Draw a label and its text, with a rule below."""
    page.down(8)
    for part, line in zip_longest(label, lines, fillvalue=""):
        page.down(11 * LINE)
        page.text(MARGIN, page.y, part, REGULAR, 11, QUIET)
        page.text(MARGIN + LABELS, page.y, line, REGULAR, 11, colour)
    page.canvas.setStrokeColor(HexColor(RULE))
    page.canvas.line(MARGIN, page.down(9), A4[0] - MARGIN, page.y)


def _draw_link(page: _Page, url: str, right: float) -> None:
    """Draw the report's address; a web address can be clicked."""
    top = page.y
    _draw_fact(page, ["Full report"], _wrapped(printable(url), REGULAR, 11, right - MARGIN - LABELS), LINK)
    if url.startswith(("https://", "http://")):
        page.canvas.linkURL(
            quote(url, safe=_OF_ADDRESSES), (MARGIN + LABELS, page.y, right, top), relative=0, thickness=0
        )


def _draw_foot(page: _Page, words: ReportWords) -> None:
    lines = [
        f"Written by the {PRODUCT} from what CodeScreen states. Times are in {words.zone}.",
        f"Reference {words.reference}",
    ]
    for position, line in enumerate(lines):
        page.text(MARGIN, MARGIN + 12 - 13 * position, printable(line), REGULAR, 9, QUIET)


def _wrapped(text: str, font: str, size: float, most: float) -> list[str]:
    """Return the text in lines of at most `most` points; what needs more than a few lines ends in an ellipsis."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined, font, size) <= most:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if width(lines[-1] + character, font, size) > most:
                lines.append("")
            lines[-1] += character
    if len(lines) <= MOST_LINES:
        return lines
    last = lines[MOST_LINES - 1]
    while last and width(f"{last}…", font, size) > most:
        last = last[:-1]
    return [*lines[: MOST_LINES - 1], f"{last}…"]
