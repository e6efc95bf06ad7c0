"""The report as a PDF: one plain page with what CodeScreen states of a result."""

from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path
from threading import Lock

import ttf_opensans
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

from integrations.core.vocabulary import NOT_STATED
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result

#: Latin, Greek and Cyrillic; the fonts that every PDF viewer has lack most of these.
FONT = "OpenSans"
pdfmetrics.registerFont(
    TTFont(FONT, str(Path(ttf_opensans.__file__).parent / "ttf" / "OpenSans-Regular.ttf"))
)
_TITLE = ParagraphStyle("title", fontName=FONT, fontSize=20, leading=28, spaceAfter=18)
_LABEL = ParagraphStyle("label", fontName=FONT, fontSize=9, leading=14, textColor="#56666a")
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=12, leading=17, spaceAfter=10, linkUnderline=1)

#: All threads share reportlab's fonts, so one thread draws at a time.
_lock = Lock()


def report_pdf(invitation: Invitation, result: Result) -> bytes:
    """Return the page. It names nobody: Lever may keep files when it anonymizes a person."""
    content = BytesIO()
    page = SimpleDocTemplate(
        content,
        pagesize=A4,
        pageCompression=0,  # tests read its texts
        title=f"Assessment report: {invitation.assessment_name}",
        author=invitation.organization.name,
        lang="en",
    )
    texts = [Paragraph("Assessment report", _TITLE)]
    for label, text in _facts(invitation, result):
        texts += [Paragraph(label, _LABEL), Paragraph(text, _TEXT)]
    with _lock:
        page.build(texts)
    return content.getvalue()


def _facts(invitation: Invitation, result: Result) -> Iterator[tuple[str, str]]:
    """Yield what the page says, each with its label, as reportlab's markup; nothing that isn't known."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    yield "Assessment", escape(f"{invitation.assessment_name}{attempt}")
    yield "Result", escape(result.headline if result.said else NOT_STATED)
    if result.score_text:
        yield "Score", f"{result.score_text} of 100"
    if result.failure_reason:
        yield "Reason", escape(result.failure_reason)
    if result.report_url:
        url = escape(result.report_url)
        yield "Report in CodeScreen", f'<link href="{url}">{url}</link>'
