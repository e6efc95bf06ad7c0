"""The pages of the documentation that are written from the models say what the models declare."""

from pathlib import Path

import pytest
from django.conf import settings

from portal.devtools import data_inventory_page, rules_page


@pytest.mark.parametrize(
    ("name", "written"), [("data-inventory", data_inventory_page.page), ("rules", rules_page.page)]
)
def test_the_page_is_written_from_the_declarations(name, written):
    stored = Path(settings.BASE_DIR, f"portal/docs/operating/{name}.md").read_text()
    assert stored == written(), "the page itself says how to write it anew"
