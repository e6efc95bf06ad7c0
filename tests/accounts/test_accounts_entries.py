"""Audit entries about an account: in each of the person's organizations, else of the portal as a whole."""

import json

import pytest

from integrations.accounts.acts import accounts
from integrations.accounts.acts.accounts import UNKNOWN_ACTOR, record_for_nobody, record_for_person
from integrations.audit.models.entry import AuditAction, TargetKind
from integrations.audit.record import audit
from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.factories import recorded


def test_each_organization_of_the_person_has_an_entry(super_admin, organization, stranger):
    second = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=second, role=Membership.Role.ADMIN)
    record_for_person(super_admin, AuditAction.SIGN_IN, {"address": ("", "192.0.2.1")})
    entries = recorded().all()
    assert {entry.organization for entry in entries} == {organization, second}
    for entry in entries:
        target = (entry.target_kind, entry.target_id)
        assert (entry.actor, *target) == (super_admin, TargetKind.ACCOUNT, super_admin.pk)
        assert entry.changes == {"address": ["", "192.0.2.1"]}


def test_a_person_without_an_organization_has_one_entry_of_the_portal(db):
    user = factories.UserFactory.create(username="ünï")
    record_for_person(user, AuditAction.CHANGE_PASSWORD, {"password": ("old one", "new one")}, reason="asked")
    entry = recorded().get()
    assert (entry.organization, entry.target, entry.reason) == (None, "ünï", "asked")
    assert entry.changes == {"password": ["set", "set"]}


def test_the_actor_is_another_when_the_person_has_not_proven_who_they_are(super_admin):
    record_for_person(super_admin, AuditAction.FAIL_SIGN_IN, actor=UNKNOWN_ACTOR)
    entry = recorded().get()
    assert (entry.actor, entry.actor_name) == (None, UNKNOWN_ACTOR)


def test_no_entry_is_kept_when_one_of_them_fails(super_admin, monkeypatch):
    second = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=second, role=Membership.Role.ADMIN)

    def fails_for_the_second(*values, organization):
        if organization == second:
            raise RuntimeError
        audit(*values, organization=organization)

    monkeypatch.setattr(accounts, "audit", fails_for_the_second)
    with pytest.raises(RuntimeError):
        record_for_person(super_admin, AuditAction.SIGN_IN)
    assert not recorded().exists()


def test_an_unknown_name_is_an_entry_of_the_portal_without_the_name(db):
    record_for_nobody(AuditAction.FAIL_SIGN_IN, {"address": ("", "192.0.2.1")})
    entry = recorded().get()
    assert (entry.organization, entry.actor, entry.target_id) == (None, None, None)
    assert json.dumps(entry.changes) == '{"address": ["", "192.0.2.1"]}'
