"""Pages of long lists: from both ends, counted no further than people count."""

from typing import Any

import pytest
from django.core.paginator import EmptyPage, PageNotAnInteger
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from integrations import lists
from integrations.catalog.models.platform_lists import Stage
from integrations.lists import LongListPaginator
from integrations.organizations.models.organization import Organization

pytestmark = pytest.mark.django_db

PER_PAGE = 4


@pytest.fixture
def stages(organization: Organization) -> QuerySet[Any]:
    """Ten stages, by position."""
    Stage.objects.bulk_create(
        Stage(
            organization=organization, external_id=f"stage-{number}", name=f"Stage {number}", position=number
        )
        for number in range(10)
    )
    return Stage.objects.filter(organization=organization).order_by("position")


@pytest.fixture(params=[False, True], ids=["counted to its end", "longer than was counted"])
def is_longer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        monkeypatch.setattr(lists, "COUNTED", 7)
    return bool(request.param)


def positions(paginator: LongListPaginator, number: int | str) -> list[int]:
    return [stage.position for stage in paginator.page(number)]


def test_every_row_is_reached_by_following_next_and_previous(stages: QuerySet[Any], is_longer: bool) -> None:
    paginator = LongListPaginator(stages, PER_PAGE)
    page, forward = paginator.page(1), []
    while True:
        forward += [stage.position for stage in page]
        if not page.has_next():
            break
        page = paginator.page(page.next_page_number())
    assert forward == list(range(10))
    page = paginator.page(-1)
    assert [stage.position for stage in page][-1] == 9
    assert not page.has_next()
    backward = {stage.position for stage in page}
    while page.has_previous():
        page = paginator.page(page.previous_page_number())
        backward |= {stage.position for stage in page}
    assert backward == set(range(10))


def test_a_list_counted_to_its_end_says_how_many_rows_and_pages_it_has(stages: QuerySet[Any]) -> None:
    paginator = LongListPaginator(stages, PER_PAGE)
    assert (paginator.count_text, paginator.page(-1).position) == ("10", "Page 3 of 3")
    assert positions(paginator, -1) == [8, 9]


def test_a_longer_list_says_that_it_has_more_rows_than_were_counted(
    stages: QuerySet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED", 7)
    paginator = LongListPaginator(stages, PER_PAGE)
    assert (paginator.count, paginator.count_text) == (7, "more than 7")
    assert [paginator.page(number).position for number in (2, -1, -2)] == [
        "Page 2",
        "Last page",
        "Page 2 from the end",
    ]
    assert positions(paginator, -1) == [6, 7, 8, 9]
    assert positions(paginator, -2) == [2, 3, 4, 5]


@pytest.mark.parametrize("number", [0, 4, -4, 10**30, -(10**30)])
def test_a_page_that_is_not_there_is_refused(stages: QuerySet[Any], is_longer: bool, number: int) -> None:
    with pytest.raises(EmptyPage):
        LongListPaginator(stages, PER_PAGE).page(number)


@pytest.mark.parametrize("number", ["x", "", "9" * 5000])
def test_a_page_that_is_no_number_is_refused(stages: QuerySet[Any], number: str) -> None:
    with pytest.raises(PageNotAnInteger):
        LongListPaginator(stages, PER_PAGE).page(number)


@pytest.mark.parametrize(
    ("number", "shown"), [("x", [0, 1, 2, 3]), (None, [0, 1, 2, 3]), ("99", [8, 9]), ("-9", [8, 9])]
)
def test_a_visitor_gets_a_page_whatever_the_address_says(
    stages: QuerySet[Any], number: str | None, shown: list[int]
) -> None:
    assert [stage.position for stage in LongListPaginator(stages, PER_PAGE).get_page(number)] == shown


def test_an_empty_list_has_one_empty_page(organization: Organization) -> None:
    page = LongListPaginator(
        Stage.objects.filter(organization=organization).order_by("pk"), PER_PAGE
    ).get_page(-1)
    assert (list(page), page.has_other_pages(), page.position) == ([], False, "Page 1 of 1")


@pytest.mark.parametrize(("few", "most"), [(5, 2), (1_000, 3)])
def test_a_page_takes_few_queries_and_none_reads_more_rows_than_are_counted(
    stages: QuerySet[Any], is_longer: bool, monkeypatch: pytest.MonkeyPatch, few: int, most: int
) -> None:
    monkeypatch.setattr(lists, "_FEW", few)
    with CaptureQueriesContext(connection) as queries:
        shown = [stage.position for stage in LongListPaginator(stages, PER_PAGE).page(2)]
    assert shown == [4, 5, 6, 7]
    assert len(queries) == most
    assert all("LIMIT" in query["sql"] for query in queries.captured_queries)


def test_an_empty_list_is_not_read_after_it_was_counted(stages: QuerySet[Any]) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert list(LongListPaginator(stages.filter(name="none"), PER_PAGE).page(1)) == []
    assert len(queries) == 1
