"""Long lists: their pages, the keys of their rows in forms and addresses, and CSV for spreadsheets."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import Count, QuerySet, Value
from django.http import StreamingHttpResponse
from django.utils.functional import cached_property

# Pages of long lists: as quick at the end as at the beginning, and counted only as far as people count.


if TYPE_CHECKING:  # their stubs are generic, they aren't

    class _Page(Page[Any]): ...

    class _Paginator(Paginator[Any]): ...
else:
    _Page, _Paginator = Page, Paginator

#: No list has so many pages; a database takes no larger numbers.
_FARTHEST = 10**12
#: The rows of a list with so many are found first and sorted then. A database that expects more of them would go along
#: the order through all other rows.
_FEW = 1_000
#: Longer lists are said to have more than so many rows. To count a million takes longer than to show fifty of them.
COUNTED = 10_000


class LongListPaginator(_Paginator):
    """Pages of an ordered queryset of any length.

    Page 1 is the first, page -1 the last, page -2 the one before it. Pages of a list that was counted to its end get
    positive numbers. A longer list has pages from both ends; each is full, so the last page overlaps the one before.
    """

    def __init__(self, rows: QuerySet[Any], per_page: int) -> None:
        super().__init__(rows, per_page)
        self.rows = rows

    @cached_property
    def _counted(self) -> int:
        """The number of rows, but at most COUNTED + 1."""
        ones = self.rows.order_by().values(one=Value(1))  # no column is read, so an index may be enough
        counted: int = ones[: COUNTED + 1].aggregate(counted=Count("one"))["counted"]
        return counted

    @property
    def is_longer(self) -> bool:
        """Whether there are more rows than were counted."""
        return self._counted > COUNTED

    @cached_property
    def count(self) -> int:
        """The number of rows; COUNTED where `is_longer`."""
        return min(self._counted, COUNTED)

    @property
    def count_text(self) -> str:
        return f"more than {COUNTED:,}" if self.is_longer else f"{self.count:,}"

    def validate_number(self, number: int | str | float | None) -> int:
        """Return the page's number, a positive one where all rows were counted.

        Raises PageNotAnInteger or EmptyPage. A page far into a long list is known to be empty only once it is read.
        """
        try:
            page = int(number) if number is not None else 1
        except (TypeError, ValueError) as error:
            raise PageNotAnInteger("That page number is not an integer.") from error
        if page < 0 and not self.is_longer:
            page += self.num_pages + 1
        is_there = 0 < abs(page) <= _FARTHEST if self.is_longer else 1 <= page <= self.num_pages
        if not is_there:
            raise EmptyPage("There is no such page.")
        return page

    def page(self, number: int | str | float | None) -> "LongListPage":
        """Return the page with its rows. Raises PageNotAnInteger or EmptyPage."""
        page = self.validate_number(number)
        start = (abs(page) - 1) * self.per_page
        source = self.rows
        if not self.count:
            source = source.none()
        elif self.count <= _FEW:
            source = source.filter(pk__in=list(source.order_by().values_list("pk", flat=True)[:_FEW]))
        ordered = source if page > 0 else source.reverse()
        found = list(ordered[start : start + self.per_page + 1])
        if not found and page != 1:
            raise EmptyPage("There is no such page.")
        rows, goes_on = found[: self.per_page], len(found) > self.per_page
        return LongListPage(rows if page > 0 else rows[::-1], page, self, goes_on=goes_on)

    def get_page(self, number: int | str | float | None) -> "LongListPage":
        """Return the page; the first for what is no number, the last for a page that isn't there."""
        try:
            return self.page(number)
        except PageNotAnInteger:
            return self.page(1)
        except EmptyPage:
            return self.page(-1)


class LongListPage(_Page):
    """One page's rows; `goes_on` says whether there are more beyond it, seen from the end that it is counted from."""

    paginator: LongListPaginator

    def __init__(
        self, rows: Sequence[Any], number: int, paginator: LongListPaginator, *, goes_on: bool
    ) -> None:
        super().__init__(rows, number, paginator)
        self.goes_on = goes_on

    @property
    def position(self) -> str:
        """Which page it is, for people."""
        if self.number < -1:
            return f"Page {-self.number} from the end"
        if self.number == -1:
            return "Last page"
        if self.paginator.is_longer:
            return f"Page {self.number}"
        return f"Page {self.number} of {self.paginator.num_pages}"

    def has_next(self) -> bool:
        return self.goes_on if self.number > 0 else self.number < -1

    def has_previous(self) -> bool:
        return self.number > 1 if self.number > 0 else self.goes_on

    def next_page_number(self) -> int:
        """Return the number of the page that follows; only where there is one."""
        return self.number + 1

    def previous_page_number(self) -> int:
        """Return the number of the page before; only where there is one."""
        return self.number - 1


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
