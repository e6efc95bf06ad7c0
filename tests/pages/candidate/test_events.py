"""What happened, as sentences, the newest first; and when a platform didn't answer."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.health.models import Incident
from integrations.pages.candidate.events import events, outage_events
from integrations.pages.candidate.rows import CandidateRows
from tests.pages.candidate import histories
from tests.support import factories


def lines(organization, opportunity_id):
    return [event.text for event in events(CandidateRows(organization, opportunity_id))]


def test_a_journey_is_told_newest_first(organization):
    histories.make(organization, "passed")
    assert lines(organization, "o-passed") == [
        "E-mail sent to the team",
        "Passed, 82",
        "Submitted “Backend”",
        "Started “Backend”",
        "Invited to “Backend”",
        "Decided to invite",
        "Moved into “CodeScreen Assessment” in Lever",
    ]


@pytest.mark.parametrize(
    ("state", "line", "tone"),
    [
        ("failed", "Failed, 12", "bad"),
        ("failed", "The feedback could not be written", "bad"),
        ("expired", "Expired", "warn"),
        ("unstated", "Score 71.5, result not stated by CodeScreen, attempt 2", "neutral"),
        ("not-invited", "Not invited: unknown assessment", "warn"),
        ("held", histories.ON_HOLD, "warn"),
        ("uncertain", "“Backend” was possibly sent", "warn"),
        ("three-rounds", "“Backend” was cancelled", "neutral"),
        ("three-rounds", "Invited to “Backend”, round 3", "info"),
    ],
)
def test_an_event_is_coloured_by_what_it_means(organization, state, line, tone):
    histories.make(organization, state)
    found = {event.text: event.tone for event in events(CandidateRows(organization, f"o-{state}"))}
    assert found[line] == tone


def test_updates_from_codescreen_and_other_stages_are_no_noise(organization):
    own = {"organization": organization, "opportunity_id": "o-1", "due_at": None}
    now = factories.a_moment_ago()
    factories.DeliveryFactory.create(
        **own, platform="codescreen", event="assessment.started", verdict="noted", decided_at=now
    )
    factories.DeliveryFactory.create(**own, verdict="not_a_trigger_stage", decided_at=now)
    factories.DeliveryFactory.create(**own, event="candidateHired", verdict="ignored_event", decided_at=now)
    factories.DeliveryFactory.create(**own, event="sweep", verdict="no_email", decided_at=now)
    assert sorted(lines(organization, "o-1")) == [
        "Found in another stage when comparing with Lever",
        "Hired in Lever",
        "Moved into another stage in Lever",
        "Not invited: no e-mail address",
    ]


MOVED_AT = datetime(2026, 11, 20, 16, 14, tzinfo=UTC)
OWN = {"opportunity_id": "o-laurel"}


def told(organization) -> list[str]:
    return [event.text for event in outage_events(CandidateRows(organization, "o-laurel"))]


def moved(organization, decided_after=None):
    """Let the candidate enter the stage, and be decided about so much later."""
    decided = (
        {"verdict": "invite", "decided_at": MOVED_AT + decided_after, "due_at": None} if decided_after else {}
    )
    return factories.DeliveryFactory.create(organization=organization, received_at=MOVED_AT, **OWN, **decided)


def call(organization, minutes, status=503, platform="codescreen", **row):
    at = MOVED_AT + timedelta(minutes=minutes)
    return factories.ApiCallFactory.create(
        organization=organization, platform=platform, status=status, at=at, **OWN, **row
    )


def test_a_decision_that_waited_says_who_waited_how_long_and_how_often(organization):
    delivery = moved(organization, timedelta(minutes=54))
    for minutes in range(9):
        call(organization, minutes, status=None if minutes == 4 else 503, delivery=delivery)
    call(organization, 54, status=200, delivery=delivery)
    assert told(organization) == ["Waited for CodeScreen from 16:14 to 17:08; tried 9 times"]


def test_steps_that_waited_together_are_told_once(organization):
    effects = [
        factories.EffectFactory.create(
            organization=organization,
            kind=kind,
            state="done",
            due_at=None,
            created_at=MOVED_AT,
            retry_window_started_at=MOVED_AT,
            done_at=MOVED_AT + timedelta(minutes=minutes),
            **OWN,
        )
        for kind, minutes in (("set_progress_tag", 30), ("leave_note", 40))
    ]
    for number, effect in enumerate(effects):
        call(organization, number, platform="lever", effect=effect)
    assert told(organization) == ["Waited for Lever from 16:14 to 16:54; tried 2 times"]


def test_a_step_whose_calls_were_put_off_is_explained_by_the_incident(organization):
    moved(organization, timedelta(days=1, minutes=34))
    Incident.objects.create(
        organization=organization,
        code="platform_down",
        began_at=MOVED_AT - timedelta(minutes=8),
        ended_at=MOVED_AT + timedelta(days=1, minutes=33),
    )
    assert told(organization) == [
        "Waited for Lever or CodeScreen from 20 November, 16:14 to 21 November, 16:47"
    ]


@pytest.mark.parametrize(
    ("state", "done_at"), [("uncertain", None), ("done", MOVED_AT + timedelta(minutes=51))]
)
def test_an_invitation_without_an_answer_waits_for_nobody_settled_later_or_not(organization, state, done_at):
    invited_at = done_at and MOVED_AT + timedelta(minutes=1)
    effect = factories.EffectFactory.create(
        organization=organization,
        invitation=factories.InvitationFactory.create(
            organization=organization, invited_at=invited_at, **OWN
        ),
        kind="send_invitation",
        state=state,
        due_at=None,
        created_at=MOVED_AT,
        retry_window_started_at=MOVED_AT,
        done_at=done_at,
        **OWN,
    )
    call(organization, 1, status=None, effect=effect)
    assert told(organization) == ["CodeScreen gave no answer at 16:15"]


def test_what_still_waits_says_since_when_only_while_the_platform_answers_nobody(organization):
    delivery = moved(organization)
    call(organization, 1, delivery=delivery)
    assert told(organization) == ["CodeScreen gave no answer at 16:15"]
    began_at = MOVED_AT + timedelta(minutes=1)
    Incident.objects.create(organization=organization, code="platform_down", began_at=began_at)
    assert told(organization) == ["CodeScreen hasn't answered since 20 November, 16:15; tried 1 time"]


@pytest.mark.parametrize(
    ("status", "waited"),
    [
        (200, timedelta(minutes=54)),
        (404, timedelta(minutes=54)),
        (429, timedelta(minutes=54)),
        (503, timedelta(seconds=4)),  # made up for at once
    ],
)
def test_nothing_is_said_of_a_platform_that_answered(organization, status, waited):
    delivery = moved(organization, waited)
    call(organization, 0, status=status, delivery=delivery)
    assert told(organization) == []
