"""What happened, as sentences, the newest first."""

import pytest

from integrations.pages.candidate.events import events
from integrations.pages.candidate.rows import read_rows
from tests import factories
from tests.pages.candidate import histories


def lines(organization, opportunity_id):
    return [event.text for event in events(read_rows(organization, opportunity_id))]


def test_a_journey_is_told_newest_first(organization, super_admin):
    histories.make(organization, super_admin, "passed")
    assert lines(organization, "o-passed") == [
        "E-mail sent to the team: “Alder: Passed 82 (Backend)”",
        "Moved into “Onsite interview” in Lever by the portal",
        "Report link added in Lever",
        f"Tags set to “{histories.TAG}” and “cs-passed”",
        "Feedback written in Lever",
        "Passed, 82",
        "Submitted “Backend”",
        "Started “Backend”",
        "Tag set to “CodeScreen: Candidate Invited”",
        "Invited to “Backend”",
        "Decided to invite",
        "Moved into “CodeScreen Assessment” in Lever",
    ]


@pytest.mark.parametrize(
    ("state", "line", "tone"),
    [
        ("failed", "Failed, 12", "bad"),
        ("failed", "The feedback could not be written", "bad"),
        ("failed", "Waits for a person's decision, because the candidate failed", "warn"),
        ("expired", "Expired", "warn"),
        ("unstated", "Result not stated by CodeScreen, score 71.5, attempt 2", "neutral"),
        ("not-invited", "Not invited: unknown assessment", "warn"),
        ("held", histories.ON_HOLD, "warn"),
        ("uncertain", "“Backend” was possibly sent", "warn"),
        ("bounced", "The invitation to “Backend” bounced", "bad"),
        ("three-rounds", "“Backend” was cancelled", "neutral"),
        ("three-rounds", "Invited to “Backend”, round 3", "info"),
        ("erased", "Note left in Lever", "neutral"),
    ],
)
def test_an_event_is_coloured_by_what_it_means(organization, super_admin, state, line, tone):
    histories.make(organization, super_admin, state)
    found = {event.text: event.tone for event in events(read_rows(organization, f"o-{state}"))}
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
