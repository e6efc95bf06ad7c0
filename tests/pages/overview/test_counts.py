"""Today's counts."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import Result
from integrations.pages.overview.counts import Funnel, today
from tests import factories


def test_todays_candidates_are_counted_by_role_and_together(
    super_admin, ready_organization, stranger, django_assert_num_queries
):
    own, now = {"organization": ready_organization}, timezone.now()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    factories.CandidateFactory.create(**own, opportunity_id="o-1", role_title="Backend", entered_at=now)
    factories.CandidateFactory.create(**own, opportunity_id="o-2", role_title="", entered_at=now)
    yesterday = midnight - timedelta(seconds=1)
    factories.CandidateFactory.create(**own, opportunity_id="o-3", role_title="Data", entered_at=yesterday)
    other = stranger.memberships.get().organization
    factories.CandidateFactory.create(organization=other, opportunity_id="o-4", entered_at=now)
    done = factories.InvitationFactory.create(
        **own,
        role_title="Backend",
        status="completed",
        instance_id="i-1",
        invited_at=yesterday,
        started_at=now,
        completed_at=now,
    )
    Result.objects.create(invitation=done, outcome="Passed")
    sent = factories.InvitationFactory.create(
        **own, role_title="Backend", status="invited", instance_id="i-2", invited_at=now
    )
    factories.DeliveryFactory.create(
        **own,
        invitation=sent,
        verdict="invite",
        received_at=now - timedelta(seconds=3),
        decided_at=now,
        due_at=None,
    )
    member = super_admin.memberships.get()
    with django_assert_num_queries(4):
        counts = today(member)
    assert {row.role: row.funnel for row in counts.roles} == {
        "": Funnel(moved=1),
        "Backend": Funnel(moved=1, invited=1, started=1, submitted=1, passed=1),
    }
    assert counts.total == Funnel(moved=2, invited=1, started=1, submitted=1, passed=1)
    assert counts.seconds_to_invite is not None
    assert round(counts.seconds_to_invite) == 3


def test_there_is_no_time_to_invite_when_nobody_was_invited_today(super_admin, ready_organization):
    assert today(super_admin.memberships.get()).seconds_to_invite is None
