"""What needs a person's attention, and how far today's candidates came."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from integrations.core.finding_code import HEALTH, FindingCode, Level
from integrations.health.findings import Finding
from integrations.invitations.models.invitation import Invitation
from integrations.pages.overview.overview import Waiting, attention, said_above, today
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories

NOTHING = Waiting(held=0, uncertain=0, not_sent=0, failed_steps=0, offered=0)


def finding(code: FindingCode, level: Level) -> Finding:
    return Finding(code, level, f"What {code} is.", "How to fix it.", HEALTH)


def test_those_who_were_not_invited_are_counted_by_reason_with_a_link_each(
    super_admin, ready_organization, stranger
):
    for name, verdict in (
        ("Alder", "no_assessment"),
        ("Birch", "no_assessment"),
        ("Cedar", "no_email"),
        ("Elder", "left_stage"),
    ):
        candidate(ready_organization, name, verdict)
    candidate(ready_organization, "Fir", "no_email", entered_at=timezone.now() - timedelta(days=40))
    candidate(stranger.memberships.get().organization, "Hazel", "no_email")
    (item,) = attention(super_admin.memberships.get(), NOTHING, [])
    assert item.title == "3 candidates were not invited"
    since = timezone.localdate() - timedelta(days=30)
    assert item.url == f"/activity/?view=not_invited&reason=correctable&since={since}"
    assert list(item.parts) == [
        ("2 no assessment", f"/activity/?view=not_invited&reason=no_assessment&since={since}"),
        ("1 no e-mail address", f"/activity/?view=not_invited&reason=no_email&since={since}"),
    ]


def test_findings_that_stop_invitations_come_first_and_the_others_are_left_to_health(
    super_admin, ready_organization
):
    found = [
        finding(FindingCode.WEBHOOK_REJECTED, Level.WARNING),
        finding(FindingCode.CODESCREEN_KEY_REFUSED, Level.ERROR),
        finding(FindingCode.HELD_INVITATIONS, Level.WARNING),
        finding(FindingCode.PAUSED, Level.WARNING),
        finding(FindingCode.SWEEP_REPAIRED, Level.WARNING),
        finding(FindingCode.RESULTS_NOT_STATED, Level.INFO),
    ]
    counts = replace(NOTHING, held=1)
    items = attention(super_admin.memberships.get(), counts, found)
    assert [item.title for item in items] == [
        "What codescreen_key_refused is.",
        "What webhook_rejected is.",
        "1 candidate needs approval",
    ]
    assert [one.code for one in found if one not in said_above(found)] == [
        FindingCode.SWEEP_REPAIRED,
        FindingCode.RESULTS_NOT_STATED,
    ]


def test_todays_candidates_are_counted(super_admin, ready_organization, stranger, django_assert_num_queries):
    now = timezone.now()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = midnight - timedelta(seconds=1)
    candidate(ready_organization, "Alder", "invite", "completed", "Passed", entered_at=now)
    Invitation.objects.update(invited_at=yesterday, started_at=now)
    candidate(ready_organization, "Birch", "invite", "invited", entered_at=now)
    Invitation.objects.filter(candidate_name="Birch").update(invited_at=now)
    candidate(ready_organization, "Cedar", entered_at=yesterday)
    candidate(stranger.memberships.get().organization, "Elder", entered_at=now)
    member = super_admin.memberships.select_related("organization").get()
    with django_assert_num_queries(1):
        assert [tile.number for tile in today(member)] == [2, 1, 1, 1, 1, 0]


def test_who_may_not_retry_is_led_to_see_who(limited_member, limited_member_client, ready_organization):
    row = candidate(ready_organization, "Alder", status="failed")
    for kind in ("leave_note", "set_progress_tag"):
        factories.EffectFactory.create(
            organization=ready_organization,
            opportunity_id=row.opportunity_id,
            kind=kind,
            state="failed",
            due_at=None,
        )
    factories.on_candidate(ready_organization, row.opportunity_id, limited_member.email)
    items = limited_member_client.get("/").context["attention"]
    assert [(item.title, item.act) for item in items] == [
        ("1 candidate could not be sent an invitation", "See who"),
        ("2 steps failed", "See who"),
    ]
