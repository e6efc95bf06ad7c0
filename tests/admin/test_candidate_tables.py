"""The tables of a candidate's page in the admin."""

import re

from django.urls import reverse

from integrations.models import Effect, Membership
from tests.admin.conftest import Customer, sign_in
from tests.support import factories


def page(customer: Customer, opportunity_id: str) -> str:
    client = sign_in(Membership.Role.TEAM_MEMBER, customer)
    address = reverse("admin:candidate", args=[customer.organization.pk, opportunity_id])
    text: str = client.get(address).content.decode()
    return text


def test_each_row_links_to_its_own_page_and_has_the_words(acme: Customer) -> None:
    text = page(acme, "opportunity-acme")
    headers = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', text)
    assert [name for _, name in headers] == ["Backend acme", "On hold", "Leave note"]
    assert reverse("admin:integrations_effect_change", args=[acme.rows[Effect].pk]) in dict(headers)
    assert "Failed<br>Lever answered 400" in text
    assert "Nobody acted on this candidate in the portal." in text


def test_empty_cells_have_a_dash_and_later_rounds_their_number(acme: Customer) -> None:
    factories.InvitationFactory.create(
        organization=acme.organization, opportunity_id="o-1", assessment_name="Backend", round=2
    )
    text = page(acme, "o-1")
    assert "Backend, round 2</a>" in text
    assert "<td>–</td>" in text
    assert "Nothing was decided yet." in text
