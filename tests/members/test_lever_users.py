"""Lever's users: who is proposed as a member, and how the access of those deactivated there ends."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverUser
from integrations.lever.models.connection import LeverConnection
from integrations.members import end_access
from integrations.members.acts.invitations import (
    InvitationProof,
    accept,
    invite,
    invite_proposed,
    proposals,
)
from integrations.members.end_access import end_access_of_deactivated, remove_member
from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.models.organization import Organization
from integrations.queue import worker
from integrations.queue.models.duty_run import Duty
from tests.support import duty_runs, factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails


@pytest.fixture
def lever_users_of(sandbox):
    """The users of the pretend Lever by the first part of their address."""
    return {user.email.partition("@")[0]: user for user in sandbox.lever.accounts["acme"].users.values()}


def member(organization, word, role=Membership.Role.TEAM_MEMBER, **columns) -> Membership:
    """Make somebody with that address in Lever a member."""
    user = factories.UserFactory.create(username=word, email=f"{word}@acme.example")
    values = {"user": user, "organization": organization, "role": role, "address": user.email}
    return Membership.objects.create(**values | columns)


def left(organization) -> list[str]:
    return sorted(organization.memberships.values_list("user__username", flat=True))


def ended(**changes):
    """The entries about ended access."""
    return recorded().filter(action="remove_member", **changes)


def test_members_invited_ones_and_users_without_an_address_or_with_a_role_of_the_customers_are_not_proposed(
    connected_organization, super_admin, lever_users_of
):
    member(connected_organization, "admin")
    factories.invited(connected_organization, "hiring-manager@acme.example")
    lever_users_of["sourcer"].role = "0f1d1a52-0000-4000-8000-0000000000aa"
    lever_users_of["recruiter"].email = ""
    assert [one.address for one in proposals(connected_organization)] == ["super-admin@acme.example"]


def test_those_chosen_are_invited_with_lever_s_role_and_super_admins_get_one_e_mail(
    connected_organization, super_admin
):
    chosen = {"recruiter@acme.example", "sourcer@acme.example", "super-admin@acme.example", "x@acme.example"}
    invited = invite_proposed(connected_organization, "team_member", chosen, super_admin)
    assert {(one.email, one.role) for one in invited} == {
        ("recruiter@acme.example", "team_member"),
        ("sourcer@acme.example", "team_member"),
    }
    assert left(connected_organization) == [super_admin.username]
    assert recorded().filter(action="invite_member").count() == 2
    [told] = sent_emails(super_admin.email)
    assert "recruiter@acme.example, sourcer@acme.example: invited as Team Member" in told.body
    assert invite_proposed(connected_organization, "team_member", chosen, super_admin) == []


def test_who_is_deactivated_in_lever_loses_access_and_sessions(
    connected_organization, super_admin, client_for
):
    gone = member(connected_organization, "former-recruiter")
    member(connected_organization, "recruiter")
    browser = client_for(gone.user)
    assert browser.get("/activity/").status_code == 200
    for _ in range(2):
        run = duty_runs.perform(Duty.FOLLOW_LEVER_USERS, connected_organization)
        assert (run.failures, run.last_error) == (0, "")
    assert left(connected_organization) == sorted([super_admin.username, "recruiter"])
    assert browser.get("/activity/")["Location"].startswith("/accounts/login/")
    [entry] = ended()
    assert (entry.actor_name, entry.changes) == ("Lever", {"role": ["team_member", ""]})
    [told] = sent_emails(super_admin.email)
    assert "former-recruiter: lost access, because they are deactivated in Lever." in told.body


def test_who_was_invited_and_is_deactivated_in_lever_is_no_longer(connected_organization, super_admin):
    invite(connected_organization, "former-recruiter@acme.example", "admin", super_admin)
    invite(connected_organization, "recruiter@acme.example", "admin", super_admin)
    end_access_of_deactivated(connected_organization)
    assert [row.email for row in PendingMembership.objects.all()] == ["recruiter@acme.example"]
    told = [message.body for message in sent_emails(super_admin.email)]
    assert (
        "former-recruiter@acme.example: invitation withdrawn, because they are deactivated in Lever."
        in told[-1]
    )


def test_who_joins_and_was_deactivated_in_lever_since_the_last_look_loses_the_access_at_once(
    connected_organization, super_admin
):
    duty_runs.perform(Duty.FOLLOW_LEVER_USERS, connected_organization)
    address = "former-recruiter@acme.example"
    user = factories.UserFactory.create(username="gone", email=address)
    accept(factories.invited(connected_organization, address, "admin"), user, InvitationProof.LINK)
    assert "gone" in left(connected_organization)
    worker.perform_duties()
    assert left(connected_organization) == [super_admin.username]


def test_sessions_stay_where_somebody_removed_belongs_to_another_organization(
    connected_organization, client_for, stranger
):
    gone = member(connected_organization, "former-recruiter")
    Membership.objects.create(
        user=gone.user, organization=stranger.memberships.get().organization, role="admin"
    )
    browser = client_for(gone.user)
    end_access_of_deactivated(connected_organization)
    assert "former-recruiter" not in left(connected_organization)
    page = browser.get("/activity/")
    assert page.status_code == 200
    assert page.context["organization"] == stranger.memberships.get().organization


def test_the_address_with_which_they_joined_counts_after_their_account_got_another(
    connected_organization, super_admin
):
    gone = member(connected_organization, "former-recruiter")
    User.objects.filter(pk=gone.user_id).update(email="recruiter@acme.example")
    end_access_of_deactivated(connected_organization)
    assert left(connected_organization) == [super_admin.username]


@pytest.mark.parametrize(
    ("model", "values", "ends"),
    [
        (Organization, {"paused": True}, True),
        (LeverConnection, {"state": "needs_reconnect"}, False),
        (LeverConnection, {"state": "revoked"}, False),
    ],
)
def test_access_ends_in_a_pause_but_not_without_a_connection(
    connected_organization, super_admin, model, values, ends
):
    member(connected_organization, "former-recruiter")
    model.objects.update(**values)
    duty_runs.perform(Duty.FOLLOW_LEVER_USERS, connected_organization)
    assert ("former-recruiter" not in left(connected_organization)) is ends


@pytest.mark.parametrize("users", ["nobody", "refused", "fails", "cut"])
def test_a_list_that_is_empty_refused_failed_or_cut_ends_nobodys_access(
    connected_organization, super_admin, monkeypatch, users
):
    member(connected_organization, "recruiter")
    member(connected_organization, "former-recruiter")

    def answer(*_, **__):
        if users == "refused":
            raise PlatformError("Lever refused it", status=403)
        if users != "nobody":
            yield lever_user("former-recruiter", is_active=False)
        if users == "fails":
            raise PlatformError("Lever answered 503", status=503)

    monkeypatch.setattr(LeverClient, "users", answer)
    run = duty_runs.perform(Duty.FOLLOW_LEVER_USERS, connected_organization)
    assert "recruiter" in left(connected_organization)
    assert ("former-recruiter" in left(connected_organization)) is (users != "cut")
    assert run.failures == (1 if users == "fails" else 0)


def lever_user(word, *, is_active):
    return LeverUser(word, is_active, "team member", word, f"{word.title()}@ACME.example")


@pytest.mark.parametrize(
    "columns",
    [{"address": "somebody.else@acme.example"}, {"address": ""}, {"address": "other@globex.example"}],
)
def test_who_is_not_found_for_sure_keeps_access(connected_organization, super_admin, columns):
    """Somebody whose account has the address of a deactivated user, but who didn't join with it."""
    member(connected_organization, "former-recruiter", **columns)
    end_access_of_deactivated(connected_organization)
    assert "former-recruiter" in left(connected_organization)


def test_an_address_that_an_active_user_has_too_and_members_elsewhere_stay(
    connected_organization, lever_users_of, stranger
):
    theirs = stranger.memberships.get().organization
    member(theirs, "former")
    member(connected_organization, "former-recruiter")
    lever_users_of["sourcer"].email = "Former-Recruiter@acme.example"
    end_access_of_deactivated(connected_organization)
    assert "former-recruiter" in left(connected_organization)
    assert "former" in left(theirs)


def test_the_last_super_admin_keeps_access_is_told_once_and_marked_while_deactivated(
    connected_organization, super_admin, lever_users_of
):
    Membership.objects.filter(user=super_admin).delete()
    last = member(connected_organization, "former-recruiter", Membership.Role.SUPER_ADMIN)
    other = member(connected_organization, "admin", Membership.Role.ADMIN)
    for _ in range(2):
        end_access_of_deactivated(connected_organization)
    last.refresh_from_db()
    assert last.deactivated_in_lever_at is not None
    assert not ended().exists()
    told = [message.to for message in sent_emails()]
    assert sorted(told) == sorted([[last.user.email], [other.user.email]])
    in_lever = lever_users_of["former-recruiter"]
    since, in_lever.deactivated_at = in_lever.deactivated_at, None
    end_access_of_deactivated(connected_organization)
    assert Membership.objects.filter(pk=last.pk, deactivated_in_lever_at=None).exists()
    in_lever.deactivated_at = since
    Membership.objects.filter(pk=other.pk).update(role=Membership.Role.SUPER_ADMIN)
    end_access_of_deactivated(connected_organization)
    assert left(connected_organization) == ["admin"]


def test_of_two_deactivated_super_admins_one_keeps_access(
    connected_organization, super_admin, lever_users_of
):
    Membership.objects.filter(user=super_admin).delete()
    for word in ("former-recruiter", "super-admin"):
        member(connected_organization, word, Membership.Role.SUPER_ADMIN)
    lever_users_of["super-admin"].deactivated_at = 1
    end_access_of_deactivated(connected_organization)
    assert len(left(connected_organization)) == 1


def test_what_is_done_when_the_database_goes_stays_done(connected_organization, super_admin, monkeypatch):
    words = ("former-recruiter", "former")
    for word in words:
        member(connected_organization, word)
    real, calls = remove_member, []

    def remove_one(*args):
        calls.append(args)
        if len(calls) == 2:
            raise OperationalError
        real(*args)

    monkeypatch.setattr(end_access, "remove_member", remove_one)
    with pytest.raises(OperationalError):
        end_access_of_deactivated(connected_organization)
    assert ended().count() == 1
    monkeypatch.setattr(end_access, "remove_member", real)
    end_access_of_deactivated(connected_organization)
    assert left(connected_organization) == [super_admin.username]
    assert ended().count() == 2


def test_without_a_member_who_can_be_found_lever_is_not_asked(
    connected_organization, super_admin, monkeypatch
):
    Membership.objects.update(address="")
    monkeypatch.setattr(LeverClient, "users", lambda *_, **__: pytest.fail("it was asked"))
    end_access_of_deactivated(connected_organization)
