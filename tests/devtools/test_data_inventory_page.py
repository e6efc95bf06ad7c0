"""The page of the data inventory says what the models declare."""

from pathlib import Path

from django.conf import settings

from portal.devtools.data_inventory_page import page


def test_the_page_is_written_from_the_declarations():
    stored = Path(settings.BASE_DIR, "portal/docs/operating/data-inventory.md").read_text()
    assert stored == page(), "the page itself says how to write it anew"
