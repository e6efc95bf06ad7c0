"""The page of what is held about a candidate, and its download."""

import json
from itertools import chain

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.utils.text import capfirst

from integrations.audit.models.entry import AuditAction
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.privacy.acts import HeldTable
from integrations.privacy.data_inventory import PROCESSING, candidate_tables
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.factories import recorded


@pytest.fixture
def address(organization):
    factories.InvitationFactory.create(
        organization=organization, opportunity_id="opportunity/1", candidate_name="Alder <Grey>"
    )
    return reverse("candidate-data", kwargs={"opportunity_id": "opportunity/1"})


def test_the_page_shows_each_row_and_is_recorded_without_the_name(super_admin_client, address):
    page = super_admin_client.get(address).content.decode()
    assert "Alder &lt;Grey&gt;" in page
    assert "at the latest 365 days after the end" in page
    assert all(capfirst(escape(sentence)) in page for sentence in chain(*PROCESSING.values()))
    entry = recorded().get()
    assert (entry.action, entry.changes["opportunity_id"]) == ("look_at_data", [None, "opportunity/1"])
    assert entry.changes["rows"][1] > 0
    assert "Alder" not in str(entry.changes)


def test_the_page_is_read_by_people_and_says_each_thing_once(super_admin_client, organization, super_admin):
    histories.make(organization, "passed")
    Result.objects.update(details_json='{"issueCount": 10}', report_url="https://reports.example/r/1")
    result, opportunity_id = Result.objects.get(), "o-passed"
    page = super_admin_client.get(reverse("candidate-data", args=[opportunity_id])).content.decode()
    main = page.split("<main", 1)[1].split("</main>")[0]
    for said in ("Issue count", result.label, "https://reports.example/r/1</a>"):
        assert main.count(said) == 1, said
    assert Invitation.objects.get().email in main
    for key in ("issueCount", "delivery_id", "{", f"result:{result.pk}:"):
        assert key not in main, key
    assert main.count(opportunity_id) <= 5  # once to be read, the others in the addresses of tabs


def test_the_download_is_a_file_and_recorded(super_admin_client, address):
    answer = super_admin_client.post(address)
    assert answer["Content-Disposition"] == 'attachment; filename="candidate-opportunity-1.json"'
    assert json.loads(answer.content)["tables"][0]["rows"][0]["candidate_name"] == "Alder <Grey>"
    entry = recorded().get()
    assert entry.action == AuditAction.SUBJECT_ACCESS
    assert entry.changes["opportunity_id"] == [None, "opportunity/1"]


@pytest.mark.parametrize("table", candidate_tables(), ids=lambda table: table.model.__name__)
def test_how_long_rows_are_kept_is_said_without_a_policys_name(table):
    assert "_" not in HeldTable(table, ()).how_long
