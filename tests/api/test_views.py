"""The answers of `/api/v1/`, on the wire: rows, pages, refusals."""

import json
from base64 import b64encode
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from integrations.accounts.models.attempts import Limit
from integrations.api import views
from integrations.api.acts import API_TOKENS
from integrations.api.models import ApiScope, ApiToken
from integrations.core.verdict_code import VerdictCode
from integrations.invitations.models.candidate import Candidate
from integrations.store import database, triggers
from integrations.store.triggers import LONGEST_TRANSACTION
from tests.api.conftest import token_of
from tests.support import append_only, factories

pytestmark = pytest.mark.django_db
KEYED = [scope.value for scope in ApiScope if scope != ApiScope.FINDINGS]


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
    told, found = (
        [(one["code"], one["level"], one["message"], one["fix"]) for one in findings]
        for findings in (read("findings/").json()["results"], json.loads(out.getvalue()))
    )
    assert told == found


def test_details_keep_their_order_and_an_empty_text_is_null(read, one_of_each):
    [row] = read("results/").json()["results"]
    assert list(row["details"]) == ["z", "a"]
    assert (row["score"], row["failure_reason"], row["meets_bar"]) == (82.5, None, None)


def test_one_row_is_read_by_its_id_and_another_organizations_is_not_there(read, one_of_each):
    foreign = token_of(factories.OrganizationFactory.create())
    for kind, row in one_of_each.items():
        assert read(f"{kind}/{row.pk}/").json()["id"] == row.pk
        assert read(f"{kind}/{row.pk}/", foreign).status_code == 404
        assert read(f"{kind}/", foreign).json()["results"] == []


def test_a_time_or_a_cursor_that_is_none_is_refused_and_a_limit_left_to_the_portal(read, organization):
    for since in ("yesterday", "9999-12-31T23:59:59-14:00"):
        answer = read("candidates/", updated_since=since)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
        assert answer.json()["updated_since"]
    for cursor in ("nonsense", *(b64encode(b"p=" + to).decode() for to in (b"x", b"1.5", b"%00"))):
        assert read("candidates/", cursor=cursor).status_code == 404
    factories.CandidateFactory.create_batch(2, organization=organization)
    for query in ({"limit": 10**30}, {"limit": 0}, {"limit": "1e3"}, {"format": "api"}):
        assert len(read("candidates/", **query).json()["results"]) == 2


# who may read


@pytest.mark.parametrize("address", ["candidates/", "findings/", "results/1/"])
def test_nobody_reads_without_a_token(read, address):
    for sent, detail in (
        ("", "Send a token in the header"),
        ("cslp_unknown", "There is no such token"),
        ("é\x7f", "There is no such token"),
    ):
        answer = read(address, sent)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
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
    API_TOKENS.remove(ApiToken.objects.get(), "tests")
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
    monkeypatch.setattr(views, "PAGES", (Limit(3, 30.0),))
    for _ in range(3):
        assert read("findings/").status_code == 200
    answer = read("findings/")
    assert answer.status_code == 429
    assert 20 <= int(answer["Retry-After"]) <= 30
    assert read("findings/", token_of(organization, name="another")).status_code == 200


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
    page = read(address, **query).json()
    rows, until = page["results"], page["updated_until"]
    while page["next"]:
        page = read(page["next"]).json()
        rows += page["results"]
    return rows, until


def test_only_what_changed_since_is_told(read, organization, monkeypatch):
    monkeypatch.setattr(triggers, "LONGEST_TRANSACTION", timedelta(0))
    # else the portal adds the elapsed time up, and that may be ahead of the database's clock
    monkeypatch.setattr(database, "_last_reading", None)
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


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_committed_after_the_reading_is_told_the_next_time(read, organization):
    """Also where it is earlier than all that the reading told of."""
    late = factories.CandidateFactory.create(organization=organization)
    page = read("candidates/").json()
    Candidate.objects.filter(pk=late.pk).update(outcome="Passed")
    begun = timezone.now() - LONGEST_TRANSACTION + timedelta(seconds=5)
    append_only.overwrite(Candidate.objects.filter(pk=late.pk), updated_at=begun)
    [told] = read("candidates/", updated_since=page["updated_until"]).json()["results"]
    assert told["outcome"] == "Passed"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_saved_as_it_was_read_long_ago_counts_as_changed(read, organization):
    candidate = factories.CandidateFactory.create(organization=organization)
    stale = Candidate.objects.get(pk=candidate.pk)
    Candidate.objects.filter(pk=candidate.pk).update(outcome="Passed")
    changed = Candidate.objects.get(pk=candidate.pk).updated_at
    stale.save()
    assert Candidate.objects.get(pk=candidate.pk).updated_at >= changed > stale.updated_at


def test_a_verdict_that_was_replaced_is_told_again(read, organization):
    delivery = factories.DeliveryFactory.create(organization=organization)
    for code in (VerdictCode.PAUSED, VerdictCode.INVITE):
        _, until = read_all(read, "verdicts/")
        assert delivery.lease().decide(code, "It is so.")
        delivery.refresh_from_db()
    rows = read("verdicts/", updated_since=until).json()["results"]
    assert [(row["code"], row["is_current"]) for row in rows] == [("paused", False), ("invite", True)]


def test_all_candidates_are_read_once_each_while_rows_come_and_change(read, organization, monkeypatch):
    monkeypatch.setattr(views, "PAGES", ())
    number, new = 500, 0
    Candidate.objects.bulk_create(
        Candidate(organization=organization, opportunity_id=f"old-{n}", entered_at=timezone.now())
        for n in range(number)
    )
    page = read("candidates/", limit=50).json()
    rows, pages, until = page["results"], 1, page["updated_until"]
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
    changed, _ = read_all(read, "candidates/", updated_since=until)
    expected = {f"new-{n}" for n in range(new)}
    expected |= {f"old-{n}" for n in range(1, pages)} | {f"old-{number - n}" for n in range(1, pages)}
    assert expected <= {row["opportunity_id"] for row in changed}
    with connection.cursor() as cursor:
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        lately = triggers.changed_since(timezone.now())
        wanted = Candidate.objects.filter(lately, organization=organization, pk__gt=5).order_by("pk")
        sql, values = wanted[:1000].query.sql_with_params()
        cursor.execute(f"{explain} {sql}", values)
        assert "candidate_updated" in str(cursor.fetchall())
