"""The candidates that an incident touched."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from integrations.admin import incident as incident_admin
from integrations.admin.incident import touches, unanswered
from integrations.clients.models import ApiCall
from integrations.core.finding_code import INCIDENTS, FindingCode
from integrations.health.models import Incident
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.acts.invitations import cancel, resolve_as_sent
from integrations.outbox.models import Effect
from tests.admin.audited_scene import Scene, make_scene
from tests.admin.conftest import sign_in
from tests.admin.test_scope import address
from tests.support import factories


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def touched_by(incident: Incident) -> list[tuple[str, str]]:
    return [(touch.opportunity_id, touch.what) for touch in touches(incident)]


def incident(scene: Scene, code: str, **columns: object) -> Incident:
    since = {"began_at": timezone.now() - timedelta(hours=1)}
    return Incident.objects.create(organization=scene.organization, code=code, **(since | columns))


def test_an_outage_touches_whose_invitation_waited_meanwhile(scene: Scene) -> None:
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    assert unanswered(outage) == {"codescreen": 5}
    assert touched_by(outage) == [("o-cedar", "Send invitation: done after 40 minutes")]


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"state": "due"}, "Send invitation: still waits"),
        ({"state": "failed", "due_at": None, "last_error": "HTTP 500"}, "Send invitation: failed. HTTP 500"),
        ({"state": "done", "due_at": None, "quick": True}, None),
        ({"state": "done", "due_at": None, "other": True}, None),
        ({"state": "due", "kind": "leave_note"}, None),
    ],
)
def test_an_outage_touches_what_waits_or_failed_on_that_platform(
    scene: Scene, columns: dict[str, object], what: str | None
) -> None:
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    at = outage.began_at + timedelta(minutes=5)
    is_quick, is_other = columns.pop("quick", False), columns.pop("other", False)
    own = {"organization": scene.organization, "opportunity_id": "o-yew", "kind": "send_invitation"}
    effect = factories.EffectFactory.create(**(own | columns), created_at=at)
    if is_quick:
        Effect.objects.filter(pk=effect.pk).update(done_at=at + timedelta(seconds=5))
    if is_other:  # done before the incident
        long_ago = outage.began_at - timedelta(days=1)
        Effect.objects.filter(pk=effect.pk).update(
            created_at=long_ago, done_at=long_ago + timedelta(minutes=9)
        )
    if columns["state"] == "failed":
        Effect.objects.filter(pk=effect.pk).update(failed_at=at + timedelta(minutes=1))
    found = dict(touched_by(outage))
    assert found.get("o-yew") == what


@pytest.mark.parametrize(
    ("minutes", "columns", "what"),
    [
        (40, {}, "Decided after 40 minutes"),
        (0.5, {}, None),
        (40, {"platform": "codescreen"}, None),
        (
            None,
            {"due_at": timezone.now(), "last_error": "codescreen answered 503"},
            "Still waits for a decision",
        ),
        (None, {"due_at": timezone.now()}, None),
    ],
)
def test_an_outage_touches_whose_decision_waited(
    scene: Scene, minutes: float | None, columns: dict[str, object], what: str | None
) -> None:
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    at = outage.began_at + timedelta(minutes=5)
    decided = {} if minutes is None else {"verdict": "invite", "decided_at": at + timedelta(minutes=minutes)}
    factories.DeliveryFactory.create(
        organization=scene.organization,
        opportunity_id="o-laurel",
        received_at=at,
        **({"due_at": None} | decided | columns),
    )
    assert dict(touched_by(outage)).get("o-laurel") == what


def test_a_decision_made_again_long_after_the_outage_did_not_wait_for_it(scene: Scene) -> None:
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    at = outage.began_at + timedelta(minutes=5)
    delivery = factories.DeliveryFactory.create(
        organization=scene.organization,
        opportunity_id="o-laurel",
        received_at=at,
        decided_at=at,
        verdict="invite",
        due_at=None,
    )
    Verdict.objects.filter(delivery=delivery).supersede()
    later = at + timedelta(hours=2)
    factories.VerdictFactory.create(delivery=delivery, decided_at=later, cause="replay")
    assert "o-laurel" not in dict(touched_by(outage))


def test_a_refused_key_touches_who_was_held_by_it_though_decided_later(scene: Scene) -> None:
    refused = Incident.objects.get(code=FindingCode.CODESCREEN_KEY_REFUSED)
    assert touched_by(refused) == [
        ("o-elm", "Waited because CodeScreen refused the key. Decided later: Invite")
    ]


def test_each_kind_of_incident_finds_its_candidates(scene: Scene) -> None:
    own, now = {"organization": scene.organization}, timezone.now()
    factories.DeliveryFactory.create(
        **own, opportunity_id="o-1", verdict="held_for_approval", decided_at=now, due_at=None
    )
    factories.EffectFactory.create(**own, opportunity_id="o-2", state="failed", due_at=None, failed_at=now)
    factories.InvitationFactory.create(**own, opportunity_id="o-3", status="uncertain")
    factories.DeliveryFactory.create(**own, opportunity_id="o-4", due_at=None, last_error="it crashed")
    factories.DeliveryFactory.create(
        **own, opportunity_id="o-5", received_at=now - timedelta(days=2), last_error="Lever answered 500."
    )
    expected = {
        FindingCode.HELD_INVITATIONS: ["o-1"],
        FindingCode.FAILED_EFFECTS: ["o-2"],
        FindingCode.UNCERTAIN_INVITATIONS: ["o-3"],
        FindingCode.STUCK_DELIVERIES: ["o-4"],
        FindingCode.UNDECIDED_DELIVERIES: ["o-5"],
        FindingCode.SWEEP_REPAIRED: ["o-maple"],
        FindingCode.WEBHOOK_REJECTED: ["o-maple"],
    }
    for code, candidates in expected.items():
        assert [one for one, _ in touched_by(incident(scene, code))] == candidates, code


def test_a_past_incident_names_who_was_settled_since(scene: Scene) -> None:
    admin = factories.member(scene.organization, "admin", "settler")
    own = {"organization": scene.organization}
    settled, again, held = (
        factories.InvitationFactory.create(**own, opportunity_id=name, status=status)
        for name, status in (("o-6", "uncertain"), ("o-7", "uncertain"), ("o-8", "held"))
    )
    for name, invitation in (("o-8", held), ("o-9", None)):
        factories.DeliveryFactory.create(
            **own,
            opportunity_id=name,
            verdict="held_for_approval",
            decided_at=timezone.now(),
            due_at=None,
            invitation=invitation,
        )
    resolve_as_sent(settled, "i-6", admin)
    cancel(again, admin)
    cancel(held, admin)
    over = {"ended_at": timezone.now()}
    uncertain = incident(scene, FindingCode.UNCERTAIN_INVITATIONS, **over)
    assert touched_by(uncertain) == [
        ("o-6", "Possibly sent. Now: invited, not started"),
        ("o-7", "Possibly sent. Now: cancelled"),
    ]
    need_approval = incident(scene, FindingCode.HELD_INVITATIONS, **over)
    assert touched_by(need_approval) == [("o-8", "On hold. Now: cancelled"), ("o-9", "On hold")]


def test_a_past_incident_names_whose_uncertain_invitation_codescreen_settled(scene: Scene) -> None:
    invitation = factories.InvitationFactory.create(organization=scene.organization, opportunity_id="o-6")
    columns = {"invitation": invitation, "kind": "send_email", "email_topic": "invitation_uncertain"}
    factories.EffectFactory.create(organization=scene.organization, **columns)
    uncertain = incident(scene, FindingCode.UNCERTAIN_INVITATIONS, ended_at=timezone.now())
    assert touched_by(uncertain) == [("o-6", "Possibly sent. Now: waiting to be sent")]


def test_nothing_of_another_organization_is_touched(scene: Scene) -> None:
    elsewhere = factories.OrganizationFactory.create()
    began = timezone.now() - timedelta(days=30)
    for code in INCIDENTS:
        row = Incident.objects.create(organization=elsewhere, code=code, began_at=began)
        assert touches(row) == [], code


def test_the_page_names_the_candidates_and_links_to_everything_of_that_time(scene: Scene) -> None:
    client = sign_in(None, is_superuser=True)
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    page = client.get(address(Incident, "change", outage.pk)).content.decode()
    assert "Candidate Cedar" in page
    assert "CodeScreen: 5" in page
    assert "Lever or CodeScreen" not in page
    assert page.count("CodeScreen doesn&#x27;t answer") >= 2  # title and field
    lost = "1 candidate. Everything that waited was decided or done since: nothing was lost."
    assert lost in page
    still = {"state": "due", "kind": "send_invitation", "opportunity_id": "o-yew"}
    effect = factories.EffectFactory.create(organization=scene.organization, **still)
    Effect.objects.filter(pk=effect.pk).update(created_at=outage.began_at)
    page = client.get(address(Incident, "change", outage.pk)).content.decode()
    assert "2 candidates</p>" in page
    lists = [unescape(found) for found in re.findall(r'href="([^"]*since=[^"]*)"', page)]
    assert len(lists) == 4
    deliveries, effects = (client.get(found).context["cl"].result_list for found in lists[:2])
    assert not deliveries
    assert [effect.opportunity_id for effect in effects] == ["o-yew", "o-cedar"]


def test_of_very_many_calls_the_latest_are_counted_and_it_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_admin, "MOST", 3)
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    page = sign_in(None, is_superuser=True).get(address(Incident, "change", outage.pk)).content.decode()
    assert "CodeScreen: 3, of the latest 3" in page


def test_an_outage_of_both_platforms_names_both(scene: Scene) -> None:
    outage = Incident.objects.get(code=FindingCode.PLATFORM_DOWN)
    assert outage.title == "CodeScreen doesn't answer"
    for _ in range(5):
        own = {"organization": scene.organization, "platform": "lever", "status": 503, "duration_ms": 9}
        ApiCall.objects.create(**own, method="GET", path="/stages", at=outage.began_at)
    assert outage.title == "Lever or CodeScreen doesn't answer"
