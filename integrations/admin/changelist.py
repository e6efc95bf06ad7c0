"""The admin's lists: pages from both ends, and of each row only the columns that the list shows."""

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.http import HttpRequest
from django.utils.text import capfirst

from integrations.admin.export import ExportMixin
from integrations.pagination import LongListPage, LongListPaginator


class LongChangeList(ChangeList):
    """A list that takes as long for a million rows as for a thousand."""

    page: LongListPage
    model_admin: ExportMixin

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        """Read the page that the address names, the last when there is no such page."""
        rows = self.queryset.defer(*self.model_admin.list_defer)
        paginator = LongListPaginator(rows, self.list_per_page)
        self.page = paginator.get_page(self.page_num)
        self.model_admin.complete(list(self.page.object_list))
        self.paginator, self.result_list, self.result_count = (
            paginator,
            self.page.object_list,
            paginator.count,
        )
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions = True
        self.can_show_all, self.multi_page = False, self.page.has_other_pages()

    def page_links(self) -> list[tuple[str, str]]:
        """Return the links to other pages: their names and addresses."""
        page, links = self.page, list[tuple[str, int]]()
        if page.has_previous():
            links += [("First", 1), ("Previous", page.previous_page_number())]
        if page.has_next():
            links += [("Next", page.next_page_number()), ("Last", -1)]
        return [(name, self._page_address(number)) for name, number in links]

    def _page_address(self, number: int) -> str:
        changed: dict[str, Any] = {PAGE_VAR: number}
        return self.get_query_string(changed)
