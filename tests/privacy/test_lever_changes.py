"""Somebody that Lever anonymized or deleted without a webhook, or that is gone there, is found and erased."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.http.session import PlatformError
from integrations.lever import transport
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.privacy import lever_changes
from integrations.privacy.models import Erasure
from integrations.queue import duties
from tests.management.conftest import printed_by
from tests.support import duty_runs, factories


def follow(scenario) -> int:
    """Follow all erasures; return in how many turns."""

    def turn(place):
        return duties.follow_erasures(Organization.objects.reread(scenario.organization.pk), place)

    return duty_runs.turns_until_done(turn, 200)


def lists_read() -> list[str]:
    paths = ("/opportunities", "/opportunities/deleted")
    calls = ApiCall.objects.filter(path__in=paths).order_by("pk")
    return [call.path for call in calls for _ in range(1 + call.repeats)]


def test_the_sweep_command_finds_who_was_anonymized(scenario):
    invitation = scenario.sent_invitation()
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    assert printed_by("sweep") == "repaired 0\n"
    assert Erasure.objects.get().cause == "anonymized"


def test_candidates_without_stored_data_leave_no_receipt(scenario):
    ids = [scenario.sandbox.opportunity_id(word) for word in ("Birch", "Cedar")]
    scenario.sandbox.lever_does("anonymize", opportunities=ids[:1])
    scenario.sandbox.lever_does("delete", opportunities=ids[1:])
    scenario.organization.deliveries.all().delete()
    follow(scenario)
    assert not Erasure.objects.exists()


def test_a_run_asks_for_what_changed_since_the_last_one_with_two_calls(scenario):
    follow(scenario)
    ApiCall.objects.all().delete()
    follow(scenario)
    assert lists_read() == ["/opportunities", "/opportunities/deleted"]


def test_a_long_gap_is_read_in_windows_and_continued_where_it_was_cut_off(scenario, monkeypatch):
    monkeypatch.setattr(lever_changes, "LOOK_BACK", timedelta(days=6))
    LeverConnection.objects.update(erasures_read_at=timezone.now() - timedelta(days=90))
    scenario.lever_fails("/v1/opportunities/deleted", method="GET", status=500, times=20)
    with pytest.raises(Exception, match="500"):
        follow(scenario)
    scenario.sandbox.lever_does("faults", seed=1, rules=[])
    ApiCall.objects.all().delete()
    follow(scenario)
    assert 6 * 2 <= len(lists_read()) <= 8 * 2


def test_who_was_archived_and_anonymized_after_the_last_whole_window_is_found_at_once(scenario):
    invitation = scenario.sent_invitation()
    reason = next(iter(scenario.sandbox.lever.accounts["acme"].archive_reasons))
    scenario.sandbox.lever_does("archive", opportunities=[invitation.opportunity_id], reason=reason)
    LeverConnection.objects.update(erasures_read_at=timezone.now() - timedelta(days=2, hours=5))
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    follow(scenario)
    assert Erasure.objects.get().cause == "anonymized"


@pytest.mark.parametrize("path", ["/v1/opportunities", "/v1/opportunities/deleted"])
def test_a_window_counts_as_read_only_once_both_lists_were_read(scenario, path):
    before = timezone.now() - timedelta(hours=5)
    LeverConnection.objects.update(erasures_read_at=before)
    scenario.lever_fails(f"{path}$", method="GET", status=500, times=20)
    with pytest.raises(PlatformError, match="500"):
        follow(scenario)
    assert LeverConnection.objects.get().erasures_read_at == before


def test_a_grant_that_may_not_list_the_deleted_still_finds_the_anonymized(scenario):
    invitation = scenario.sent_invitation()
    scenario.lever_fails("/v1/opportunities/deleted", method="GET", status=403, times=5)
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    follow(scenario)
    assert Erasure.objects.get().cause == "anonymized"


@pytest.mark.slow
@pytest.mark.parametrize("action", ["anonymize", "delete"])
def test_a_list_that_one_turn_cannot_read_is_read_in_turns_to_its_end(scenario, monkeypatch, action):
    """A turn reads one page, and here a page has one row."""
    monkeypatch.setattr(transport, "PAGE_SIZE", 1)
    LeverConnection.objects.update(erasures_read_at=timezone.now() - timedelta(minutes=10))
    ids = [scenario.pending_invitation(word).opportunity_id for word in ("Alder", "Birch", "Cedar")]
    scenario.sandbox.lever_does(action, opportunities=ids)
    ApiCall.objects.all().delete()
    number = follow(scenario)
    assert 3 < len(lists_read()) == number
    assert set(Erasure.objects.values_list("opportunity_id", flat=True)) == set(ids)
    read_up_to = LeverConnection.objects.get().erasures_read_at
    assert read_up_to is not None
    assert read_up_to > timezone.now() - timedelta(minutes=5)


class TestGone:
    """Lever answers 404, and no report and no list says why."""

    @pytest.fixture
    def gone(self, scenario):
        """An invited candidate; Lever showed them before, and answers 404 now."""
        invitation = scenario.sent_invitation()
        account = scenario.sandbox.lever.accounts["acme"]
        account.drop_opportunity(account.opportunities[invitation.opportunity_id])
        account.deleted.clear()
        return invitation

    def missed(self, scenario, invitation, *, ago: timedelta, status: int = 404) -> None:
        factories.ApiCallFactory.create(
            organization=scenario.organization,
            opportunity_id=invitation.opportunity_id,
            path=f"/opportunities/{invitation.opportunity_id}",
            status=status,
            at=timezone.now() - ago,
        )

    @pytest.fixture(autouse=True)
    def _shown(self, scenario, gone):
        LeverConnection.objects.update(connected_at=timezone.now() - timedelta(days=9))
        ApiCall.objects.all().delete()
        self.missed(scenario, gone, ago=timedelta(days=3), status=200)

    def test_a_404_after_a_write_alone_erases(self, scenario, gone):
        path = f"/opportunities/{gone.opportunity_id}/addTags"
        ApiCall.objects.update(method="POST", path=path)
        self.missed(scenario, gone, ago=timedelta(days=2))
        follow(scenario)
        assert Erasure.objects.get().cause == "gone"

    @pytest.mark.parametrize(
        ("answers", "is_gone"),
        [
            pytest.param([(48, 404)], True, id="a 404 that is confirmed after a day"),
            pytest.param([(2, 404)], False, id="a first 404 of today"),
            pytest.param([(48, 404), (24, 200)], False, id="shown again meanwhile"),
            pytest.param([(48, 403)], False, id="a refusal"),
        ],
    )
    def test_who_is_gone_for_a_day_is_erased(self, scenario, gone, answers, is_gone):
        for hours, status in answers:
            self.missed(scenario, gone, ago=timedelta(hours=hours), status=status)
        follow(scenario)
        assert list(Erasure.objects.values_list("cause", flat=True)) == (["gone"] if is_gone else [])
        assert (scenario.reread(gone).email == "") is is_gone

    def test_a_candidate_whom_lever_refuses_when_asked_again_is_kept(self, scenario, gone):
        self.missed(scenario, gone, ago=timedelta(days=2))
        path = f"/v1/opportunities/{gone.opportunity_id}"
        scenario.lever_fails(path, method="GET", status=403, times=5)
        follow(scenario)
        assert not Erasure.objects.exists()

    def test_another_lever_account_erases_nobody(self, scenario, gone):
        LeverConnection.objects.update(connected_at=timezone.now() - timedelta(days=2, hours=12))
        self.missed(scenario, gone, ago=timedelta(days=2))
        follow(scenario)
        assert not Erasure.objects.exists()
