"""The readable page of a pack: the candidates, and what happened in order."""

import json
import re
from datetime import timedelta
from html import unescape

from django.utils import timezone

from integrations.audit.evidence.selection import Selection, of_candidate, of_period
from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.privacy.erase import erase
from tests.audit.evidence.conftest import ALDER, BIRCH, rows
from tests.support import factories


def add_uninvited(organization) -> None:
    delivery = factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="d",
        verdict="no_assessment",
        decided_at=timezone.now(),
        due_at=None,
    )
    factories.CandidateFactory.create(
        organization=organization, opportunity_id="d", name="Candidate Dogwood", email="", delivery=delivery
    )


def cells_of(page: str) -> list[str]:
    return [unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page, re.DOTALL)]


def of_now(organization) -> Selection:
    now = timezone.now()
    return of_period(organization, now - timedelta(hours=1), now + timedelta(hours=1))


def test_the_summary_tells_the_story_by_time(unpack, alder):
    page = (unpack(alder) / "summary.html").read_text()
    told = [
        "Received from Lever: candidateStageChange",
        "Decided: Invite",
        "CodeScreen stated a result",
        "approve: approve",
    ]
    places = [page.index(text) for text in told]
    assert places == sorted(places)
    assert "<script" not in page


def test_the_summary_and_the_rows_have_what_else_codescreen_says(unpack, alder):
    Result.objects.update(details_json='{"issueCount": 10, "note": "<b>bold</b>"}')
    folder = unpack(alder)
    stated = [cell for cell in cells_of((folder / "summary.html").read_text()) if "score 82" in cell]
    assert stated[0].startswith("Passed, score 82, issueCount: 10, note: <b>bold</b>, attempt 1: ")
    [row] = map(json.loads, (folder / "results.jsonl").read_text().splitlines())
    assert row["details_json"] == '{"issueCount": 10, "note": "<b>bold</b>"}'


def test_the_summary_names_the_candidate_and_where_they_stand(unpack, acme, alder):
    Candidate.objects.filter(opportunity_id=ALDER).update(outcome="Passed", email="alder@candidates.example")
    cells = cells_of((unpack(alder) / "summary.html").read_text())
    assert "Candidate Alder <alder@candidates.example>" in cells
    assert ALDER in cells
    assert any(cell.endswith(": Passed") for cell in cells)
    add_uninvited(acme)
    cells = cells_of((unpack(of_now(acme)) / "summary.html").read_text())
    for name in ("Candidate Alder", "Candidate Birch", "Candidate Dogwood"):
        assert any(cell.startswith(name) for cell in cells), name
    assert "Not invited: No assessment" in cells


def test_the_summary_names_no_erased_person(unpack, acme, alder):
    erase(acme, ALDER, ErasureCause.FORGOTTEN, "forget")
    page = (unpack(alder) / "summary.html").read_text()
    assert "Candidate Alder" not in page
    assert "Erased on " in page


def test_the_summary_of_a_candidate_tells_of_no_other_persons_erasure(unpack, acme, alder):
    erase(acme, BIRCH, ErasureCause.FORGOTTEN, "forget")
    folder = unpack(alder)
    assert BIRCH not in (folder / "summary.html").read_text()
    assert any(row["action"] == "erase" for row in rows(folder, "audit_entries.jsonl"))


def test_the_summary_tells_each_step_of_a_journey_and_what_was_written(unpack, acme, alder):
    Invitation.objects.filter(opportunity_id=ALDER).update(
        invited_at=timezone.now(), started_at=timezone.now(), completed_at=timezone.now()
    )
    for kind, topic, payload in (
        ("set_progress_tag", "", {"tag": "CodeScreen: Candidate Invited"}),
        ("send_alert", "", {"type": "result"}),
        ("send_email", "result", {}),
    ):
        factories.EffectFactory.create(
            organization=acme, opportunity_id=ALDER, kind=kind, key=kind, email_topic=topic, payload=payload
        )
    cells = cells_of((unpack(alder) / "summary.html").read_text())
    assert {"Invited", "Started", "Completed"} <= set(cells)
    assert "To be done: Set progress tag (CodeScreen: Candidate Invited)" in cells
    assert "To be done: Send alert (Results)" in cells
    assert "To be done: Send e-mail (Result)" in cells


def test_a_summary_escapes_what_others_wrote(unpack, acme):
    factories.DeliveryFactory.create(organization=acme, opportunity_id="o", event="<script>alert(1)</script>")
    page = (unpack(of_candidate(acme, "o")) / "summary.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
