"""The keys of rows in forms and addresses, and lists as CSV for spreadsheets."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import IO

# The keys of rows, as forms and addresses state them.


#: Digits that every database takes for a key.
_MAX_DIGITS = 18


def is_key(text: str) -> bool:
    """Whether the text may be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def keys_of(texts: Iterable[str]) -> list[int]:
    """Return the keys among the texts, in their order."""
    return [int(text) for text in texts if is_key(text)]


# CSV for spreadsheets: UTF-8, with no cell that a spreadsheet takes for a formula.


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_cell(value: str) -> str:
    """Return text that a spreadsheet doesn't take for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


#: The longest file, in characters: a third of a million candidates.
MOST_CHARACTERS = 64_000_000


class ListTooLong(Exception):
    """The list makes a longer file than the portal writes."""


def write_csv(file: IO[bytes], columns: Iterable[str], rows: Iterable[Iterable[object]]) -> int:
    """Write the heading and the rows, and return how many rows there are.

    What is None is an empty cell; times are in UTC. The file begins with a byte order mark: without it Excel takes
    UTF-8 for the computer's own old character set. Raises ListTooLong.
    """
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        writer = csv.writer(text)
        length, count = writer.writerow(columns), 0
        for row in rows:
            length, count = length + writer.writerow([_text(cell) for cell in row]), count + 1
            if length > MOST_CHARACTERS:
                raise ListTooLong
        return count
    finally:
        text.detach()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else csv_cell(str(cell))
