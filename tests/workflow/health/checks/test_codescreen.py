"""Findings on CodeScreen's API key."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import (
    CodeScreenConnection,
    Organization,
)
from tests.workflow.health.rows import code_and_level


def test_a_refused_key_is_an_error(healthy_organization: Organization) -> None:
    CodeScreenConnection.objects.update(state="refused")
    assert code_and_level(healthy_organization) == (
        "codescreen_key_refused",
        "error",
    )


@pytest.mark.parametrize(
    ("stored", "verified", "code", "level"),
    [
        (timedelta(minutes=11), None, "codescreen_key_untried", "warning"),
        (timedelta(days=30), timedelta(hours=25), "codescreen_key_unheard", "warning"),
        (timedelta(days=366), timedelta(minutes=1), "codescreen_key_old", "info"),
        (timedelta(minutes=9), None, "ok", "info"),
        (timedelta(days=364), timedelta(hours=23), "ok", "info"),
    ],
)
def test_an_unconfirmed_or_old_key_is_a_finding(
    healthy_organization: Organization, stored: timedelta, verified: timedelta | None, code: str, level: str
) -> None:
    now = timezone.now()
    CodeScreenConnection.objects.update(
        key_stored_at=now - stored, verified_at=now - verified if verified else None
    )
    assert code_and_level(healthy_organization) == (
        code,
        level,
    )
