"""A person's name, where it is known, stands for their user name; in the audit log beside it."""

import pytest
from django.contrib.auth.models import User

from integrations.audit.models.entry import AuditAction
from tests.support.factories import recorded
from tests.support.page_text import text


def test_a_name_is_stored_recorded_and_shown(super_admin_client, super_admin, organization) -> None:
    answer = super_admin_client.post(
        "/account/", {"first_name": "Alder", "last_name": "Birch-Oak"}, follow=True
    )
    assert "Your name is saved." in text(answer)
    assert "<strong>Alder Birch-Oak</strong>" in text(answer)
    assert recorded().get(action=AuditAction.CHANGE_ACCOUNT).changes["last_name"] == ["", "Birch-Oak"]
    log = text(super_admin_client.get("/audit/"))
    assert '<td data-label="Who">Alder Birch-Oak</td>' in log
    assert "Alder Birch-Oak" in text(super_admin_client.get("/settings/team/"))


@pytest.mark.parametrize("name", ["see evil.example", "https://evil", "a@b"])
def test_a_name_is_no_address(super_admin_client, super_admin, organization, name: str) -> None:
    answer = super_admin_client.post("/account/", {"first_name": name})
    assert "Only letters, spaces, hyphens and apostrophes." in text(answer)
    assert not User.objects.get(pk=super_admin.pk).first_name
