"""The policies of a file: stored, exported and read back."""

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from tests.management.test_configure import WHOLE, exported

pytestmark = pytest.mark.django_db


def test_ending_a_pause_requeues_what_waited(configure) -> None:
    configure(WHOLE)
    delivery = Delivery.objects.create(
        organization=Organization.objects.get(),
        platform="lever",
        event="candidateStageChange",
        dedupe_key="1",
        payload={},
        verdict="paused",
        decided_at=timezone.now(),
        due_at=None,
    )
    configure(WHOLE.replace("paused = true", "paused = false"))
    delivery.refresh_from_db()
    assert delivery.due_at is not None


def test_a_pause_is_ended_although_another_stored_policy_is_invalid(configure) -> None:
    configure(WHOLE)
    Organization.objects.update(time_zone="Mars/Phobos")
    configure(WHOLE.replace("paused = true", "paused = false"))
    assert not Organization.objects.get().paused


def test_a_number_that_may_be_left_out_is_exported_read_back_and_taken_away(configure) -> None:
    configure(WHOLE)
    assert "passing_score" not in exported()
    head = '[organization]\nslug = "acme"\n[policies]\n'
    assert configure(head + "passing_score = 70\n").splitlines() == ["+ policies.passing_score: 70"]
    assert configure(head + 'passing_score = ""\n').splitlines() == ["- policies.passing_score: 70"]
    assert Organization.objects.get().passing_score is None
    assert configure(head + 'passing_score = ""\n') == "nothing to change\n"


def test_the_rules_of_origins_are_replaced_as_a_whole(configure) -> None:
    configure(WHOLE)
    head = '[organization]\nslug = "acme"\n[policies]\n'
    first = head + 'origins = { agency = "hold", internal = "skip", applied = "send" }\n'
    whole = '{ agency = "hold", applied = "send", internal = "skip" }'
    assert configure(first).splitlines() == [f"~ policies.origins: {{}} → {whole}"]
    assert configure(first) == "nothing to change\n"
    other = head + '[policies.origins]\nreferred = "hold"\n'
    assert configure(other).splitlines() == [f'~ policies.origins: {whole} → {{ referred = "hold" }}']
    assert Organization.objects.get().origins == {"referred": "hold"}
    configure(head + "origins = {}\n")
    assert Organization.objects.get().origins == {}
