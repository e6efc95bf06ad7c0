"""A person who clicks without end adds few entries to the log."""

import pytest

from integrations.accounts.models.sessions import Limit
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.notifications.models.email_kind import EmailKind
from integrations.pages import views
from tests.support import factories


@pytest.mark.parametrize(
    ("action", "address", "form"),
    [
        (
            AuditAction.CHOOSE_EMAILS,
            "/notifications/",
            dict.fromkeys([kind.value for kind in EmailKind], "on"),
        ),
        (AuditAction.EXPORT_LIST, "/candidates/export/", None),
        (AuditAction.LOOK_AT_DATA, "/data/opportunity-1/", None),
    ],
)
def test_the_log_gets_few_entries_of_one_person_who_clicks_without_end(
    super_admin_client, organization, monkeypatch, action, address, form
):
    monkeypatch.setattr(views, "ACTS", (Limit(4, 60.0),))
    factories.CandidateFactory.create(organization=organization, opportunity_id="opportunity-1")
    for number in range(6):
        if form is None:
            answer = super_admin_client.get(address)
        else:
            answer = super_admin_client.post(address, form if number % 2 else {})
        answer.getvalue()
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert AuditEntry.objects.filter(action=action).count() <= 4
