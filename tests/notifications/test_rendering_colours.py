"""An organization's colour is readable in its e-mails, in light and in dark."""

import pytest

from integrations.notifications.rendering import CARD, DARK_CARD, READABLE, contrast, palette

COLOURS = ("#0f5c63", "#ffff00", "#000000", "#ffffff", "#777777", "#ff0000", "#0000ff")


@pytest.mark.parametrize("brand", COLOURS)
def test_links_and_buttons_are_readable_in_any_colour(brand: str) -> None:
    colours = palette(brand)
    assert colours.brand == brand
    assert contrast(colours.link, CARD) >= READABLE
    assert contrast(colours.dark_link, DARK_CARD) >= READABLE
    assert contrast(colours.on_link, colours.link) >= READABLE
    assert contrast(colours.on_dark_link, colours.dark_link) >= READABLE


def test_a_readable_colour_stays_as_it_is() -> None:
    assert palette("#0f5c63").link == "#0f5c63"


def test_contrast_is_that_of_wcag() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
