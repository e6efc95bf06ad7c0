"""The report that was attached in Lever, on the candidate's page."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from integrations.outbox.models.effect import Effect
from integrations.pages.candidate.record import REPLACED, written_to_lever
from tests.support import factories
from tests.support.page_text import text


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


def test_the_candidates_page_names_the_file(team_member_client, effect):
    page = text(team_member_client.get(reverse("candidate", args=["o1"])))
    assert effect.written["file"] in page


def test_a_replaced_report_is_said_to_be_replaced(invitation, effect):
    later = attached(invitation, 2)
    remarks = {item.effect.pk: item.remark for item in written_to_lever(Effect.objects.all(), None)}
    assert remarks == {effect.pk: REPLACED, later.pk: ""}


def test_a_removed_report_is_no_longer_said_to_be_there(invitation, effect):
    attached(invitation, 2, "remove_report")
    items = {item.effect.kind: item for item in written_to_lever(Effect.objects.all(), None)}
    assert items["attach_report"].remark == REPLACED
    assert items["remove_report"].kind.heading == "Report removed"
