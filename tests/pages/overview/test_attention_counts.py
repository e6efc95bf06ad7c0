"""Today's counts."""

from datetime import timedelta

from django.utils import timezone

from integrations.invitations.models.result import Result
from integrations.pages.overview.overview import today
from tests.support import factories


def test_todays_candidates_are_counted(super_admin, ready_organization, stranger, django_assert_num_queries):
    own, now = {"organization": ready_organization}, timezone.now()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = midnight - timedelta(seconds=1)
    for opportunity_id, role_title, entered_at in (
        ("o-1", "Backend", now),
        ("o-2", "", now),
        ("o-3", "Data", yesterday),
    ):
        factories.CandidateFactory.create(
            **own, opportunity_id=opportunity_id, role_id="", role_title=role_title, entered_at=entered_at
        )
    other = stranger.memberships.get().organization
    factories.CandidateFactory.create(organization=other, opportunity_id="o-4", entered_at=now)
    done = factories.InvitationFactory.create(
        **own,
        opportunity_id="o-1",
        role_title="Backend",
        status="completed",
        instance_id="i-1",
        invited_at=yesterday,
        started_at=now,
        completed_at=now,
    )
    Result.objects.create(invitation=done, outcome="Passed")
    factories.InvitationFactory.create(
        **own, opportunity_id="o-2", status="invited", instance_id="i-2", invited_at=now
    )
    member = super_admin.memberships.select_related("organization").get()
    with django_assert_num_queries(1):
        assert [tile.number for tile in today(member)] == [2, 1, 1, 1, 1, 0]


def test_who_finished_between_two_polls_started_too(super_admin, ready_organization):
    """The published API tells of no start; who expired may never have started."""
    now = timezone.now()
    for opportunity, outcome in (("o-1", ""), ("o-2", "Expired")):
        factories.CandidateFactory.create(
            organization=ready_organization, opportunity_id=opportunity, entered_at=now
        )
        done = factories.InvitationFactory.create(
            organization=ready_organization,
            opportunity_id=opportunity,
            status="completed",
            instance_id=opportunity,
            invited_at=now - timedelta(days=3),
            completed_at=now,
        )
        Result.objects.create(invitation=done, outcome=outcome)
    assert [tile.number for tile in today(super_admin.memberships.get())] == [2, 0, 1, 2, 0, 0]
