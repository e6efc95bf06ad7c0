"""Each organization gets its share of a claim, and the walk along the organizations goes on where it ended."""

from integrations.store.claims import Offer, Turns


def offer(organization_id: int, leases: int = 0, place: int = 1, is_due: bool = True) -> Offer:
    return Offer(organization_id, place, leases, organization_id * 100 if is_due else None)


def shares(turns: Turns, offers: list[Offer], most: int) -> dict[int, int]:
    return {offer.organization_id: share for offer, share in turns.shares(offers, most).items()}


def test_an_organization_alone_gets_the_whole_batch():
    assert shares(Turns(), [offer(7)], 5) == {7: 5}


def test_organizations_with_equally_few_leases_get_equally_many_rows_from_the_next_in_turn_on():
    assert shares(Turns(last_served=2), [offer(1), offer(2), offer(3)], 4) == {3: 2, 1: 1, 2: 1}


def test_an_organization_with_leases_gets_rows_when_the_others_have_as_many():
    assert shares(Turns(), [offer(1, leases=2), offer(2)], 2) == {2: 2}
    assert shares(Turns(), [offer(1, leases=2), offer(2)], 4) == {2: 3, 1: 1}


def test_an_organization_without_a_due_row_gets_none():
    assert shares(Turns(), [offer(1, is_due=False), offer(2)], 3) == {2: 3}
    assert shares(Turns(), [offer(1, is_due=False)], 3) == {}


def test_the_walk_goes_on_behind_its_last_organization_and_begins_anew_after_the_last_of_all():
    turns = Turns()
    turns.go_on([offer(1, place=1), offer(4, place=2), offer(9, place=0)], 2)
    assert turns.walked_to == 4
    turns.go_on([offer(6, place=1), offer(9, place=0)], 2)
    assert turns.walked_to == 0
    turns.go_on([], 2)
    assert turns.walked_to == 0
