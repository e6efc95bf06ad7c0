"""Where each region of Lever has its API and its pages."""

import pytest

from integrations.lever.regions import Region


@pytest.mark.parametrize(
    ("api", "page"),
    [
        ("https://api.lever.co/v1", "https://hire.lever.co/candidates/o-1"),
        ("https://api.sandbox.lever.co/v1", "https://hire.sandbox.lever.co/candidates/o-1"),
        ("http://127.0.0.1:9001/v1", "http://127.0.0.1:9001/candidates/o-1"),
    ],
)
def test_a_candidates_page_is_on_the_host_that_belongs_to_the_api(settings, api, page):
    settings.LEVER_API_URL = api
    assert Region.WORLDWIDE.candidate_page("o-1") == page


def test_an_id_cannot_leave_the_path(settings):
    settings.LEVER_API_URL = "https://api.lever.co/v1"
    assert Region.WORLDWIDE.candidate_page("../a?b#c") == "https://hire.lever.co/candidates/..%2Fa%3Fb%23c"


def test_an_account_in_the_eu_has_its_own_hosts():
    eu = Region.EU
    assert eu.candidate_page("o-1") == "https://hire.eu.lever.co/candidates/o-1"
    assert eu.webhooks_page().startswith("https://hire.eu.lever.co/")
    assert (eu.api_url, eu.audience) == ("https://api.eu.lever.co/v1", "https://api.eu.lever.co/v1/")


def test_there_is_no_choice_where_one_lever_serves_both_regions(settings):
    assert Region.is_chosen()
    settings.LEVER_EU_API_URL = settings.LEVER_API_URL
    assert not Region.is_chosen()
