"""The ids of seeded rows are stable."""

from portal.devtools.sandbox.values import stable_id


def test_stable_ids_match_the_seeded_candidates(sandbox):
    assert sandbox.opportunity_id("Alder") == stable_id("acme", "opportunity", "Alder")
