"""The icons: each name that a template or the navigation uses has a drawing."""

import re
from pathlib import Path

from portal.templatetags.parts import DRAWINGS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def test_each_name_that_a_template_uses_has_a_drawing() -> None:
    text = " ".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    names = set(re.findall(r'"partials/icon.html" with name="([^"]*)"', text))
    assert names
    assert names <= set(DRAWINGS)
