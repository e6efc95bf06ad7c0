"""The keys of rows in forms and addresses, and lists as CSV for spreadsheets."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable
from datetime import UTC, datetime

from django.http import HttpResponse

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


def csv_answer(filename: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> HttpResponse:
    """Return the answer that downloads the heading and the rows as a file of this name, and that no cache keeps.

    What is None is an empty cell; times are in UTC. The file begins with a byte order mark: without it Excel takes
    UTF-8 for the computer's own old character set.
    """
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    answer = HttpResponse(BOM_UTF8, content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(answer)
    writer.writerow(columns)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return answer


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else csv_cell(str(cell))
