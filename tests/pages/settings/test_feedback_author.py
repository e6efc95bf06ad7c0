"""The author of feedback is one of the rules, and is chosen from Lever's users."""

from django.test import Client

from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.support import factories

URL = "/settings/rules/"
#: What the other rules are, so that the author alone changes.
SAME = {"note_on_skip": "on", "note_on_wait": "on", "rating_follows_result": "on"}


def admin_client(organization, client_for) -> Client:
    client: Client = client_for(factories.member(organization, Membership.Role.ADMIN, "admin"))
    return client


def a_user(sandbox, *, is_active=True):
    """Return a user in Lever who didn't connect it."""
    account = sandbox.lever.accounts["acme"]
    users = [user for user in account.users.values() if (user.deactivated_at is None) == is_active]
    return next(user for user in users if user.id != account.actor())


def test_an_admin_chooses_among_levers_active_users(connected_organization, sandbox, client_for):
    client, chosen = admin_client(connected_organization, client_for), a_user(sandbox)
    chosen_name = chosen.name
    gone = next(user for user in sandbox.lever.accounts["acme"].users.values() if user.id != chosen.id)
    gone.deactivated_at = 1
    page = client.get(URL, {"author": ""}).content.decode()
    assert f'value="{chosen.id}"' in page
    assert f'value="{gone.id}"' not in page
    answer = client.post(URL, SAME | {"feedback_author": chosen.id}, follow=True)
    assert "The rules are saved." in answer.content.decode()
    stored = LeverConnection.objects.get()
    assert (stored.feedback_author, stored.feedback_author_name) == (chosen.id, chosen_name)
    assert chosen_name in client.get(URL).content.decode()
    entry = AuditEntry.objects.get(action="change_policies")
    assert entry.changes == {"feedback_author": ["", chosen.id]}


def test_somebody_who_is_not_active_in_lever_is_refused(connected_organization, sandbox, client_for):
    client, chosen = admin_client(connected_organization, client_for), a_user(sandbox)
    chosen.deactivated_at = 1
    answer = client.post(URL, SAME | {"feedback_author": chosen.id}, follow=True)
    assert "choose another" in answer.content.decode()
    assert LeverConnection.objects.get().feedback_author == ""


def test_the_page_says_why_when_lever_doesnt_answer(organization_admin_client, organization):
    page = organization_admin_client.get(URL, {"author": ""}).content.decode()
    assert "could not be read" in page
    answer = organization_admin_client.post(URL, SAME | {"feedback_author": "somebody"})
    assert "could not be read" in answer.context["form"].non_field_errors()[0]


def test_the_page_does_not_ask_lever_unless_an_author_is_to_be_chosen(
    connected_organization, sandbox, client_for
):
    client = admin_client(connected_organization, client_for)
    page = client.get(URL).content.decode()
    assert "?author#id_feedback_author" in page
    assert not ApiCall.objects.filter(path__contains="/users").exists()
    client.post(URL, SAME | {"bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7


def test_an_author_who_has_left_lever_stays_until_another_is_chosen(
    connected_organization, sandbox, client_for
):
    client, chosen = admin_client(connected_organization, client_for), a_user(sandbox)
    client.post(URL, SAME | {"feedback_author": chosen.id})
    chosen.deactivated_at = 1
    assert f"{chosen.name} (not active in Lever)" in client.get(URL, {"author": ""}).content.decode()
    client.post(URL, SAME | {"feedback_author": chosen.id, "bulk_limit": "7"})
    assert Organization.objects.get().bulk_limit == 7
    assert LeverConnection.objects.get().feedback_author == chosen.id


def test_an_empty_choice_means_the_person_who_connected(connected_organization, sandbox, client_for):
    client = admin_client(connected_organization, client_for)
    client.post(URL, SAME | {"feedback_author": a_user(sandbox).id})
    client.post(URL, SAME | {"feedback_author": ""})
    stored = LeverConnection.objects.get()
    assert (stored.feedback_author, stored.feedback_author_name) == ("", "")
