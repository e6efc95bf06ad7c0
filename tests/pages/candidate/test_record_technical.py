"""The technical record: every row, the newest first, with repeated polls in one line."""

from django.urls import reverse

from integrations.pages.candidate.record import technical_record
from integrations.pages.candidate.rows import MOST, CandidateRows
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.page_text import text


def record(organization, opportunity_id, most=MOST):
    return technical_record(CandidateRows(organization, opportunity_id, most))


def test_the_newest_row_comes_first_and_repeated_polls_are_one_line(organization, super_admin_client):
    address = histories.make(organization, "passed")
    entries = record(organization, "o-passed").entries
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    page = text(super_admin_client.get(f"{address}?show=technical&all"))
    assert "asked 60 times with the same answer" in page
    assert "asked 15 times with the same answer" in page
    assert page.count("GET /assessments/instances/") == 2


def test_the_record_says_when_there_is_more(organization, super_admin_client):
    address = histories.make(organization, "passed")
    made = histories.History(organization, "passed", factories.a_moment_ago())
    for number in range(MOST):
        made.call("POST", f"/{number}")
    page = text(super_admin_client.get(f"{address}?show=technical"))
    assert "The newest 50 of each kind are shown." in page
    assert "Show more" in page
    assert record(organization, "o-passed").is_cut
    assert "Show more" not in text(super_admin_client.get(f"{address}?show=technical&all"))


def test_no_secret_and_no_address_is_shown(super_admin_client, organization):
    payload = {
        "token": "the-token",
        "signature": "the-signature",
        "data": {"email": "alder@candidates.example"},
    }
    factories.DeliveryFactory.create(organization=organization, opportunity_id="o-1", payload=payload)
    page = text(super_admin_client.get(f"{reverse('candidate', args=['o-1'])}?show=technical"))
    assert "Stage change" in page
    for secret in ("the-token", "the-signature", "alder@candidates.example"):
        assert secret not in page
