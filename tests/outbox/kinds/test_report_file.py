"""The report as a PDF: one file per invitation, replaced on a regrade, removed when a person is erased."""

import re

import pytest

from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE, scopes_of
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds import report_file
from integrations.outbox.kinds.report_file import NO_PERMISSION
from integrations.outbox.models.effect import Effect
from integrations.outbox.report import report_pdf
from integrations.privacy.erase import erase
from integrations.privacy.lever_changes import repeat_erasures
from integrations.privacy.models import Erasure
from tests.outbox.conftest import LOST
from tests.queue.test_worker_crashes import Killed, kill_worker


@pytest.fixture
def attaching(scenario):
    """A scenario whose organization attaches reports, with Lever's permission."""
    LeverConnection.objects.get().rotate(scenario.sandbox.tokens(scopes_of(attaches_files=True)))
    scenario.set_policies(attach_report=True)
    return scenario


def files(sandbox):
    """Return the candidate's files in Lever."""
    return list(sandbox.candidate("Alder").files.values())


def uploads(sandbox):
    """Return how many files Lever was given for the candidate."""
    return sandbox.opportunity("Alder")["writes"].get("files", 0)


# what a PDF says, read without a library: its pages aren't compressed


def texts_of(pdf: bytes) -> list[str]:
    """Return the texts of the page in their order; characters beyond ASCII are escapes of the embedded font."""
    return [text.decode("latin-1") for text in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)]


def characters_of(pdf: bytes) -> set[str]:
    """Return the characters beyond ASCII that the embedded fonts say they show."""
    pairs = re.findall(rb"<[0-9A-F]{2}> <([0-9A-F]{4})>", pdf)
    return {chr(int(code, 16)) for code in pairs if int(code, 16) > 127}


def links_of(pdf: bytes) -> list[str]:
    """Return the addresses that can be clicked."""
    return [address.decode() for address in re.findall(rb"/URI \((.*?)\)", pdf)]


def test_a_result_is_attached_as_a_pdf(attaching, sandbox):
    invitation = attaching.completed_invitation(score=40, result="Failed", reason="Unit Tests")
    [file] = files(sandbox)
    result = Result.objects.get()
    assert (file.name, file.content_type) == (
        f"codescreen-report-{invitation.reference}-1.pdf",
        "application/pdf",
    )
    texts = texts_of(file.content)
    facts, link = texts[:10], texts[10:]
    assert facts == [
        "Assessment report",
        "Assessment",
        "Backend",
        "Score",
        "40 of 100",
        "Result",
        "Failed",
        "Reason",
        "Unit Tests",
        "Report in CodeScreen",
    ]
    assert "".join(link) == result.report_url
    assert set(links_of(file.content)) == {result.report_url}
    assert result.file_id == file.id
    assert attaching.latest_effect("attach_report").written == {"file": file.name, "is_kept": True}
    assert uploads(sandbox) == 1


def test_a_regrade_replaces_the_file_and_no_other(attaching, sandbox):
    invitation = attaching.completed_invitation(score=40, result="Failed")
    [file] = files(sandbox)
    others = {"cv.pdf", "codescreen-report-ffffffffffff-1.pdf"}
    for name in others:
        sandbox.candidate("Alder").files[name] = type(file)(name, name, b"", "application/pdf")
    attaching.candidate_acts("regrade", score=90, result="Passed")
    attaching.work()
    [file] = [one for one in files(sandbox) if one.name not in others]
    assert len(files(sandbox)) == 3
    assert file.name == f"codescreen-report-{invitation.reference}-2.pdf"
    assert {"Passed", "90 of 100"} <= set(texts_of(file.content))
    assert [one.file_id for one in Result.objects.order_by("attempt")] in (["", file.id], [file.id])
    assert sandbox.opportunity("Alder")["writes"]["deleteFile"] == 1


@pytest.mark.parametrize("step", ["_store_file_id", "_delete_files"])
def test_one_file_is_left_when_a_worker_is_killed(attaching, sandbox, monkeypatch, step):
    attaching.evaluated_invitation(score=40, result="Failed")
    if step == "_delete_files":
        attaching.work()
        attaching.candidate_acts("regrade", score=90, result="Passed")

    with monkeypatch.context() as patch:
        patch.setattr(report_file, step, kill_worker)
        with pytest.raises(Killed):
            attaching.work()
    if step == "_store_file_id":
        attaching.candidate_acts("regrade", score=90, result="Passed")
    Effect.objects.filter(kind="attach_report", leased_until__isnull=False).update(
        leased_until=None, lease_owner=""
    )
    attaching.work_waiting()
    [file] = files(sandbox)
    assert file.id == Result.objects.exclude(file_id="").get().file_id
    assert uploads(sandbox) == 2
    assert attaching.latest_effect("attach_report").state == "done"


def test_a_missing_permission_is_a_failure_that_names_the_fix(scenario):
    scenario.set_policies(attach_report=True)
    scenario.completed_invitation(score=82, result="Passed")
    effect = scenario.latest_effect("attach_report")
    assert (effect.state, effect.last_error) == ("failed", NO_PERMISSION)
    assert FILES_SCOPE in effect.last_error
    assert not ApiCall.objects.filter(path__endswith="/files").exists()


def test_what_is_not_stated_is_said_to_be_and_markup_is_text():
    result = Result(attempt=2, report_url="https://report.example/?a=1&b=<2>")
    pdf = report_pdf(Invitation(assessment_name="<b>&lt; Tj ET", organization=Organization()), result)
    said = " ".join(texts_of(pdf))
    for words in ("<b>&lt; Tj ET", "Result Not stated by CodeScreen Report in CodeScreen"):
        assert words.replace(" ", "") in said.replace(" ", ""), words
    assert links_of(pdf) == [result.report_url]


def test_letters_beyond_ascii_are_shown():
    invitation = Invitation(assessment_name="Łódź Μηχανικός", organization=Organization())
    pdf = report_pdf(invitation, Result(attempt=1))
    assert set("ŁΜχό") <= characters_of(pdf)


# remove the report from Lever when a person is erased


@pytest.fixture
def attached(attaching, sandbox):
    """A scenario with a report in Lever."""
    attaching.completed_invitation(score=82, result="Passed")
    assert len(files(sandbox)) == 1
    return attaching


def forget(scenario, cause=ErasureCause.FORGOTTEN):
    erase(scenario.organization, scenario.sandbox.opportunity_id("Alder"), cause, "test")


@pytest.mark.parametrize("cause", ErasureCause)
def test_the_report_is_removed_when_the_person_is_to_be_forgotten(attached, sandbox, cause):
    forget(attached, cause)
    attached.work()
    is_removed = cause in {ErasureCause.FORGOTTEN, ErasureCause.ANONYMIZED}
    assert (files(sandbox) == []) is is_removed
    assert Effect.objects.filter(kind="remove_report", state="done").exists() is is_removed
    assert Result.objects.get().file_id == "" or not is_removed
    assert attached.latest_effect("attach_report").written == {}


def test_a_report_that_was_attached_during_the_erasure_is_removed_by_the_repetition(attached, sandbox):
    [file] = files(sandbox)
    forget(attached)
    attached.work()
    sandbox.candidate("Alder").files[file.id] = file
    Erasure.objects.update(erased_at="2020-01-01T00:00:00Z")
    repeat_erasures(attached.organization)
    attached.work()
    assert files(sandbox) == []


def test_the_removal_goes_on_when_the_answer_was_lost_even_in_a_pause(attached, sandbox):
    attached.set_policies(paused=True)
    attached.lever_fails("/files/", method="DELETE", kind=LOST)
    forget(attached)
    attached.work()
    attached.work_waiting()
    assert files(sandbox) == []
    assert attached.latest_effect("remove_report").state == "done"


def test_a_candidate_lever_no_longer_has_is_no_error(attached, sandbox):
    del sandbox.account.opportunities[sandbox.opportunity_id("Alder")]
    forget(attached)
    attached.work()
    effect = attached.latest_effect("remove_report")
    assert (effect.state, effect.end_reason, effect.last_error) == ("done", "nothing_left", "")
