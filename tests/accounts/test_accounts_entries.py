"""Audit entries about an account: all of them or none; of nobody it is one of the portal as a whole."""

import json

import pytest

from integrations.accounts.acts import accounts
from integrations.accounts.acts.accounts import record_for_nobody, record_for_person
from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit
from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.factories import recorded


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
