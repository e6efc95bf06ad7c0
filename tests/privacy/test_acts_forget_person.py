"""Forgetting a person who uses the portal: nothing names them, what they decided stays provable, the log is whole."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.members.acts.invitations import invite
from integrations.members.end_access import remove_member
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notices import EmailPayload
from integrations.outbox.models.effect import Effect
from integrations.privacy import retention
from integrations.queue.duties import clean_up
from tests.audit.conftest import is_whole
from tests.management.conftest import printed_by
from tests.support import factories
from tests.support.second_factors import sign_in, with_app, with_recovery_codes

NAME, ADDRESS, CLIENT = "zuzana.nemcova", "zuzana@acme.example", "198.51.100.77"
WORDS = (NAME, ADDRESS, CLIENT, "Zuzana")


def run(name: str) -> dict[str, Any]:
    return json.loads(printed_by("forget_person", name))


@pytest.fixture
def person(organization, super_admin) -> User:
    """A Team Member who was invited, signed in, wrote to, protected by a factor, and who acted for a candidate."""
    invite(organization, ADDRESS, "team_member", super_admin)
    user = factories.UserFactory.create(username=NAME, email=ADDRESS, first_name="Zuzana")
    role = Membership.Role.TEAM_MEMBER
    Membership.objects.create(user=user, organization=organization, role=role, address=ADDRESS)
    sign_in(Client(REMOTE_ADDR=CLIENT), user, "wrong")
    sign_in(Client(REMOTE_ADDR=CLIENT), user)
    with_app(user)
    with_recovery_codes(user)
    factories.on_candidate(organization, "o-1", ADDRESS)
    target = AuditTarget(TargetKind.INVITATION, 1, "invitation of a candidate")
    audit(target, user, AuditAction.RETRY, organization=organization)
    return user


def rows_that_name_the_person() -> list[str]:
    """Return the tables with a row in which one of the words stands, as it is stored."""
    return [
        model._meta.db_table
        for model in apps.get_models()
        for row in model._base_manager.values()
        if any(word.lower() in str(value).lower() for value in row.values() for word in WORDS)
    ]


def test_no_row_names_the_person_but_what_they_did_for_candidates(organization, person):
    assert len(set(rows_that_name_the_person())) > 4
    receipt = run(NAME)
    assert rows_that_name_the_person() == ["integrations_auditentry"]
    assert AuditEntry.objects.get(actor_name=NAME).action == AuditAction.RETRY
    assert receipt["rows"]["auth_user"] == receipt["rows"]["integrations_membership"] == 1
    assert receipt["rows"]["integrations_auditentry"] >= 3
    assert all(map(is_whole, (organization, None)))


def test_the_account_opens_nothing_any_more(person):
    client = Client()
    client.force_login(person, backend="portal.accounts.backend.PasswordBackend")
    run(NAME)
    assert client.get("/account/").status_code == 302
    stored = User.objects.get(pk=person.pk)
    assert (stored.username, stored.email, stored.is_active) == (f"forgotten-{person.pk}", "", False)
    assert not stored.has_usable_password()
    assert not UserSession.objects.filter(user=person).exists()


def email(organization, recipients: list[str], line: str) -> Effect:
    payload = EmailPayload(recipients=tuple(recipients), lines=(line,), sent_to=tuple(recipients[:1]))
    return factories.EffectFactory.create(
        organization=organization,
        kind="send_email",
        email_topic=EmailTopic.MEMBERS_CHANGED,
        payload=payload.to_json(),
    )


ANN = ["ann@acme.example"]


@pytest.mark.parametrize(
    ("name", "recipients", "line", "left"),
    [
        pytest.param(NAME, ANN, f"{NAME} ({ADDRESS}) left.", None, id="names the person"),
        pytest.param("nguyễn", ANN, "This was done by nguyễn.", None, id="as JSON stores it"),
        pytest.param(NAME, [ADDRESS], "An invitation waits.", None, id="to the person alone"),
        pytest.param(NAME, [ADDRESS, *ANN], "An invitation waits.", ANN, id="to others too"),
        pytest.param("sam", ["joann@acme.example"], "The same for Samuel.", ["joann@acme.example"], id="sam"),
        pytest.param("ann", ["joann@acme.example"], "Samuel and Joanna.", ["joann@acme.example"], id="ann"),
    ],
)
def test_of_e_mails_that_wait_the_person_is_taken_out(organization, name, recipients, line, left):
    address = {NAME: ADDRESS, "nguyễn": ""}.get(name, f"{name}@acme.example")
    factories.UserFactory.create(username=name, email=address)
    waiting = email(organization, recipients, line)
    run(name)
    waiting.refresh_from_db()
    payload = EmailPayload.from_json(waiting.payload)
    if left is None:
        assert (waiting.state, payload) == ("cancelled", EmailPayload())
    else:
        assert (waiting.state, list(payload.recipients), payload.lines) == ("due", left, (line,))
        assert list(payload.sent_to) == [one for one in recipients[:1] if one in left]


def test_a_forgotten_person_is_no_user_any_more(person):
    run(NAME)
    with pytest.raises(CommandError, match="an erased person's account has another name"):
        run(NAME)


def test_the_last_super_admin_is_refused_and_nothing_is_erased(super_admin):
    with_app(super_admin)
    with pytest.raises(CommandError, match=r"last Super Admin\. Make somebody else one first"):
        run(super_admin.username)
    super_admin.refresh_from_db()
    assert super_admin.is_active
    assert super_admin.authenticator_set.exists()


def test_a_former_member_is_forgotten_too(organization, super_admin, person):
    remove_member(Membership.objects.get(user=person), super_admin)
    run(NAME)
    assert rows_that_name_the_person() == ["integrations_auditentry"]
    assert not AuditEntry.objects.filter(target__in=[NAME, ADDRESS]).exists()
    assert all(map(is_whole, (organization, None)))


def after_days(days: int):
    """Let the database's clock be so many days ahead."""
    return mock.patch("integrations.store.database.now", return_value=timezone.now() + timedelta(days=days))


def test_the_address_of_a_sign_in_is_erased_after_half_a_year(organization, person, monkeypatch):
    sign_ins = AuditEntry.objects.filter(organization=organization, changes__has_key="address")
    with after_days(179):
        assert retention.erase_some_sign_ins(organization) == 0
    assert sign_ins.count() == 2
    with after_days(181):
        assert retention.remove_old_records(organization) == 2
        assert retention.erase_some_sign_ins(organization) == 0
    assert not sign_ins.exists()
    assert CLIENT not in str(list(AuditEntry.objects.values()))
    assert all(map(is_whole, (organization, None)))


def test_the_portals_own_log_forgets_addresses_too(db):
    sign_in(Client(REMOTE_ADDR=CLIENT), factories.UserFactory.create())
    with after_days(181):
        clean_up()
    assert CLIENT not in str(list(AuditEntry.objects.values()))
