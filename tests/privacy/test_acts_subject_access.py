"""What is handed out to a candidate who asks: every row about them, nothing about others."""

import json

import pytest

from integrations.core.vocabulary import ErasureCause
from integrations.outbox.models.effect import Effect
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
        factories.ApiCallFactory.create(
            organization=organization,
            effect=effect,
            opportunity_id=opportunity_id,
            request_body=f"a note about {opportunity_id}",
        )
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, last_error="Nobody finds Alder Grey.")
    return organization


def by_table(organization, opportunity_id):
    tables = [table.to_json() for table in held_data(organization, opportunity_id)]
    return {table["table"]: table for table in tables}


def test_every_table_is_handed_out_with_the_rows_about_the_person_alone(acme):
    tables = by_table(acme, ALDER)
    assert {"invitations", "deliveries", "effects", "API calls"} <= set(tables)
    [invitation] = tables["invitations"]["rows"]
    assert invitation["candidate_name"] == "Alder Grey"
    assert tables["invitations"]["how_long"]
    assert tables["API calls"]["rows"][0]["request_body"] == "a note about opportunity-alder"
    assert "Birch" not in json.dumps(tables)
    assert BIRCH not in json.dumps(tables)


def test_an_e_mail_is_handed_out_without_its_recipients(acme):
    payload = {"recipients": ["team@acme.example"], "subject": "About Alder Grey", "lines": []}
    factories.EffectFactory.create(
        organization=acme,
        opportunity_id=ALDER,
        kind=Effect.Kind.SEND_EMAIL,
        email_topic="result",
        payload=payload,
    )
    text = json.dumps(by_table(acme, ALDER))
    assert "About Alder Grey" in text
    assert "team@acme.example" not in text


def test_after_an_erasure_no_personal_data_is_handed_out(acme):
    erase(acme, ALDER, ErasureCause.FORGOTTEN, "forget")
    text = json.dumps(by_table(acme, ALDER))
    assert ALDER in text
    assert "Alder Grey" not in text
    assert "candidates.example" not in text


def test_an_unknown_opportunity_has_no_data(acme):
    assert held_data(acme, "unknown") == []
    assert held_data(factories.OrganizationFactory.create(), ALDER) == []
