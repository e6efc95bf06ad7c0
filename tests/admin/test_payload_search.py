"""The search in payloads finds what the pages show, and reveals nothing of what they hide."""

import pytest

from integrations.admin import payload_search
from integrations.models import ApiCall, Delivery, Membership
from tests.admin.conftest import Customer, sign_in
from tests.admin.test_scope import address
from tests.support import factories


def found(client, model: type, text: str) -> list[int]:
    answer = client.get(address(model, "changelist"), {"text": text})
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def test_shown_text_is_found_in_any_case(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    factories.DeliveryFactory.create(organization=acme.organization, payload={"stage": "Übung 2"})
    wanted = factories.DeliveryFactory.create(organization=acme.organization, payload={"stage": "Übung 1"})
    assert found(client, Delivery, "übung 1") == [wanted.pk]
    assert found(client, ApiCall, '"id": "x"') == [acme.rows[ApiCall].pk]


@pytest.mark.parametrize("text", ["abc", "person@acme.example", "person"])
def test_what_is_hidden_is_not_found(acme: Customer, text: str) -> None:
    assert found(sign_in(Membership.Role.TEAM_MEMBER, acme), Delivery, text) == []


def test_only_the_newest_rows_are_looked_through(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    monkeypatch.setattr(payload_search, "MOST", 1)
    newest = factories.DeliveryFactory.create(organization=acme.organization)
    assert found(client, Delivery, "candidateStageChange") == [newest.pk]


def test_no_other_organizations_payloads_are_searched(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    assert found(client, Delivery, "candidateStageChange") == [acme.rows[Delivery].pk]
