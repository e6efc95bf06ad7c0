"""Deleted, anonymized and archived in Lever, forgotten, past retention: what stays of each of them in the portal."""

import json
import logging
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy import lever_changes
from integrations.privacy.models import Erasure
from tests.management.conftest import printed_by
from tests.privacy.test_lever_changes import follow
from tests.privacy.traces import traces, traces_in_files
from tests.support import factories

PEOPLE = {
    "Alder": ("Candidate Alder", "alder@candidates.example"),
    "Birch": ("Candidate Birch", "birch@candidates.example"),
    "Cedar": ("Candidate Cedar", "cedar@candidates.example"),
}


def invite_and_evaluate(scenario, word: str) -> str:
    """Take one candidate to a result through the webhook, and return the opportunity's id."""
    opportunity_id = scenario.sandbox.opportunity_id(word)
    invitation = scenario.sent_invitation(word)
    scenario.candidate_does("start", "submit", "evaluate", word=word)
    assert scenario.reread(invitation).status == "completed"
    return opportunity_id


def leave_traces(scenario, word: str) -> None:
    """Store the person's name and address wherever a text may hold them."""
    name, address = PEOPLE[word]
    opportunity_id = scenario.sandbox.opportunity_id(word)
    organization = scenario.organization
    own = {"organization": organization, "opportunity_id": opportunity_id}
    factories.DeliveryFactory.create(
        **own,
        payload={"id": "w1", "data": {"opportunityId": opportunity_id, "note": f"{name} <{address}>"}},
        verdict="no_email",
        explanation=f"{name} has no address.",
        assessment_written=name,
        decided_at=timezone.now(),
        due_at=None,
        last_error=f"answered about {address}",
        traceback=f"ValueError: {name}",
    )
    for path in ("/opportunities", f"/opportunities?email={address.replace('@', '%40')}"):
        for linked in ("", opportunity_id):
            factories.ApiCallFactory.create(
                organization=organization,
                opportunity_id=linked,
                path=path,
                request_body=json.dumps({"email": address}),
                response_body=json.dumps([{"name": name}, {"name": "Candidate Dogwood"}]),
                error=f"{address} was not found",
            )
    invitation = Invitation.objects.get(**own)
    invitation.results.update(
        details_json=json.dumps({"who": [name]}), report_url=f"https://codescreen.example/r?c={address}"
    )
    AuditEntry.objects.create(
        organization=organization,
        actor_name="test",
        action=AuditAction.REPLAY,
        target_kind="invitation",
        target_id=invitation.pk,
        target=f"Invitation of {name}",
        changes={"email": ["", address]},
        reason=f"{name} asked for it",
    )


@pytest.fixture
def people(scenario):
    """Three invited candidates with results, and texts about each of them everywhere."""
    ids = {word: invite_and_evaluate(scenario, word) for word in PEOPLE}
    for word in PEOPLE:
        leave_traces(scenario, word)
        assert len(traces(*PEOPLE[word])) > 10
    return ids


def assert_receipt_is_true(organization: Organization, opportunity_id: str) -> Erasure:
    erasure = Erasure.objects.get(organization=organization, opportunity_id=opportunity_id)
    assert erasure.rows["integrations_invitation"] == 1
    assert (
        erasure.kept["integrations_delivery"]
        == Delivery.objects.filter(opportunity_id=opportunity_id).count()
    )
    entry = AuditEntry.objects.get(target_kind="erasure", target_id=erasure.pk)
    assert entry.action == AuditAction.ERASE
    assert entry.changes["rows"][1] == erasure.rows
    printed_by("verify_audit")  # raises when the chain isn't whole
    return erasure


@pytest.mark.slow
def test_deleted_and_anonymized_candidates_are_erased_and_an_archived_one_stays(scenario, people, caplog):
    with caplog.at_level(logging.DEBUG):
        lever = scenario.sandbox.lever_does
        lever("delete", opportunities=[people["Alder"]])
        lever("anonymize", opportunities=[people["Birch"]])
        reasons = scenario.sandbox.lever.accounts["acme"].archive_reasons
        lever("archive", opportunities=[people["Cedar"]], reason=next(iter(reasons)))
        scenario.work_waiting()
        follow(scenario)
    for word, cause in (("Alder", "deleted"), ("Birch", "anonymized")):
        assert traces(*PEOPLE[word]) == []
        assert assert_receipt_is_true(scenario.organization, people[word]).cause == cause
        assert not any(part in caplog.text for part in PEOPLE[word])
    assert len(traces(*PEOPLE["Cedar"])) > 10
    assert not Erasure.objects.filter(opportunity_id=people["Cedar"]).exists()


def forget(organization: Organization, opportunity_id: str) -> dict[str, Any]:
    receipt: dict[str, Any] = json.loads(printed_by("forget", organization.slug, opportunity_id))
    return receipt


def stored_rows() -> dict[str, list[Any]]:
    found = (Invitation, Delivery, Effect, ApiCall, AuditEntry, Erasure)
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in found}


def test_forgetting_changes_the_counted_rows_of_one_person_once(scenario, people, stranger, capsys):
    alder = people["Alder"]
    factories.InvitationFactory.create(
        organization=stranger.memberships.get().organization,
        opportunity_id=alder,
        candidate_name=PEOPLE["Alder"][0],
        email=PEOPLE["Alder"][1],
    )
    theirs = ["integrations_invitation.candidate_name", "integrations_invitation.email"]
    others, before = traces(*PEOPLE["Birch"]), stored_rows()
    receipt = forget(scenario.organization, alder)
    assert (traces(*PEOPLE["Alder"]), traces(*PEOPLE["Birch"])) == (theirs, others)
    after = stored_rows()
    for model in (Invitation, Delivery, Effect, ApiCall, AuditEntry):
        old = {row["id"]: row for row in before[model.__name__]}
        changed = [row for row in after[model.__name__] if row["id"] in old and row != old[row["id"]]]
        assert len(changed) == receipt["rows"][model._meta.db_table], model
    assert receipt["rows"] == assert_receipt_is_true(scenario.organization, alder).rows
    call_command("forget", scenario.organization.slug, alder)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == receipt
    assert "erased before" in printed.err
    assert stored_rows() == after


@pytest.mark.django_db(transaction=True)
def test_the_files_of_sqlite_hold_nothing_of_a_forgotten_person(scenario):
    opportunity_id = invite_and_evaluate(scenario, "Alder")
    leave_traces(scenario, "Alder")
    if connection.vendor == "sqlite":
        assert traces_in_files(*PEOPLE["Alder"])
    forget(scenario.organization, opportunity_id)
    assert traces(*PEOPLE["Alder"]) == []
    assert traces_in_files(*PEOPLE["Alder"]) == []


@pytest.fixture
def alder_on_disk(scenario):
    """Alder's texts in the files of SQLite, and another program that has begun to read."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no such file")
    invite_and_evaluate(scenario, "Alder")
    leave_traces(scenario, "Alder")
    path = f"file:{connection.settings_dict['NAME']}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM integrations_invitation")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")  # SQLite itself would wait 20 seconds for the reader
        yield scenario, reader
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_repetition_empties_the_log_of_sqlite_that_somebody_read(alder_on_disk):
    scenario, reader = alder_on_disk
    forget(scenario.organization, scenario.sandbox.opportunity_id("Alder"))
    assert traces_in_files(*PEOPLE["Alder"])
    reader.rollback()
    Erasure.objects.update(erased_at=F("erased_at") - lever_changes.REPEAT_AFTER)
    lever_changes.repeat_erasures(scenario.organization)
    assert traces_in_files(*PEOPLE["Alder"]) == []
