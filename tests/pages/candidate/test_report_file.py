"""The report that was attached in Lever, as a download."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from integrations.effects.report_pdf import render
from integrations.effects.report_words import ReportWords
from integrations.outbox.models import Effect
from integrations.pages.candidate.record import ERASED, REPLACED, written_to_lever
from integrations.privacy.models import Erasure
from tests.support import factories
from tests.support.page_text import text

WORDS = ReportWords(assessment="Backend", result="Passed", score="82 of 100", reference="a1")


@pytest.fixture
def invitation(organization):
    """The invitation whose report was attached."""
    return factories.InvitationFactory.create(organization=organization, opportunity_id="o1")


@pytest.fixture
def effect(invitation):
    """The effect that attached the report."""
    return attached(invitation)


def attached(invitation, number=1, kind="attach_report"):
    """Return a done effect, later than those before it."""
    return factories.attached_report(
        invitation.organization,
        "o1",
        invitation=invitation,
        kind=kind,
        done_at=datetime(2026, 11, 20 + number, tzinfo=UTC),
        **({} if kind == "attach_report" else {"payload": {}, "written": {}}),
    )


def address(effect):
    return reverse("report-file", args=[effect.pk])


def test_the_download_is_what_was_sent(team_member_client, effect):
    answer = team_member_client.get(address(effect))
    assert answer.content == render(WORDS)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="codescreen-report-a1-1.pdf"'


def test_the_candidates_page_shows_the_words_and_the_download(team_member_client, effect):
    page = team_member_client.get(reverse("candidate", args=["o1"]))
    assert address(effect) in page.content.decode()
    assert "Report attached in Lever" in text(page)
    assert "82 of 100" in text(page)


def test_a_limited_team_member_gets_reports_of_their_own_candidates_only(limited_member_client, effect):
    assert limited_member_client.get(address(effect)).status_code == 404


def test_there_is_no_download_once_the_words_are_erased(team_member_client, effect):
    Effect.objects.update(written={})
    assert team_member_client.get(address(effect)).status_code == 404
    erasure = Erasure(erased_at=effect.created_at.replace(year=2100))
    [item] = written_to_lever(Effect.objects.all(), erasure)
    assert (item.remark, item.words.is_kept) == (ERASED, False)


def test_other_effects_have_no_download(team_member_client, effect):
    Effect.objects.update(kind="write_feedback")
    assert team_member_client.get(address(effect)).status_code == 404


def test_a_replaced_report_is_said_to_be_replaced(invitation, effect):
    later = attached(invitation, 2)
    remarks = {item.effect.pk: item.remark for item in written_to_lever(Effect.objects.all(), None)}
    assert remarks == {effect.pk: REPLACED, later.pk: ""}


def test_a_removed_report_is_no_longer_said_to_be_there(invitation, effect):
    attached(invitation, 2, "remove_report")
    items = {item.effect.kind: item for item in written_to_lever(Effect.objects.all(), None)}
    assert items["attach_report"].remark == REPLACED
    assert items["remove_report"].kind.heading == "Report removed"
