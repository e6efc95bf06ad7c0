"""What a report in PDF says, read without a library: its pages aren't compressed."""

import re


def texts_of(pdf: bytes) -> list[str]:
    """Return the texts of the page in their order; characters beyond ASCII are escapes of the embedded font."""
    return [text.decode("latin-1") for text in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)]


def characters_of(pdf: bytes) -> set[str]:
    """Return the characters beyond ASCII that the embedded fonts say they show."""
    pairs = re.findall(rb"<[0-9A-F]{2}> <([0-9A-F]{4})>", pdf)
    return {chr(int(code, 16)) for code in pairs if int(code, 16) > 127}


def links_of(pdf: bytes) -> list[str]:
    """Return the addresses that can be clicked."""
    return [address.decode() for address in re.findall(rb"/URI \((.*?)\)", pdf)]
