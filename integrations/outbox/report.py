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

from integrations.catalog.feedback_template import FeedbackField
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.kinds.feedback import field_texts

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
    texts = {name: escape(text) for name, text in field_texts(invitation, result).items()}
    yield "Assessment", texts[FeedbackField.ASSESSMENT]
    if score := texts[FeedbackField.SCORE]:
        yield "Score", f"{score} of 100"
    yield "Result", texts[FeedbackField.RESULT]
    if reason := texts[FeedbackField.REASON]:
        yield "Reason", reason
    if url := texts[FeedbackField.REPORT]:
        yield "Report in CodeScreen", f'<link href="{url}">{url}</link>'
