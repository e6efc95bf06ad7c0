"""A candidate's record in the admin, and the way from any record to the page on the site where people act."""

import re
from itertools import product
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from tests.admin.conftest import Customer, sign_in
from tests.admin.test_scope import address

LISTS = ("invitation", "result", "effect", "delivery", "verdict", "apicall")


def record(client: Client, customer: Customer) -> str:
    row = customer.rows[Candidate]
    text: str = client.get(address(Candidate, "change", row.pk)).content.decode()
    return text


def test_the_record_says_what_was_decided_and_leads_to_all_that_is_about_the_candidate(
    acme: Customer, globex: Customer
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    text = record(client, acme)
    for row in (acme.rows[Verdict], acme.rows[Delivery], acme.rows[Invitation]):
        assert address(type(row), "change", row.pk) in text
    superuser = sign_in(None, is_superuser=True)
    for name in LISTS:
        page = reverse(f"admin:integrations_{name}_changelist")
        url = f"{page}?q=opportunity-acme&organization={acme.organization.pk}"
        assert f'href="{escape(url)}"' in text
        for reader in (client, superuser):
            rows = reader.get(url).context["cl"].result_list
            assert {row.organization_id for row in rows} == {acme.organization.pk}, name
    assert "globex" not in text


def test_a_candidates_address_leads_to_the_record_else_to_the_deliveries(
    acme: Customer, globex: Customer
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)

    def found(customer: Customer) -> Any:
        own = customer.organization
        return client.get(reverse("admin:candidate", args=[own.pk, f"opportunity-{own.slug}"]))

    assert found(acme)["Location"] == address(Candidate, "change", acme.rows[Candidate].pk)
    assert found(globex).status_code == 404
    Candidate.objects.all().delete()
    deliveries = found(acme)["Location"]
    query = f"q=opportunity-acme&organization={acme.organization.pk}"
    assert deliveries == f"{address(Delivery, 'changelist')}?{query}"
    Delivery.objects.update(opportunity_id="opportunity-acme")  # as where both use one account in Lever
    rows = sign_in(None, is_superuser=True).get(deliveries).context["cl"].result_list
    assert list(rows) == [acme.rows[Delivery]]


def test_members_open_the_page_on_the_site_in_the_rows_organization(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme, globex)
    models = (Candidate, Invitation, Delivery, Verdict, Effect, ApiCall)
    for model, customer in product(models, (acme, globex)):
        page = client.get(address(model, "change", customer.rows[model].pk)).content.decode()
        page = page.partition("<main")[2]
        target = re.search(r'name="next"\s+value="([^"]+)"', page)
        slug = re.search(r'name="organization"\s+value="([^"]+)"', page)
        assert target
        assert slug
        values = {"next": target[1], "organization": slug[1]}
        answer = client.post(reverse("switch-organization"), values, follow=True)
        assert answer.status_code == 200
        assert f"Candidate of {customer.organization.slug}" in answer.content.decode()


def test_a_search_that_finds_one_candidate_leads_to_the_record(acme: Customer, globex: Customer) -> None:
    superuser, lists = sign_in(None, is_superuser=True), address(Candidate, "changelist")
    answer = superuser.get(lists, {"q": "of acme"})
    assert answer["Location"] == address(Candidate, "change", acme.rows[Candidate].pk)
    assert superuser.get(lists, {"q": "Candidate"}).status_code == 200
    assert superuser.get(lists, {"q": "nobody"}).status_code == 200
