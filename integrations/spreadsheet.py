"""CSV for spreadsheets: lines one by one, as UTF-8, with no cell that a spreadsheet takes for a formula."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain

from django.http import StreamingHttpResponse

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
    """Yield the heading and each row as a line of CSV. What is None is an empty cell."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(["" if cell is None else csv_cell(str(cell)) for cell in row])


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
