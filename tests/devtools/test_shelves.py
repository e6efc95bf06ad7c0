"""The contract of the shelves finds what climbs, what stands nowhere, and rooms that import each other."""

import pytest
from grimp import ImportGraph

from portal.devtools.shelves import ShelvesContract

SHELVES = ["house.pages", "house.*.acts", "house.inbox | house.outbox", "house.*.models", "house.http"]
FITTING = {
    "house.pages.list": ["house.inbox.acts", "house.outbox.models.effect", "house.http"],
    "house.inbox.acts": ["house.outbox.acts.retry", "house.inbox.deciding"],
    "house.inbox.deciding": ["house.inbox.models", "house.outbox.step", "django"],
    "house.outbox.step": ["house.outbox.models.effect"],
    "house.outbox.models.effect": ["house.inbox.models"],
}


def problems(imports: dict[str, list[str]]) -> list[str]:
    """Return what the contract finds in a house with these imports."""
    graph = ImportGraph()
    graph.add_module("house")
    for importer, imported in imports.items():
        for name in imported:
            graph.add_import(importer=importer, imported=name)
    contract = ShelvesContract("shelves", {"root_packages": ["house"]}, {"shelves": SHELVES})
    check = contract.check(graph, verbose=False)
    assert check.kept == (not check.metadata["problems"])
    return list(check.metadata["problems"])


def test_a_house_is_kept_when_its_imports_point_down():
    assert problems(FITTING) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("house.http", "house.pages.list"),
        ("house.inbox.models", "house.outbox.step"),
        ("house.outbox.step", "house.inbox.acts"),
    ],
)
def test_an_import_is_refused_when_it_climbs(importer, imported):
    assert problems(FITTING | {importer: [imported]}) == [
        f"{importer} imports {imported}, which stands on a higher shelf."
    ]


def test_a_module_is_named_when_it_stands_on_no_shelf():
    assert problems({"house.attic": ["house.http"]}) == ["house.attic stands on no shelf."]


def test_rooms_of_one_shelf_are_named_when_they_import_each_other():
    [problem] = problems(FITTING | {"house.inbox.models": ["house.outbox.models.effect"]})
    assert problem.startswith("Rooms of one shelf import each other: house.")
    assert {"house.inbox.models", "house.outbox.models"} <= set(problem.rstrip(".").split())
