"""The author of feedback is one of the rules, and is chosen from Lever's users."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization

URL = "/settings/rules/"
#: What the other rules are, so that the author alone changes.
SAME = {"note_on_skip": "on", "note_on_wait": "on", "rating_follows_result": "on"}


@pytest.fixture
def users(connected_organization, sandbox):
    """Two users who are active in Lever and didn't connect it."""
    account = sandbox.lever.accounts["acme"]
    active = [user for user in account.users.values() if user.deactivated_at is None]
    return [user for user in active if user.id != account.actor()][:2]


def author() -> tuple[str, str]:
    stored = LeverConnection.objects.get()
    return stored.feedback_author, stored.feedback_author_name


def test_an_admin_chooses_among_levers_active_users_or_leaves_it_to_who_connected(
    organization_admin_client, users
):
    chosen, gone = users
    gone.deactivated_at = 1
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert f'value="{chosen.id}"' in page
    assert f'value="{gone.id}"' not in page
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id})
    assert author() == (chosen.id, chosen.name)
    assert chosen.name in organization_admin_client.get(URL).content.decode()
    entry = AuditEntry.objects.get(action="change_policies")
    assert entry.changes == {"feedback_author": ["", chosen.id]}
    organization_admin_client.post(URL, SAME | {"feedback_author": ""})
    assert author() == ("", "")


def test_who_is_not_active_in_lever_is_refused_but_stays_where_they_were_chosen_before(
    organization_admin_client, users
):
    chosen, gone = users
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id})
    chosen.deactivated_at = gone.deactivated_at = 1
    answer = organization_admin_client.post(URL, SAME | {"feedback_author": gone.id})
    assert "choose another" in answer.content.decode()
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert f"{chosen.name} (not active in Lever)" in page
    organization_admin_client.post(URL, SAME | {"feedback_author": chosen.id, "bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7
    assert author() == (chosen.id, chosen.name)


def test_the_page_says_why_when_lever_doesnt_answer(organization_admin_client, organization):
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert "could not be read" in page
    answer = organization_admin_client.post(URL, SAME | {"feedback_author": "somebody"})
    assert "could not be read" in answer.context["form"].non_field_errors()[0]


def test_lever_is_not_asked_unless_an_author_is_to_be_chosen(organization_admin_client, users):
    assert "?author#id_feedback_author" in organization_admin_client.get(URL).content.decode()
    assert not ApiCall.objects.filter(path__contains="/users").exists()
    organization_admin_client.post(URL, SAME | {"bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7
