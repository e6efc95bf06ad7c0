"""What waited during a pause is shown for ever: on the candidate's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.core.verdict_code import VerdictCode
from tests.support import factories


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def decided_again(organization):
    """A delivery that waited during a pause and led to an invitation afterwards."""
    invitation = factories.InvitationFactory(organization=organization, opportunity_id="somebody")
    delivery = factories.DeliveryFactory(organization=organization, opportunity_id="somebody")
    delivery.lease().decide(VerdictCode.PAUSED, "The organization was paused.")
    delivery.refresh_from_db()
    delivery.lease().decide(VerdictCode.INVITE, "“Backend” is sent.", invitation)
    return delivery


#: What shows the delivery's verdicts.
ADDRESSES = ["/activity/somebody/", "/activity/somebody/?show=technical"]


def test_an_earlier_verdict_is_shown_when_the_delivery_was_decided_again(super_admin_client, decided_again):
    for address in ADDRESSES:
        page = text(super_admin_client.get(address))
        assert "The organization was paused." in page
        assert "“Backend” is sent." in page
    assert "decided again after the pause or the reconnect" in page


def test_the_latest_verdict_is_the_current_one(super_admin_client, decided_again):
    page = super_admin_client.get(reverse("candidate", args=["somebody"]))
    assert page.context["rows"].latest_verdict().code == "invite"


def test_pages_read_as_many_queries_whatever_the_number_of_verdicts(super_admin_client, decided_again):
    def count(address: str) -> int:
        super_admin_client.get(address)
        with CaptureQueriesContext(connection) as captured:
            super_admin_client.get(address)
        return len(captured)

    before = [count(address) for address in ADDRESSES]
    for number in range(20):
        decided_again.refresh_from_db()
        decided_again.lease().decide(VerdictCode.DISCONNECTED, f"It was disconnected {number} times.")
    assert [count(address) for address in ADDRESSES] == before
