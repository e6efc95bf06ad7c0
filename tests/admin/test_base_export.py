"""Any list of the admin as a file: what the list shows, filtered, scoped and recorded."""

import csv
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from integrations.audit.models.entry import AuditEntry
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from tests.admin.conftest import SECRETS, Customer, sign_in
from tests.admin.test_scope import ALLOWED, OWNED
from tests.support import factories


def download(client, model: Any, query: str = "", form: str = "csv") -> str:
    url = reverse(f"admin:integrations_{model._meta.model_name}_export") + query
    answer = client.post(url, {"format": form})
    assert answer.status_code == 200, answer
    assert answer["Content-Disposition"].startswith("attachment")
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_the_file_has_the_rows_and_columns_of_the_list(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    header, *rows = csv.reader(download(client, Invitation).splitlines())
    assert header[:3] == ["number", "created at", "candidate"]
    [row] = rows
    assert row[0] == str(acme.rows[Invitation].pk)
    assert row[2] == "Candidate of acme"
    assert "On hold" in row
    assert "globex" not in str(rows)


def test_json_lines_name_the_columns(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    [line] = download(client, Delivery, form="jsonl").splitlines()
    row = json.loads(line)
    assert row["id"] == acme.rows[Delivery].pk
    assert row["candidate"] == "Candidate of acme"
    assert row["verdict"] == "On hold"
    assert row["received_at"].endswith("+00:00")


def test_filters_and_searches_of_the_list_hold_for_the_file(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    factories.InvitationFactory.create(organization=acme.organization, candidate_name="=Candidate Birch")
    assert len(download(client, Invitation, "?status__exact=held").splitlines()) == 2
    found = download(client, Invitation, "?q=Birch").splitlines()
    assert len(found) == 2
    assert "'=Candidate Birch" in found[1]


def test_more_rows_than_are_read_at_once_need_no_more_queries_each(
    acme: Customer, django_assert_max_num_queries
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    for number in range(60):
        factories.EffectFactory.create(organization=acme.organization, opportunity_id=f"o-{number}")
    with django_assert_max_num_queries(25):
        assert len(download(client, Effect).splitlines()) == 62


@pytest.mark.parametrize("role", ALLOWED)
def test_every_list_can_be_downloaded_without_others_rows_and_without_secrets(
    acme: Customer, globex: Customer, role: str, subtests: pytest.Subtests
) -> None:
    client = sign_in(role, acme)
    for model in OWNED:
        for form in ("csv", "jsonl"):
            with subtests.test(model=model, form=form):
                text = download(client, model, form=form)
                assert text
                assert "globex" not in text.lower()
                assert not [secret for secret in SECRETS if secret in text]


def test_each_download_is_recorded_without_what_was_searched_for(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    download(client, Invitation, "?q=Alder&status__exact=held")
    entry = AuditEntry.objects.get(action="export_list")
    assert entry.organization == acme.organization
    assert entry.changes == {
        "list": [None, "invitations"],
        "filters": [None, "q=…, status__exact=held"],
        "format": [None, "csv"],
    }


@pytest.mark.parametrize("written", ["Alder Birch", "alder@candidates.example", "Åström"])
def test_a_download_is_recorded_without_a_person_in_the_place_of_a_filters_value(
    acme: Customer, written: str
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    download(client, AuditEntry, f"?{urlencode({'about': written, 'period': 'week'})}")
    entry = AuditEntry.objects.get(action="export_list")
    assert entry.changes["filters"] == [None, "about=…, period=week"]


def test_a_download_is_recorded_whatever_organization_its_address_names(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    text = download(client, Invitation, "?organization=0")
    assert "Candidate of acme" not in text
    assert AuditEntry.objects.get(action="export_list").organization == acme.organization


def test_an_operators_download_is_in_the_log_of_the_whole_portal(acme: Customer) -> None:
    client = sign_in(None, is_superuser=True)
    download(client, Incident)
    assert AuditEntry.objects.get(action="export_list").organization is None
    download(client, Incident, f"?organization={acme.organization.pk}")
    assert AuditEntry.objects.filter(action="export_list", organization=acme.organization).count() == 1


@pytest.mark.parametrize("role", [Membership.Role.LIMITED_TEAM_MEMBER, None])
def test_who_may_not_see_the_list_gets_no_file(acme: Customer, role: str | None) -> None:
    client = sign_in(role, acme)
    url = reverse("admin:integrations_invitation_export")
    assert client.post(url, {"format": "csv"}).status_code == 403
    assert not AuditEntry.objects.filter(action="export_list").exists()


@pytest.mark.parametrize("query", ["", "?until=nothing"])
def test_what_is_no_download_leads_to_the_list(acme: Customer, query: str) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    url = reverse("admin:integrations_invitation_export") + query
    form = {"format": "csv"} if query else {}
    assert client.post(url, form)["Location"] == reverse("admin:integrations_invitation_changelist")
    assert not AuditEntry.objects.filter(action="export_list").exists()
