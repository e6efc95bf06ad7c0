"""The page that chooses the author of feedback from Lever's users."""

from django.test import Client

from integrations.audit.models.entry import AuditEntry
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from tests.support import factories

URL = "/settings/author/"


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
    page = client.get(URL).content.decode()
    assert f'value="{chosen.id}"' in page
    assert f'value="{gone.id}"' not in page
    answer = client.post(URL, {"author": chosen.id}, follow=True)
    assert f"{chosen_name} is the author" in answer.content.decode()
    stored = LeverConnection.objects.get()
    assert (stored.feedback_author, stored.feedback_author_name) == (chosen.id, chosen_name)
    assert chosen_name in client.get("/settings/rules/results/").content.decode()
    entry = AuditEntry.objects.get(action="change_policies")
    assert entry.changes == {"feedback_author": ["", chosen.id]}


def test_somebody_who_is_not_active_in_lever_is_refused(connected_organization, sandbox, client_for):
    client, chosen = admin_client(connected_organization, client_for), a_user(sandbox)
    chosen.deactivated_at = 1
    answer = client.post(URL, {"author": chosen.id}, follow=True)
    assert "choose another" in answer.content.decode()
    assert LeverConnection.objects.get().feedback_author == ""


def test_the_page_says_why_when_lever_doesnt_answer(organization_admin_client, organization):
    page = organization_admin_client.get(URL).content.decode()
    assert "could not be read" in page


def test_an_empty_choice_means_the_person_who_connected(connected_organization, sandbox, client_for):
    client = admin_client(connected_organization, client_for)
    client.post(URL, {"author": a_user(sandbox).id})
    client.post(URL, {"author": ""})
    stored = LeverConnection.objects.get()
    assert (stored.feedback_author, stored.feedback_author_name) == ("", "")
