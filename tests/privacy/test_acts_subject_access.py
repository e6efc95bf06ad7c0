"""What is handed out to a candidate who asks: every row about them, nothing about others."""

import json

import pytest

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from integrations.privacy import acts
from integrations.privacy.acts import held_data
from integrations.privacy.erase import erase
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories

pytestmark = pytest.mark.django_db
ALDER, BIRCH = "opportunity-alder", "opportunity-birch"


@pytest.fixture
def acme():
    organization = factories.OrganizationFactory.create(slug="acme", name="Acme")
    for opportunity_id, name in ((ALDER, "Alder Grey"), (BIRCH, "Birch White")):
        invitation = factories.InvitationFactory.create(
            organization=organization,
            opportunity_id=opportunity_id,
            candidate_name=name,
            email=f"{opportunity_id}@candidates.example",
        )
        factories.DeliveryFactory.create(organization=organization, opportunity_id=opportunity_id)
        effect = factories.EffectFactory.create(
            organization=organization, opportunity_id=opportunity_id, invitation=invitation
        )
        ApiCall.objects.create(
            organization=organization,
            effect=effect,
            opportunity_id=opportunity_id,
            platform="lever",
            method="POST",
            path="/notes",
            duration_ms=5,
            request_body=f"a note about {opportunity_id}",
        )
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, last_error="Nobody finds Alder Grey.")
    return organization


def handed_out(organization, opportunity_id):
    data = held_data(organization, opportunity_id, counts_mentions=True)
    assert data is not None
    return data.to_json()


def by_table(organization, opportunity_id):
    return {table["table"]: table for table in handed_out(organization, opportunity_id)["tables"]}


def test_the_person_learns_why_who_gets_it_how_long_from_where_and_their_rights(acme):
    acme.alert_addresses.create(
        name="hiring", kind="slack", url="https://hooks.slack.example/x", host="hooks.slack.example"
    )
    told = handed_out(acme, ALDER)["processing"]
    asked = {
        "controller",
        "purposes",
        "categories",
        "recipients",
        "how_long",
        "sources",
        "rights",
        "decisions",
    }
    assert set(told) == asked
    assert all(told.values())
    assert told["how_long"] == "365 days after the end of the journey"
    assert told["recipients"][-1] == "Slack message hiring at hooks.slack.example"
    assert "hooks.slack.example/x" not in json.dumps(told)


def test_every_table_with_rows_about_the_person_is_handed_out(acme):
    tables = by_table(acme, ALDER)
    assert {"invitations", "deliveries", "effects", "API calls"} <= set(tables)
    [invitation] = tables["invitations"]["rows"]
    assert invitation["candidate_name"] == "Alder Grey"
    assert tables["invitations"]["how_long"]
    assert tables["API calls"]["rows"][0]["request_body"] == "a note about opportunity-alder"


def test_nothing_about_another_candidate_is_handed_out(acme):
    text = json.dumps(handed_out(acme, ALDER))
    assert "Birch" not in text
    assert BIRCH not in text


def test_rows_about_others_that_name_the_person_are_counted(acme):
    assert by_table(acme, ALDER)["background jobs"]["rows_about_others_that_name_the_person"] == 1


def test_an_e_mail_about_several_candidates_is_counted_for_each_of_them(acme):
    payload = {
        "subject": "Birch: the invitation bounced",
        "lines": [f"/activity/{BIRCH}/"],
        "appended": [{"subject": "Alder: the invitation bounced", "lines": [f"/activity/{ALDER}/"]}],
    }
    email = factories.EffectFactory.create(
        organization=acme,
        opportunity_id=BIRCH,
        kind=Effect.Kind.SEND_EMAIL,
        email_topic="invitation_bounced",
        payload=payload,
    )
    email.also_about.add(Invitation.objects.get(opportunity_id=ALDER))
    assert by_table(acme, ALDER)["effects"]["rows_about_others_that_name_the_person"] == 1
    assert by_table(acme, BIRCH)["effects"]["rows_about_others_that_name_the_person"] == 0


def test_mentions_are_not_looked_for_where_they_are_not_counted(acme, monkeypatch):
    monkeypatch.setattr(acts, "mentioning_rows", None)
    data = held_data(acme, ALDER, counts_mentions=False)
    assert data is not None
    assert {table.mentions for table in data.tables} == {None}


def test_an_e_mail_is_handed_out_without_its_recipients_and_other_candidates(acme):
    payload = {
        "recipients": ["team@acme.example"],
        "subject": "About Alder Grey",
        "lines": [],
        "appended": [{"subject": "About Birch White", "lines": []}],
    }
    factories.EffectFactory.create(
        organization=acme,
        opportunity_id=ALDER,
        kind=Effect.Kind.SEND_EMAIL,
        email_topic="result",
        payload=payload,
    )
    text = json.dumps(handed_out(acme, ALDER))
    assert "About Alder Grey" in text
    assert "team@acme.example" not in text
    assert "Birch" not in text


def test_after_an_erasure_the_receipt_and_no_personal_data_are_handed_out(acme):
    erase(acme, ALDER, ErasureCause.FORGOTTEN, "forget")
    data = handed_out(acme, ALDER)
    assert data["erased"]["cause"] == "forgotten"
    assert "Alder Grey" not in json.dumps(data)
    assert "candidates.example" not in json.dumps(data)


def test_an_unknown_opportunity_has_no_data(acme):
    assert held_data(acme, "unknown", counts_mentions=True) is None
    assert held_data(factories.OrganizationFactory.create(), ALDER, counts_mentions=True) is None
    assert not AuditEntry.objects.filter(action=AuditAction.SUBJECT_ACCESS).exists()
