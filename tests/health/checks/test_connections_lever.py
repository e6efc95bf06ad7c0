"""Findings on the grant, its scopes and the clock; on the feedback template and its author."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog.feedback_template import TEMPLATE
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import SCOPES
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


@pytest.mark.parametrize(
    ("state", "token", "code"),
    [("needs_reconnect", "access", "lever_reconnect"), ("revoked", "", "lever_not_connected")],
)
def test_a_grant_that_no_longer_works_is_an_error(
    healthy_organization: Organization, state: str, token: str, code: str
) -> None:
    connection = LeverConnection.objects.get()
    connection.state, connection.access_token = state, token
    connection.save()
    assert code_and_level(healthy_organization) == (code, "error")


@pytest.mark.parametrize(("left", "level"), [(29, "warning"), (6, "error"), (-1, "error")])
def test_the_end_of_lever_consent_is_announced_for_a_month(
    healthy_organization: Organization, left: int, level: str
) -> None:
    LeverConnection.objects.update(connected_at=timezone.now() + timedelta(days=left - 365))
    assert code_and_level(healthy_organization) == ("lever_token_ends", level)


def test_missing_scopes_are_named_with_their_reason(healthy_organization: Organization) -> None:
    granted = [scope for scope in SCOPES if scope not in {"notes:write:admin", "postings:read:admin"}]
    LeverConnection.objects.update(scopes=" ".join([*granted, "postings:write:admin"]))
    finding = only_finding(healthy_organization)
    assert finding.code == "lever_scopes_missing"
    assert "notes:write:admin (to leave a note" in finding.message
    assert "postings:" not in finding.message


@pytest.mark.parametrize(("attaches", "is_missing"), [(False, False), (True, True)])
def test_the_scope_for_files_is_missed_only_when_reports_are_attached(
    healthy_organization: Organization, attaches: bool, is_missing: bool
) -> None:
    LeverConnection.objects.update(scopes=" ".join(SCOPES))
    Organization.objects.update(attach_report=attaches)
    healthy_organization.refresh_from_db()
    finding = only_finding(healthy_organization)
    assert finding.code == ("lever_scopes_missing" if is_missing else "ok")
    assert (
        "files:write:admin (to attach the report to the candidate as a file" in finding.message
    ) == is_missing


def test_no_scope_is_missing_when_lever_does_not_tell_what_it_granted(
    healthy_organization: Organization,
) -> None:
    LeverConnection.objects.update(scopes="")
    assert only_finding(healthy_organization).code == "ok"


def test_a_missing_template_field_is_a_finding(healthy_organization: Organization) -> None:
    fields = [field for field in TEMPLATE["fields"] if field["text"] not in {"Result", "Report link"}]
    LeverConnection.objects.update(
        feedback_template_id="form-1", feedback_template={**TEMPLATE, "id": "form-1", "fields": fields}
    )
    assert code_and_level(healthy_organization) == ("feedback_template_incomplete", "warning")
    assert "Result, Report link" in only_finding(healthy_organization).message
    LeverConnection.objects.update(feedback_template_id="another")
    assert only_finding(healthy_organization).code == "ok"
