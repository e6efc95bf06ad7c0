"""What the search above the activity's lists finds."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.pages.activity import search
from integrations.pages.activity.search import (
    matching_by_candidate,
    matching_deliveries,
    matching_invitations,
)
from tests.support import factories

pytestmark = pytest.mark.django_db


def invitation(organization: Organization, number: int, name: str = "Ada Lovelace") -> Invitation:
    made: Invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id=f"opportunity-{number}",
        candidate_name=name,
        role_title="Chef",
        assessment_name="Cooking",
    )
    return made


def delivery(organization: Organization, number: int, verdict: str, explanation: str) -> Delivery:
    made: Delivery = factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=f"other-{number}",
        verdict=verdict,
        explanation=explanation,
        decided_at=timezone.now(),
        due_at=None,
    )
    return made


@pytest.mark.parametrize("query", ["lovelace", "a love", "CHEF", "cook", "opportunity-1", "OPPORTUNITY-1"])
def test_an_invitation_is_found_by_a_part_of_a_name_or_by_the_opportunity(
    organization: Organization, query: str
) -> None:
    wanted = invitation(organization, 1)
    factories.InvitationFactory.create(
        organization=organization, opportunity_id="another", candidate_name="Bo"
    )
    assert list(Invitation.objects.filter(matching_invitations(query))) == [wanted]


def test_rows_are_found_by_their_invitation_and_no_other_organizations(
    organization: Organization,
) -> None:
    other = factories.OrganizationFactory.create()
    effects = [
        factories.EffectFactory.create(organization=owner, invitation=invitation(owner, 1), key="k")
        for owner in (organization, other)
    ]
    with CaptureQueriesContext(connection) as queries:
        condition = matching_by_candidate(organization, "lovelace")
    assert len(queries) == 2
    assert list(Effect.objects.filter(condition)) == effects[:1]


def test_of_very_many_matching_invitations_the_newest_count(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST", 2)
    effects = [
        factories.EffectFactory.create(
            organization=organization, invitation=invitation(organization, number), key=f"k{number}"
        )
        for number in range(3)
    ]
    found = Effect.objects.filter(matching_by_candidate(organization, "lovelace"))
    assert set(found) == set(effects[1:])


def test_a_delivery_that_invited_nobody_is_found_by_its_explanation(organization: Organization) -> None:
    wanted = delivery(organization, 1, "no_assessment", "No mapping names an assessment for Bakers.")
    delivery(organization, 2, "not_a_trigger_stage", "“Bakers met” is no CodeScreen stage.")
    assert list(Delivery.objects.filter(matching_deliveries(organization, "bakers"))) == [wanted]


@pytest.mark.parametrize("shown", ["invitations", "deliveries", "effects"])
def test_the_page_shows_what_was_found(
    super_admin_client: Client, organization: Organization, shown: str
) -> None:
    found = invitation(organization, 1)
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=found.opportunity_id,
        invitation=found,
        verdict="invite",
        decided_at=timezone.now(),
        due_at=None,
    )
    factories.EffectFactory.create(organization=organization, invitation=found, key="k")
    address = f"/activity/?show={shown}"
    assert "1 in the list" in super_admin_client.get(f"{address}&q=lovelace").content.decode()
    assert "Nothing matches" in super_admin_client.get(f"{address}&q=nobody").content.decode()
