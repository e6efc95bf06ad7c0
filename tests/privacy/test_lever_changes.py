"""Somebody that Lever anonymized or deleted without a webhook, or that is gone there, is found and erased."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.http.session import PlatformError
from integrations.lever import transport
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.privacy.models import Erasure
from integrations.queue import duties
from tests.support import duty_runs


def follow(scenario) -> int:
    """Follow all erasures; return in how many turns."""

    def turn(place):
        return duties.follow_erasures(Organization.objects.reread(scenario.organization.pk), place)

    return duty_runs.turns_until_done(turn, 200)


def lists_read() -> list[str]:
    paths = ("/opportunities", "/opportunities/deleted")
    calls = ApiCall.objects.filter(path__in=paths).order_by("pk")
    return [call.path for call in calls for _ in range(1 + call.repeats)]


@pytest.mark.parametrize(("action", "cause"), [("anonymize", "anonymized"), ("delete", "deleted")])
def test_what_lever_did_without_a_webhook_is_found(scenario, action, cause):
    invitation = scenario.sent_invitation()
    scenario.sandbox.lever_does(action, opportunities=[invitation.opportunity_id])
    follow(scenario)
    assert Erasure.objects.get().cause == cause
    assert scenario.reread(invitation).email == ""


def test_the_sweep_command_finds_it_too(scenario):
    invitation = scenario.sent_invitation()
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    out = StringIO()
    call_command("sweep", stdout=out)
    assert out.getvalue() == "repaired 0\n"
    assert Erasure.objects.get().cause == "anonymized"


def test_an_anonymized_candidate_in_another_stage_or_archived_is_found_too(scenario):
    invitation = scenario.sent_invitation()
    account = scenario.sandbox.lever.accounts["acme"]
    reason = next(iter(account.archive_reasons))
    scenario.sandbox.lever_does("archive", opportunities=[invitation.opportunity_id], reason=reason)
    scenario.sandbox.lever_does("anonymize", opportunities=[invitation.opportunity_id])
    follow(scenario)
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


def test_a_long_gap_is_read_in_windows_and_continued_where_it_was_cut_off(scenario):
    LeverConnection.objects.update(erasures_read_at=timezone.now() - timedelta(days=90))
    scenario.lever_fails("/v1/opportunities/deleted", method="GET", status=500, times=20)
    with pytest.raises(Exception, match="500"):
        follow(scenario)
    scenario.sandbox.lever_does("faults", seed=1, rules=[])
    ApiCall.objects.all().delete()
    follow(scenario)
    assert 29 * 2 <= len(lists_read()) <= 31 * 2


def test_what_came_after_the_last_whole_window_is_read_at_once(scenario):
    invitation = scenario.sent_invitation()
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
        ApiCall.objects.create(
            organization=scenario.organization,
            opportunity_id=invitation.opportunity_id,
            platform="lever",
            method="GET",
            path=f"/opportunities/{invitation.opportunity_id}",
            status=status,
            duration_ms=1,
            correlation_id="c",
            at=timezone.now() - ago,
        )

    @pytest.fixture(autouse=True)
    def _shown(self, scenario, gone):
        LeverConnection.objects.update(connected_at=timezone.now() - timedelta(days=9))
        ApiCall.objects.all().delete()
        self.missed(scenario, gone, ago=timedelta(days=3), status=200)

    def test_a_404_confirmed_after_a_day_erases(self, scenario, gone):
        self.missed(scenario, gone, ago=timedelta(days=2))
        follow(scenario)
        assert Erasure.objects.get().cause == "gone"
        assert scenario.reread(gone).email == ""

    def test_a_404_after_a_write_alone_erases(self, scenario, gone):
        path = f"/opportunities/{gone.opportunity_id}/addTags"
        ApiCall.objects.update(method="POST", path=path)
        self.missed(scenario, gone, ago=timedelta(days=2))
        follow(scenario)
        assert Erasure.objects.get().cause == "gone"

    def test_a_first_404_of_today_is_not_believed(self, scenario, gone):
        self.missed(scenario, gone, ago=timedelta(hours=2))
        follow(scenario)
        assert not Erasure.objects.exists()

    def test_a_candidate_shown_again_meanwhile_is_kept(self, scenario, gone):
        self.missed(scenario, gone, ago=timedelta(days=2))
        self.missed(scenario, gone, ago=timedelta(days=1), status=200)
        follow(scenario)
        assert not Erasure.objects.exists()

    def test_a_refusal_is_not_a_404(self, scenario, gone):
        self.missed(scenario, gone, ago=timedelta(days=2), status=403)
        follow(scenario)
        assert not Erasure.objects.exists()

    def test_another_lever_account_erases_nobody(self, scenario, gone):
        LeverConnection.objects.update(connected_at=timezone.now() - timedelta(days=2, hours=12))
        self.missed(scenario, gone, ago=timedelta(days=2))
        follow(scenario)
        assert not Erasure.objects.exists()
