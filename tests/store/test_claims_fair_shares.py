"""Each organization gets its share of a claim, and the walk along the organizations goes on where it ended."""

import pytest

from integrations.store.claims import Offer, Turns


def offer(organization_id: int, leases: int = 0, place: int = 1, is_due: bool = True) -> Offer:
    return Offer(organization_id, place, leases, organization_id * 100 if is_due else None)


@pytest.mark.parametrize(
    ("offers", "most", "shares"),
    [
        pytest.param([offer(7)], 5, {7: 5}, id="one alone gets all"),
        pytest.param(
            [offer(1), offer(2), offer(3)], 4, {3: 2, 1: 1, 2: 1}, id="equals from the next in turn on"
        ),
        pytest.param([offer(1, leases=2), offer(4)], 2, {4: 2}, id="who has leases waits"),
        pytest.param([offer(1, leases=2), offer(4)], 4, {4: 3, 1: 1}, id="until the others have as many"),
        pytest.param([offer(1, is_due=False), offer(2)], 3, {2: 3}, id="nothing is due for one"),
        pytest.param([offer(1, is_due=False)], 3, {}, id="nothing is due"),
    ],
)
def test_every_row_goes_to_the_organization_with_the_fewest_leases(offers, most, shares):
    given = Turns(last_served=2).shares(offers, most)
    assert {offer.organization_id: share for offer, share in given.items()} == shares


def test_the_walk_goes_on_behind_its_last_organization_and_begins_anew_after_the_last_of_all():
    turns = Turns()
    turns.go_on([offer(1, place=1), offer(4, place=2), offer(9, place=0)], 2)
    assert turns.walked_to == 4
    turns.go_on([offer(6, place=1), offer(9, place=0)], 2)
    assert turns.walked_to == 0
    turns.go_on([], 2)
    assert turns.walked_to == 0
