"""The answers of `/api/v1/`, on the wire: rows, filters, pages, refusals."""

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from integrations.accounts.models.sessions import Limit
from integrations.api import access
from integrations.api.acts import revoke_token
from integrations.api.lists import LISTS
from integrations.api.models import ApiToken
from integrations.core.verdict_code import VerdictCode
from integrations.invitations.models.candidate import Candidate
from integrations.store import updated_at
from tests.api.conftest import token_of
from tests.support import factories

pytestmark = pytest.mark.django_db
KEYED = [one.scope.value for one in LISTS if one.rows]


@pytest.mark.parametrize("kind", KEYED)
def test_a_row_is_as_export_writes_it(read, organization, one_of_each, kind):
    page = read(f"{kind}/").json()
    out = StringIO()
    call_command("export", kind, organization.slug, stdout=out)
    assert page["results"] == [json.loads(out.getvalue())]
    assert page["results"][0]["id"] == one_of_each[kind].pk
    assert page["next"] is None
    assert "alder" not in json.dumps(page).lower()


def test_findings_are_what_the_doctor_says(read, organization):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", organization.slug, "--json", stdout=out)
    page = read("findings/").json()
    told = [{key: one[key] for key in ("code", "level", "message", "fix")} for one in page["results"]]
    assert told == [
        {key: one[key] for key in ("code", "level", "message", "fix")} for one in json.loads(out.getvalue())
    ]
    assert len({one["id"] for one in page["results"]}) == len(told)
    [error] = read("findings/", code="lever_not_connected").json()["results"]
    assert error["level"] == "error"
    assert read("findings/", level="info").json()["results"] == []


def test_details_keep_their_order_and_an_empty_text_is_null(read, one_of_each):
    [row] = read("results/").json()["results"]
    assert list(row["details"]) == ["z", "a"]
    assert (row["score"], row["failure_reason"], row["meets_bar"]) == (82.5, None, None)


FILTERS = [
    ("candidates", {"opportunity_id": "opportunity-1"}, {"opportunity_id": "o"}),
    ("candidates", {"role": "Backend Engineer"}, {"role": "Backend"}),
    ("candidates", {"stage": "CodeScreen Assessment"}, {"stage": "Other"}),
    ("candidates", {"assessment": "Backend"}, {"assessment": "Design"}),
    ("candidates", {"outcome": "Passed"}, {"outcome": "Failed"}),
    ("candidates", {"not_invited": "false"}, {"not_invited": "true"}),
    ("invitations", {"status": "completed"}, {"status": "held"}),
    ("invitations", {"assessment": "Backend"}, {"assessment": "Design"}),
    ("results", {"opportunity_id": "opportunity-1"}, {"opportunity_id": "o"}),
    ("results", {"outcome": "Passed"}, {"outcome": "Expired"}),
    ("results", {"invitation_id": None}, {"invitation_id": 10**17}),
    ("verdicts", {"code": "invite"}, {"code": "paused"}),
    ("verdicts", {"is_current": "true"}, {"is_current": "false"}),
    ("verdicts", {"opportunity_id": "opportunity-1"}, {"opportunity_id": "o"}),
]


@pytest.mark.parametrize(("kind", "matching", "other"), FILTERS)
def test_a_filter_shows_what_matches(read, one_of_each, kind, matching, other):
    given = {
        name: one_of_each["invitations"].pk if value is None else value for name, value in matching.items()
    }
    assert len(read(f"{kind}/", **given).json()["results"]) == 1
    assert read(f"{kind}/", **other).json()["results"] == []


WRONG = [
    ({"cursor": "nonsense"}, "cursor", "This is no cursor of this list."),
    ({"updated_since": "yesterday"}, "updated_since", "Write it as 2027-01-31T08:00:00Z."),
    ({"updated_since": "9999-12-31T23:59:59-14:00"}, "updated_since", ""),
    ({"limit": 10**30}, "limit", "less than or equal to 1000"),
    ({"limit": 0}, "limit", "greater than or equal to 1"),
    ({"limit": "1e3"}, "limit", "A valid integer"),
    ({"role": "a\0b"}, "role", "Null characters are not allowed."),
    ({"a\0b": "x"}, "a\0b", "There is no such parameter."),
    ({"update_since": "2027-01-31"}, "update_since", "There is no such parameter. There are: cursor, limit"),
    ({"format": "api"}, "format", "There is no such parameter."),
    ({"outcome": "passed"}, "outcome", "is not a valid choice"),
    ({"not_invited": "maybe"}, "not_invited", "Must be a valid boolean."),
]


@pytest.mark.parametrize(("query", "name", "error"), WRONG)
def test_a_wrong_parameter_is_named_in_json(read, query, name, error):
    answer = read("candidates/", **query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert error in answer.json()[name][0]


def test_a_number_that_no_database_holds_is_refused(read):
    assert read("results/", invitation_id=10**40).status_code == 400


def test_a_cursor_belongs_to_its_list_and_organization(read, organization):
    factories.CandidateFactory.create_batch(2, organization=organization)
    cursor = read("candidates/", limit=1).json()["next"].rpartition("cursor=")[2]
    assert read(f"candidates/?cursor={cursor}&limit=1").status_code == 200
    assert read(f"invitations/?cursor={cursor}").status_code == 400
    stranger = token_of(factories.OrganizationFactory.create())
    assert read(f"candidates/?cursor={cursor}", stranger).status_code == 400


def test_another_organizations_rows_are_never_there(read, organization, one_of_each):
    stranger = token_of(factories.OrganizationFactory.create())
    for kind in KEYED:
        assert read(f"{kind}/", stranger).json()["results"] == []
        assert read(f"{kind}/", stranger, opportunity_id="opportunity-1").status_code == (200)


# who may read


REFUSED = [
    ("", 401, "Send a token in the header"),
    ("cslp_unknown", 401, "There is no such token"),
    ("é\x7f", 401, "There is no such token"),
]


@pytest.mark.parametrize(("sent", "status", "detail"), REFUSED)
@pytest.mark.parametrize("address", ["", "candidates/", "nothing/"])
def test_nobody_reads_without_a_token(read, sent, status, detail, address):
    answer = read(address, sent)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (status, "Bearer")
    assert detail in answer.json()["detail"]


def test_an_expired_token_says_when_it_ended(read, token):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=1))
    answer = read("candidates/")
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("This token ended on ")


def test_a_token_reads_its_scopes_alone(read, organization):
    narrow = token_of(organization, "results", "verdicts", name="narrow")
    assert read("results/", narrow).status_code == 200
    answer = read("candidates/", narrow)
    assert answer.status_code == 403
    assert "doesn't have the scope candidates. It has: results, verdicts." in answer.json()["detail"]


def test_a_token_that_is_revoked_while_its_program_pages_reads_no_further(read, organization):
    factories.CandidateFactory.create_batch(5, organization=organization)
    page = read("candidates/", limit=2).json()
    revoke_token(ApiToken.objects.get(), "tests")
    answer = read(page["next"])
    assert answer.status_code == 401
    assert "perhaps it was revoked" in answer.json()["detail"]
    another = token_of(organization, name="another")
    assert len(read(page["next"], another).json()["results"]) == 2


def test_the_last_use_is_written_once_a_minute(read, token):
    read("candidates/")
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    read("candidates/")
    assert ApiToken.objects.get().last_used_at == used


def test_too_many_pages_are_refused_until_it_is_time(read, organization, monkeypatch):
    monkeypatch.setattr(access, "PAGES", (Limit(3, 30.0),))
    for _ in range(3):
        assert read("").status_code == 200
    answer = read("")
    assert answer.status_code == 429
    assert 20 <= int(answer["Retry-After"]) <= 30
    assert read("", token_of(organization, name="another")).status_code == 200


def test_what_is_not_there_is_404_in_json(read):
    for address in ("nothing/", "candidates/1/", "schema/x/", "a\0b/"):
        answer = read(address)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert "There are: candidates, invitations" in answer.json()["detail"]


def test_other_methods(read):
    head = read("candidates/", method="head")
    assert (head.status_code, head.content) == (200, b"")
    assert read("candidates/", method="options").status_code == 200
    for method in ("post", "put", "patch", "delete"):
        answer = read("candidates/", method=method)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_erased_people_stay_erased(read, organization, one_of_each):
    before = read("candidates/").json()["updated_until"]
    call_command("forget", organization.slug, "opportunity-1", stdout=StringIO())
    [row] = read("candidates/", updated_since=before).json()["results"]
    assert row["erased_at"] is not None
    assert row["assessment"] is None
    [verdict] = read("verdicts/", updated_since=before).json()["results"]
    assert verdict["explanation"] is None
    [result] = read("results/", updated_since=before).json()["results"]
    assert (result["details"], result["report_url"]) == ({}, None)


# pages and changes


def read_all(read, address: str, **query) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of all pages, and from when on to ask the next time."""
    page, rows = read(address, **query).json(), []
    rows += page["results"]
    while page["next"]:
        page = read(page["next"]).json()
        rows += page["results"]
    return rows, page["updated_until"]


def test_only_what_changed_since_is_told(read, organization, monkeypatch):
    monkeypatch.setattr(updated_at, "_MARGIN", timedelta(0))
    first, second = factories.CandidateFactory.create_batch(2, organization=organization)
    _, until = read_all(read, "candidates/")
    second.outcome = "Failed"
    second.save()
    assert [row["id"] for row in read("candidates/", updated_since=until).json()["results"]] == [second.pk]
    Candidate.objects.filter(pk=first.pk).update(people_read_at=timezone.now())
    assert [row["id"] for row in read("candidates/", updated_since=until).json()["results"]] == [second.pk]


def test_a_row_is_told_to_who_asks_from_its_own_time_on(read, organization):
    factories.CandidateFactory.create(organization=organization)
    [row] = read("candidates/").json()["results"]
    for since in (row["updated_at"], "0001-01-01T00:00:00Z"):
        assert read("candidates/", updated_since=since).json()["results"] == [row]
    later = datetime.fromisoformat(row["updated_at"]) + timedelta(milliseconds=1)
    assert read("candidates/", updated_since=later.isoformat()).json()["results"] == []


def test_a_verdict_that_was_replaced_is_told_again(read, organization):
    delivery = factories.DeliveryFactory.create(organization=organization)
    for code in (VerdictCode.PAUSED, VerdictCode.INVITE):
        _, until = read_all(read, "verdicts/")
        assert delivery.lease().decide(code, "It is so.")
        delivery.refresh_from_db()
    rows = read("verdicts/", updated_since=until).json()["results"]
    assert [(row["code"], row["is_current"]) for row in rows] == [("paused", False), ("invite", True)]


@pytest.mark.slow
def test_a_hundred_thousand_candidates_are_read_once_each_while_rows_come_and_change(
    read, organization, monkeypatch
):
    monkeypatch.setattr(access, "PAGES", ())
    number, new = 100_000, 0
    Candidate.objects.bulk_create(
        (
            Candidate(organization=organization, opportunity_id=f"old-{n}", entered_at=timezone.now())
            for n in range(number)
        ),
        batch_size=5_000,
    )
    page = read("candidates/", limit=1000).json()
    rows, pages = page["results"], 1
    while page["next"]:
        # one that was read, one that wasn't, and a new one
        Candidate.objects.filter(opportunity_id__in=[f"old-{pages}", f"old-{number - pages}"]).update(
            outcome="Passed"
        )
        factories.CandidateFactory.create(organization=organization, opportunity_id=f"new-{new}")
        new += 1
        page = read(page["next"]).json()
        rows += page["results"]
        pages += 1
    ids = [row["opportunity_id"] for row in rows]
    assert len(set(ids)) == len(ids) == number + new
    changed, _ = read_all(read, "candidates/", updated_since=page["updated_until"])
    expected = {f"new-{n}" for n in range(new)}
    expected |= {f"old-{n}" for n in range(1, pages)} | {f"old-{number - n}" for n in range(1, pages)}
    assert expected <= {row["opportunity_id"] for row in changed}
    with connection.cursor() as cursor:
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        lately = updated_at.changed_since(timezone.now())
        wanted = Candidate.objects.filter(lately, organization=organization, pk__gt=5).order_by("pk")
        sql, values = wanted[:1000].query.sql_with_params()
        cursor.execute(f"{explain} {sql}", values)
        assert "candidate_updated" in str(cursor.fetchall())
