"""The list of candidates: everyone who entered a CodeScreen stage, by outcome, found by name, address or link."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from integrations.catalog.models import Role
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.pages.activity import activity
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories
from tests.support.page_text import text

CANDIDATES = "/activity/"
EXPORT = "/candidates/export/"


def shown(client, **query) -> list[str]:
    """Return the names of the candidates that the list shows."""
    return [candidate.name for candidate in client.get(CANDIDATES, query).context["page"]]


def candidate(organization, name, verdict="", status="", outcome="", **columns) -> Candidate:
    """Store a candidate with a delivery of this verdict, and an invitation if a status is given."""
    opportunity_id = columns.pop("opportunity_id", f"o-{name.lower()}")
    own: dict[str, str | Model] = {"organization": organization, "opportunity_id": opportunity_id}
    invitation = None
    if status:
        is_sent = status in {"invited", "in_progress", "submitted", "completed"}
        invitation = factories.InvitationFactory.create(
            **own,
            candidate_name=name,
            email=f"{opportunity_id}@candidates.example",
            status=status,
            instance_id=f"i-{name}" if is_sent else "",
            completed_at=timezone.now() if status == "completed" else None,
        )
    delivery = factories.DeliveryFactory.create(
        **own,
        verdict=verdict or "invite",
        explanation=f"Why {name} is there.",
        decided_at=timezone.now(),
        due_at=None,
        invitation=invitation,
    )
    if invitation and outcome:
        Result.objects.create(invitation=invitation, outcome=outcome, score=82)
    return factories.CandidateFactory.create(
        **own, name=name, delivery=delivery, invitation=invitation, outcome=outcome, **columns
    )


def invited(organization, name, status, **columns) -> Invitation:
    """Store a candidate whose invitation has this status, and return the invitation."""
    invitation = candidate(organization, name, status=status, **columns).invitation
    assert invitation is not None
    return invitation


@pytest.fixture
def everyone(organization):
    """A candidate of each kind."""
    kinds = [
        ("Alder", "invite", "completed", "Passed"),
        ("Birch", "invite", "completed", "Failed"),
        ("Cedar", "invite", "completed", "Expired"),
        ("Hazel", "no_email", "", ""),
        ("Rowan", "invite", "in_progress", ""),
        ("Maple", "held_for_approval", "held", ""),
        ("Elder", "left_stage", "", ""),
        ("Aspen", "invite", "invited", ""),
    ]
    now = timezone.now()
    return [
        candidate(organization, *kind, entered_at=now - timedelta(minutes=number))
        for number, kind in enumerate(kinds)
    ]


def test_each_candidate_has_a_row_with_role_outcome_and_what_is_next(super_admin_client, everyone):
    Invitation.objects.update(followed_since=timezone.now() - timedelta(days=4, hours=3))
    page = text(super_admin_client.get(CANDIDATES))
    for words in (
        "Backend Engineer",
        '<span class="badge good">Passed 82</span>',
        "Add an e-mail address in Lever",
        "Waits for the candidate to finish",
        "Waits for the candidate to start",
        "On hold",
        "Why Hazel is there.",
    ):
        assert words in page, words
    assert re.findall(r"Not started for <time [^>]*>([^<]*)</time>", page) == ["4 days"]


EVERYBODY = ["Alder", "Birch", "Cedar", "Hazel", "Rowan", "Maple", "Elder", "Aspen"]


def test_a_tab_and_a_status_show_their_candidates(super_admin_client, everyone):
    for name, value, names in (
        ("view", "", EVERYBODY),
        ("view", "attention", ["Hazel", "Maple"]),
        ("view", "not_invited", ["Hazel", "Elder"]),
        ("view", "done", ["Alder", "Birch", "Cedar"]),
        ("view", "nonsense", EVERYBODY),
        ("status", "held", ["Maple"]),
        ("status", "invited", ["Aspen"]),
        ("status", "in_progress", ["Rowan"]),
        ("status", "passed", ["Alder"]),
        ("status", "failed", ["Birch"]),
        ("status", "expired", ["Cedar"]),
        ("status", "nonsense", EVERYBODY),
    ):
        answer = super_admin_client.get(CANDIDATES, {name: value})
        assert [one.name for one in answer.context["page"]] == names, value
        if name == "status":  # an earlier address names it as a tab
            assert shown(super_admin_client, view=value) == names, value
        else:
            assert 'Need you <span class="count">2</span>' in text(answer), value


def test_who_did_not_start_in_time_or_was_cancelled_is_done_with_the_reason(super_admin_client, everyone):
    reason = "Not started within 56 days. The portal no longer asks CodeScreen about it."
    aspen = Invitation.objects.filter(candidate_name="Aspen")
    aspen.update(
        following_ended="not_started", following_ended_reason=reason, following_ended_at=timezone.now()
    )
    Invitation.objects.filter(candidate_name="Maple").update(status="withdrawn")
    assert shown(super_admin_client, view="done") == ["Alder", "Birch", "Cedar", "Maple", "Aspen"]
    assert shown(super_admin_client, view="done", status="cancelled") == ["Maple"]
    assert shown(super_admin_client, status="invited") == []
    assert shown(super_admin_client, view="attention") == ["Hazel", "Aspen"]
    page = text(super_admin_client.get(f"{CANDIDATES}o-aspen/"))
    assert "Not started in time" in page
    assert reason in page
    assert reason in text(super_admin_client.get(CANDIDATES))
    assert "asks CodeScreen again" in next_step("invite", aspen.get())


def test_what_went_wrong_long_ago_needs_no_attention(super_admin_client, organization):
    candidate(organization, "Hazel", "no_email", entered_at=timezone.now() - timedelta(days=40))
    assert shown(super_admin_client, view="attention") == []
    assert shown(super_admin_client, view="not_invited") == ["Hazel"]


@pytest.mark.parametrize(
    "query",
    [
        "HAZEL",
        "o-hazel@candidates",
        "O-HAZEL",
        "https://hire.lever.co/candidates/o-hazel?tab=feedback#top",
        "https://hire.sandbox.lever.co/candidates/o-hazel/",
        "i-Hazel",
    ],
)
def test_a_candidate_is_found_by_name_address_id_or_lever_link(super_admin_client, organization, query):
    candidate(organization, "Alder", "no_email")
    candidate(organization, "Hazel", status="invited")
    assert shown(super_admin_client, q=query) == ["Hazel"]


def test_role_assessment_reason_and_days_filter(super_admin_client, organization):
    Role.objects.create(organization=organization, external_id="role-chef", title="Chef ", state="published")
    old = timezone.now() - timedelta(days=9)
    candidate(organization, "Alder", "no_email", role_id="role-chef", role_title="Chef ", entered_at=old)
    candidate(organization, "Hazel", "left_stage", assessment_name="Cooking")
    assert shown(super_admin_client, role="Chef ") == ["Alder"]
    assert shown(super_admin_client, assessment="Cooking") == ["Hazel"]
    assert shown(super_admin_client, reason="left_stage") == ["Hazel"]
    day = (timezone.now() - timedelta(days=5)).strftime("%Y-%m-%d")
    assert shown(super_admin_client, since=day) == ["Hazel"]
    assert shown(super_admin_client, until=day) == ["Alder"]
    assert shown(super_admin_client, until="nonsense") == ["Hazel", "Alder"]


def test_a_later_entry_that_invited_nobody_is_said_beside_the_earlier_result(
    super_admin_client, organization
):
    row = candidate(organization, "Alder", status="completed", outcome="Passed")
    again = factories.DeliveryFactory.create(
        organization=organization, opportunity_id="o-alder", verdict="no_email", decided_at=timezone.now()
    )
    Candidate.objects.filter(pk=row.pk).update(delivery=again)
    page = text(super_admin_client.get(CANDIDATES))
    assert "Passed 82" in page
    assert "Not invited again: no e-mail address" in page


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "done", "done_at": timezone.now()}, "Result is in Lever"),
        ({"state": "due", "due_at": timezone.now()}, "Result goes to Lever"),
        ({"state": "failed"}, "Result goes to Lever"),
    ],
    ids=["written", "waits", "failed"],
)
def test_a_later_result_is_in_lever_once_the_feedback_says_it(
    super_admin_client, organization, columns, words
):
    invitation = invited(organization, "Alder", "completed", outcome="Passed")
    invitation.change(feedback_id="feedback-1")  # with the result before
    factories.EffectFactory.create(
        organization=organization, invitation=invitation, kind="write_feedback", **{"due_at": None} | columns
    )
    assert words in text(super_admin_client.get(CANDIDATES))


def test_a_malformed_payload_does_not_break_the_pages(super_admin_client, organization):
    candidate(organization, "Alder", "no_email")
    Delivery.objects.update(payload={"data": [1]})
    for url in ("/activity/", "/activity/o-alder/", "/activity/o-alder/?show=technical"):
        assert super_admin_client.get(url).status_code == 200


def test_a_name_that_is_not_known_yet_and_an_erased_one_say_so(super_admin_client, organization):
    candidate(organization, "", "paused", opportunity_id="o-1")
    candidate(organization, "", "erased", opportunity_id="o-2", erased_at=timezone.now())
    page = text(super_admin_client.get(CANDIDATES))
    assert "Name not read yet" in page
    assert "Decided when the pause ends" in page
    assert "Erased person" in page


def lines(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_what_is_filtered(team_member_client, everyone):
    heading, *rows = lines(team_member_client.get(EXPORT, {"status": "passed"}))
    assert len(rows) == 1
    row = dict(zip(heading, rows[0], strict=True))
    assert (row["name"], row["role"], row["outcome"]) == ("Alder", "Backend Engineer", "Passed 82")
    assert row["why"] == "Why Alder is there."
    assert len(lines(team_member_client.get(EXPORT))) == 1 + len(everyone)


def test_the_next_page_shows_the_next_rows(super_admin_client, everyone, monkeypatch):
    monkeypatch.setattr(activity, "PAGE_SIZE", 5)
    assert shown(super_admin_client) == EVERYBODY[:5]
    assert shown(super_admin_client, page=2) == EVERYBODY[5:]
    assert "page=2" in text(super_admin_client.get(CANDIDATES))


def test_what_followed_is_looked_for_in_the_invitation_that_came_to_the_step(
    super_admin_client, organization
):
    """The latest invitation is another one: its assessment and its result are not what was asked for."""
    now = timezone.now()
    candidate(organization, "Alder", status="completed", outcome="Passed", assessment_name="System Design")
    Invitation.objects.update(assessment_name="System Design", invited_at=now)
    first = factories.in_status(
        organization,
        "completed",
        opportunity_id="o-alder",
        assessment_id="first",
        invited_at=now - timedelta(days=9),
        completed_at=now,
    )
    Result.objects.create(invitation=first, outcome="Failed")
    day = f"{now - timedelta(days=9):%Y-%m-%d}"
    invited = {"step": "invited", "since": day, "until": day}
    for query, names in (
        (invited, ["Alder"]),
        (invited | {"assessment": "Backend", "became": "failed"}, ["Alder"]),
        (invited | {"became": "passed"}, []),
        (invited | {"assessment": "System Design"}, []),
        ({"became": "passed", "assessment": "System Design"}, ["Alder"]),
        ({"became": "not_stated"}, []),
        ({"became": "nonsense"}, ["Alder"]),
    ):
        assert shown(super_admin_client, **query) == names, query
    [found] = super_admin_client.get(CANDIDATES, invited).context["page"]
    assert found.invitation == first
    heading, line = lines(super_admin_client.get(EXPORT, invited))
    row = dict(zip(heading, line, strict=True))
    assert (row["assessment"], row["outcome"]) == ("Backend", "Failed")


def test_source_owner_and_their_absence_filter(super_admin_client, organization):
    candidate(organization, "Alder", origin="agency", role_title="")
    candidate(organization, "Hazel")
    factories.on_candidate(organization, "o-alder", "owner@acme.example", "owner")
    factories.on_candidate(organization, "o-hazel", "owner@acme.example", "follower")
    for query, names in (
        ({"origin": "agency"}, ["Alder"]),
        ({"origin": "none"}, ["Hazel"]),
        ({"origin": "nonsense"}, ["Hazel", "Alder"]),
        ({"owner": "owner@acme.example"}, ["Alder"]),
        ({"owner": "none"}, ["Hazel"]),
        ({"role": "none"}, ["Alder"]),
    ):
        assert shown(super_admin_client, **query) == names, query


@pytest.mark.parametrize("name", ["name", "assessment", "entered"])
def test_a_head_sorts_and_says_how_it_is_sorted(super_admin_client, organization, name):
    now = timezone.now()
    for word, assessment, minutes in (
        ("Birch", "Cooking", 2),
        ("Alder", "Baking", 1),
        ("Cedar", "Eating", 3),
    ):
        at = now - timedelta(minutes=minutes)
        candidate(organization, word, "no_email", assessment_name=assessment, entered_at=at)
    ascending = {"entered": ["Cedar", "Birch", "Alder"]}.get(name, ["Alder", "Birch", "Cedar"])
    for sort, names, direction in (
        (name, ascending, "ascending"),
        (f"-{name}", ascending[::-1], "descending"),
    ):
        assert shown(super_admin_client, sort=sort) == names
        page = text(super_admin_client.get(CANDIDATES, {"sort": sort, "q": "o-"}))
        turned = name if sort != name else f"-{name}"
        assert re.search(rf'aria-sort="{direction}">\s*<a href="\?sort={turned}&amp;q=o-">', page)
    assert shown(super_admin_client, sort="nonsense") == ["Alder", "Birch", "Cedar"]


# my candidates: those whom a member is on in Lever


@pytest.fixture
def mine(ready_organization, super_admin):
    """Two candidates on hold, and one who wasn't invited; the Super Admin is on one of each kind."""
    rows = [
        candidate(ready_organization, "Alder", status="held"),
        candidate(ready_organization, "Birch", status="held"),
        candidate(ready_organization, "Cedar", verdict="no_email"),
    ]
    for row in (rows[0], rows[2]):
        factories.on_candidate(ready_organization, row.opportunity_id, super_admin.email)
    return rows


def test_the_button_lists_the_members_own_with_every_other_filter_and_in_the_file(
    super_admin_client, super_admin, mine, ready_organization
):
    answer = super_admin_client.post(reverse("candidates-mine"), follow=True)
    assert answer.redirect_chain[-1][0] == "/activity/?mine=1"
    assert sorted(one.name for one in answer.context["page"]) == ["Alder", "Cedar"]
    assert super_admin.email in text(answer)
    assert Membership.objects.get(user=super_admin).lists_own
    assert DutyRun.objects.filter(duty=Duty.SWEEP_FULLY, organization=ready_organization).exists()
    assert "Everybody's candidates" in text(answer)
    assert shown(super_admin_client, mine="1", status="held") == ["Alder"]
    assert shown(super_admin_client, mine="1", q="Cedar") == ["Cedar"]
    assert shown(super_admin_client, mine="1", q="Birch") == []
    assert super_admin_client.get("/activity/?mine=1").context["needs_attention"] == 2
    file = super_admin_client.get("/candidates/export/?mine=1").getvalue().decode()
    assert "Alder" in file
    assert "Birch" not in file
