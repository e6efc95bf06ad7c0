"""The icons: each name that a template or the navigation uses has a drawing."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from django.template.loader import render_to_string

from portal.templatetags.parts import DRAWINGS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def test_each_name_that_a_template_uses_has_a_drawing() -> None:
    text = " ".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    names = set(re.findall(r'"partials/icon.html" with name="([^"]*)"', text))
    assert names
    assert names <= set(DRAWINGS)


def test_an_icon_is_hidden_from_screen_readers_and_well_formed() -> None:
    for name in DRAWINGS:
        icon = ET.fromstring(render_to_string("partials/icon.html", {"name": name}).strip())
        assert icon.get("aria-hidden") == "true"
        assert len(icon) >= 1
