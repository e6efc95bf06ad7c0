"""Every action and form of the admin that changes something writes exactly one audit entry."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from integrations.audit.models.entry import AuditEntry
from tests.audit_trail.scene import Act, Prepare, Scene, entry_written_by, ok


def _admin(page: str, row: Callable[[Scene], Any], **data: str) -> Prepare:
    def prepare(scene: Scene) -> Act:
        found = row(scene)
        url = reverse(f"admin:integrations_{found._meta.model_name}_{page}", args=[found.pk])
        if page == "delete":
            return lambda: ok(scene.client.post(url, {"post": "yes"}))
        initial = scene.client.get(url).context["adminform"].form.initial
        values = {name: value for name, value in initial.items() if value is not None and value is not False}

        def save() -> None:
            assert scene.client.post(url, values | data).status_code == 302

        return save

    return prepare


ADMIN: dict[str, Prepare] = {
    "organization change": _admin("change", lambda s: s.organization, hold_failed="on"),
    "membership change": _admin("change", Scene.member, role="admin"),
    "membership delete": _admin("delete", Scene.member),
    "mapping change": _admin("change", Scene.mapping, assessment="Frontend"),
    "mapping delete": _admin("delete", Scene.mapping),
}


@pytest.fixture
def staffed(scene) -> Scene:
    scene.owner.is_staff = True
    scene.owner.save()
    return scene


@pytest.mark.parametrize("name", ADMIN)
def test_the_admin_writes_one_entry(staffed, name):
    entry = entry_written_by(ADMIN[name](staffed))
    assert (entry.organization, entry.actor) == (staffed.organization, staffed.owner)


@pytest.mark.parametrize("row", [Scene.member, Scene.mapping, lambda s: s.organization])
def test_saving_an_unchanged_admin_form_writes_no_entry(staffed, row):
    count = AuditEntry.objects.count()
    _admin("change", row)(staffed)()
    assert AuditEntry.objects.count() == count
