"""Secrets never stand in an audit entry."""

import json

from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from tests.support.factories import recorded


def test_secrets_are_masked_by_field_name_at_every_depth(organization):
    audit(
        AuditTarget(TargetKind.LEVER_CONNECTION, 1, "x"),
        "test",
        AuditAction.SAVE_CONNECTION,
        {
            "lever_signature_token": ("", "SECRET"),
            "webhook_secret": ("SECRET", ""),
            "password": ("SECRET", "SECRET"),
            "connection": ({"api_key": ""}, {"api_key": "SECRET", "state": "connected"}),
            "refresh_token": ("SECRET", "SECRET"),
            "stage": ("", "kept"),
        },
        organization=organization,
    )
    entry = recorded().get()
    assert "SECRET" not in json.dumps(entry.changes)
    assert entry.changes["lever_signature_token"] == ["empty", "set"]
    assert entry.changes["webhook_secret"] == ["set", "empty"]
    assert entry.changes["password"] == entry.changes["refresh_token"] == ["set", "set"]
    assert entry.changes["connection"] == [{"api_key": "empty"}, {"api_key": "set", "state": "connected"}]
    assert entry.changes["stage"] == ["", "kept"]
