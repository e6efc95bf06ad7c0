"""Links to Lever's own pages."""

import pytest

from integrations.lever.lookups import candidate_page


@pytest.mark.parametrize(
    ("api", "page"),
    [
        ("https://api.lever.co/v1", "https://hire.lever.co/candidates/o-1"),
        ("https://api.sandbox.lever.co/v1", "https://hire.sandbox.lever.co/candidates/o-1"),
        ("https://api.eu.lever.co/v1", "https://hire.eu.lever.co/candidates/o-1"),
        ("http://127.0.0.1:9001/v1", "http://127.0.0.1:9001/candidates/o-1"),
    ],
)
def test_a_candidates_page_is_on_the_host_that_belongs_to_the_api(settings, api, page):
    settings.LEVER_API_URL = api
    assert candidate_page("o-1") == page


def test_an_id_cannot_leave_the_path(settings):
    settings.LEVER_API_URL = "https://api.lever.co/v1"
    assert candidate_page("../a?b#c") == "https://hire.lever.co/candidates/..%2Fa%3Fb%23c"
