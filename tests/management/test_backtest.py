"""`backtest`: one line for each verdict that would differ, the count last, errors that name the key."""

from datetime import UTC, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.catalog.models.platform_lists import Assessment
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.configuration.file import dump
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.past_decisions import decide_about

NOON = timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def acme(db) -> Organization:
    """An organization that has decided about three candidates; the second got no assessment."""
    acme = Organization.objects.create(name="Acme", slug="acme")
    for name in ("Backend", "Frontend"):
        Assessment.objects.create(organization=acme, external_id=f"id-{name.lower()}", name=name)
    RoleMapping.objects.create(organization=acme, role="Backend Engineer", assessment="Backend")
    for number, role in enumerate(["Backend Engineer", "Designer", "Backend Engineer"]):
        decide_about(acme, f"opportunity-{number}", role, NOON + timedelta(hours=number))
    return acme


@pytest.fixture
def backtest(tmp_path: Path):
    """The function that runs the command with a file of this text, and returns the lines that it prints."""

    def run(text: str, *options: str, organization: str = "acme") -> list[str]:
        path = tmp_path / "acme.toml"
        path.write_text(text)
        out = StringIO()
        call_command("backtest", organization, str(path), *options, stdout=out)
        return out.getvalue().splitlines()

    return run


def test_the_exported_file_gives_the_verdicts_that_were_given(acme, backtest):
    assert backtest(dump(acme)) == ["0 of 3 would differ"]


def test_each_that_would_differ_is_a_line_without_a_name(acme, backtest):
    lines = backtest('[organization]\nslug = "acme"\n[policies]\ndefault_assessment = "frontend"\n')
    assert lines == [
        f"{NOON:%Y-%m-%d} 13:00 opportunity opportunity-1: no_assessment → invite (“Frontend”)",
        "1 of 3 would differ",
    ]


def test_a_mapping_of_the_file_replaces_the_stored_one_of_its_role(acme, backtest):
    text = '[organization]\nslug = "acme"\n[[mappings]]\nrole = "Backend Engineer"\nassessment = "Frontend"\n'
    assert backtest(text) == [
        f"{NOON:%Y-%m-%d} 12:00 opportunity opportunity-0: invite (“Backend”) → invite (“Frontend”)",
        f"{NOON:%Y-%m-%d} 14:00 opportunity opportunity-2: invite (“Backend”) → invite (“Frontend”)",
        "2 of 3 would differ",
    ]


def test_what_the_file_leaves_out_stays_as_when_it_is_applied(acme, backtest):
    assert backtest('[organization]\nslug = "acme"\n') == ["0 of 3 would differ"]


def test_the_prefix_of_the_file_counts(acme, backtest):
    lines = backtest('[organization]\nslug = "acme"\nstage_prefix = "Test"\n')
    assert lines[-1] == "3 of 3 would differ"
    assert lines[0].endswith("invite (“Backend”) → not_a_trigger_stage")


def test_only_what_was_decided_since_the_date_is_looked_at(acme, backtest):
    text = '[organization]\nslug = "acme"\nstage_prefix = "Test"\n'
    assert backtest(text, "--since", (NOON + timedelta(minutes=90)).isoformat())[-1] == "1 of 1 would differ"
    assert backtest(text, "--since", f"{NOON + timedelta(days=1):%Y-%m-%d}") == ["0 of 0 would differ"]
    assert backtest(text, "--since", "0001-01-01")[-1] == "3 of 3 would differ"
    with pytest.raises(CommandError, match="--since 'yesterday' is no date"):
        backtest(text, "--since", "yesterday")


def test_what_cannot_be_decided_again_is_counted_before_the_last_line(acme, backtest):
    factories.DeliveryFactory.create(
        organization=acme, verdict="invite", decided_at=NOON, due_at=None, opportunity_id="older"
    )
    assert backtest('[organization]\nslug = "acme"\n') == [
        "1 can't be decided again: what was known then is no longer stored, or never was",
        "0 of 3 would differ",
    ]


def test_what_lever_was_not_asked_is_not_guessed(acme, backtest):
    factories.DeliveryFactory.create(
        organization=acme,
        verdict="not_a_trigger_stage",
        decided_at=NOON,
        due_at=None,
        opportunity_id="unread",
        facts={"version": 1, "stage": ["stage-2", "Phone screen"]},
    )
    lines = backtest(
        '[organization]\nslug = "acme"\n[[mappings]]\nrole = "A"\nstage = "Phone screen"\nassessment = "B"\n'
    )
    assert lines == [
        f"{NOON:%Y-%m-%d} 12:00 opportunity unread: not_a_trigger_stage → depends on what Lever wasn't asked",
        "1 of 4 would differ",
    ]


def test_nothing_is_written(acme, backtest):
    rows = {model: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    backtest(dump(acme).replace("bulk_limit = 50", "bulk_limit = 1"))
    assert {model: list(model._base_manager.order_by("pk").values()) for model in rows} == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[organization]\nslug = "acme"\n[policies]\nbulk_limits = 1\n', "Unknown key policies.bulk_limits"),
        ('[organization]\nslug = "acme"\n[policies]\nbulk_window = 0\n', "policies.bulk_window"),
        ('[organization]\nslug = "acme"\n[policies]\nrating_2_from = 90\n', "Rating thresholds must rise"),
        ('[organization]\nslug = "other"\nname = "Other"\n', "organization.slug is 'other'"),
        ("[organization\n", "not TOML"),
    ],
)
def test_a_file_that_configure_refuses_is_refused(acme, backtest, text, message):
    with pytest.raises(CommandError, match=message):
        backtest(text)


def test_an_unknown_organization_and_a_missing_file_are_errors(acme, backtest):
    with pytest.raises(CommandError, match="Did you mean acme"):
        backtest("", organization="acne")
    with pytest.raises(CommandError, match="can't be read"):
        call_command("backtest", "acme", "/nowhere/acme.toml")
