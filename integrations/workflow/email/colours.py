"""The colours of an e-mail: an organization's own one, made darker or lighter until text in it can be read."""

from dataclasses import dataclass

WHITE, BLACK = "#ffffff", "#000000"
CARD, DARK_CARD = WHITE, "#18211f"
#: WCAG's least contrast for text.
READABLE = 4.5
_STEPS = 20


@dataclass(frozen=True)
class Palette:
    """The colours of links and of the button, on a light and on a dark ground."""

    brand: str
    link: str
    dark_link: str
    on_link: str
    on_dark_link: str


def palette(brand: str) -> Palette:
    """Return the colours of e-mails in an organization's colour."""
    link, dark_link = _readable(brand, CARD, BLACK), _readable(brand, DARK_CARD, WHITE)
    return Palette(brand, link, dark_link, _text_on(link), _text_on(dark_link))


def contrast(first: str, second: str) -> float:
    """Return WCAG's contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, ground: str, towards: str) -> str:
    """Return the colour, mixed with black or white as little as makes it readable on the ground."""
    mixed = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS))
    return next((one for one in mixed if contrast(one, ground) >= READABLE), towards)


def _text_on(ground: str) -> str:
    return max((WHITE, BLACK), key=lambda text: contrast(text, ground))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
