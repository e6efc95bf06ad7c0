"""The keys of rows in forms and addresses, and lists as CSV for spreadsheets."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain

from django.http import StreamingHttpResponse

# The keys of rows, as forms and addresses state them.


#: Digits that every database takes for a key.
_MAX_DIGITS = 18


def is_key(text: str) -> bool:
    """Whether the text may be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def keys_of(texts: Iterable[str]) -> list[int]:
    """Return the keys among the texts, in their order."""
    return [int(text) for text in texts if is_key(text)]


# CSV for spreadsheets: lines one by one, as UTF-8, with no cell that a spreadsheet takes for a formula.


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BYTE_ORDER_MARK = BOM_UTF8.decode()


class _Echo:
    """A file for csv.writer whose write() returns the line."""

    def write(self, text: str) -> str:
        return text


def csv_cell(value: str) -> str:
    """Return text that a spreadsheet doesn't take for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def csv_lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the heading and each row as a line of CSV. What is None is an empty cell; times are in UTC."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_text(cell) for cell in row])


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else csv_cell(str(cell))


def csv_answer(filename: str, lines: Iterator[str]) -> StreamingHttpResponse:
    """Return the answer that downloads the lines as a file of this name, and that no cache keeps.

    The file begins with a byte order mark: without it Excel takes UTF-8 for the computer's own old character set.
    """
    return StreamingHttpResponse(
        chain([_BYTE_ORDER_MARK], lines),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store",
        },
    )
