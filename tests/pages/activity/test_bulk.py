"""Approving, refusing and retrying many at once: a preview, one operation for each, and half a minute to undo it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import AuditEntry, Effect, Invitation
from integrations.pages.activity import bulk
from integrations.queue import worker
from tests import factories
from tests.page_text import text
from tests.pages.activity.test_candidates import candidate

BULK, DONE, UNDO = "/candidates/bulk/", "/candidates/bulk/done/", "/candidates/bulk/undo/"


@pytest.fixture
def held(organization):
    """Three candidates on hold."""
    rows = [
        candidate(organization, name, "held_for_approval", "held") for name in ("Alder", "Birch", "Cedar")
    ]
    return [row.invitation for row in rows]


def failed_effect(organization, **columns):
    return factories.EffectFactory.create(
        organization=organization,
        state=Effect.State.FAILED,
        due_at=None,
        failed_at=timezone.now(),
        last_error="Lever answered 503",
        **columns,
    )


def keys(rows):
    return [row.pk for row in rows]


def statuses(rows):
    return [Invitation.objects.get(pk=row.pk).status for row in rows]


def test_the_preview_names_who_was_ticked_and_changes_nothing(organization_admin_client, held):
    page = text(organization_admin_client.get(BULK, {"act": "send", "row": keys(held[:2])}))
    for words in ("Send these invitations?", "Alder", "Birch", "2 candidates.", "undo this for 30 seconds"):
        assert words in page, words
    assert "Cedar" not in page
    assert statuses(held) == ["held"] * 3


def test_the_preview_of_all_holds_those_that_the_filters_show(organization_admin_client, held, organization):
    candidate(organization, "Hazel", "no_email")
    rows = organization_admin_client.get(BULK, {"act": "send", "all": "1", "q": "r"}).context["rows"]
    assert {row.candidate.name for row in rows} == {"Alder", "Birch", "Cedar"}
    rows = organization_admin_client.get(BULK, {"act": "send", "all": "1", "q": "Birch"}).context["rows"]
    assert [row.candidate.name for row in rows] == ["Birch"]


def test_of_very_many_the_newest_are_done_at_once(organization_admin_client, held, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = organization_admin_client.get(BULK, {"act": "send", "all": "1"})
    assert len(answer.context["rows"]) == 2
    assert "do the others afterwards" in text(answer)


def test_sending_begins_half_a_minute_later_with_an_entry_for_each(organization_admin_client, held):
    answer = organization_admin_client.post(
        BULK, {"act": "send", "row": keys(held), "reason": "Planned."}, follow=True
    )
    assert answer.redirect_chain[0][0] == DONE
    assert "<strong>3</strong> waiting to be sent" in text(answer)
    assert "Undo" in text(answer)
    assert statuses(held) == ["pending"] * 3
    effects = Effect.objects.filter(kind="send_invitation")
    assert effects.filter(due_at__gt=Now() + timedelta(seconds=20)).count() == 3
    assert worker.work() == 0
    entries = AuditEntry.objects.filter(action="approve")
    assert [entry.reason for entry in entries] == ["Planned."] * 3


def test_undoing_puts_them_back_on_hold(organization_admin_client, held):
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    assert "Undone: 3." in text(organization_admin_client.post(UNDO, follow=True))
    assert statuses(held) == ["held"] * 3
    assert set(Effect.objects.values_list("state", flat=True)) == {"cancelled"}
    assert AuditEntry.objects.filter(action="take_back").count() == 3
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    assert statuses(held) == ["pending"] * 3
    assert set(Effect.objects.values_list("state", flat=True)) == {"due"}


def test_what_has_begun_is_not_undone_and_is_said(organization_admin_client, held):
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    Effect.objects.filter(invitation=held[0]).update(
        leased_until=Now() + timedelta(minutes=1), lease_owner="w"
    )
    Effect.objects.filter(invitation=held[1]).update(due_at=Now() - timedelta(seconds=1))
    page = text(organization_admin_client.post(UNDO, follow=True))
    assert "Undone: 1." in page
    assert "Too late to undo: 2." in page
    assert statuses(held) == ["pending", "pending", "held"]


def test_not_sending_withdraws_each_and_offers_no_undo(organization_admin_client, held):
    page = text(organization_admin_client.post(BULK, {"act": "dont_send", "row": keys(held)}, follow=True))
    assert statuses(held) == ["withdrawn"] * 3
    assert ">Undo<" not in page
    assert "nothing to undo" in text(organization_admin_client.post(UNDO, follow=True))


def test_what_cannot_be_done_is_said_and_the_rest_is_done(organization_admin_client, held):
    Invitation.objects.filter(pk=held[0].pk).update(status="withdrawn")
    page = text(organization_admin_client.post(BULK, {"act": "send", "row": keys(held)}, follow=True))
    assert "Not done for 1:" in page
    assert statuses(held) == ["withdrawn", "pending", "pending"]


def test_failed_effects_are_retried_and_taken_back(team_member_client, organization):
    effects = [failed_effect(organization, opportunity_id=f"o-{number}") for number in range(2)]
    page = team_member_client.get(BULK, {"act": "retry", "all": "1"})
    assert len(page.context["rows"]) == 2
    team_member_client.post(BULK, {"act": "retry", "row": keys(effects)})
    assert Effect.objects.filter(state="due", due_at__gt=Now()).count() == 2
    assert "Undone: 2." in text(team_member_client.post(UNDO, follow=True))
    assert Effect.objects.filter(state="failed", due_at=None, last_error="Lever answered 503").count() == 2


def test_a_failed_invitation_is_not_among_the_effects(team_member_client, organization):
    invitation = factories.InvitationFactory.create(organization=organization, status="failed")
    effect = failed_effect(organization, kind="send_invitation", invitation=invitation)
    assert team_member_client.get(BULK, {"act": "retry", "row": [effect.pk]}).context["rows"] == []
    team_member_client.post(BULK, {"act": "retry", "row": [effect.pk]})
    assert Effect.objects.get().state == "failed"


def test_only_admins_send_and_only_their_own_organizations(
    team_member_client, organization_admin_client, limited_member_client, held
):
    other = factories.InvitationFactory.create(status="held")
    assert team_member_client.get(BULK, {"act": "send", "row": keys(held)}).status_code == 403
    assert team_member_client.post(BULK, {"act": "send", "row": keys(held)}).status_code == 403
    assert limited_member_client.post(BULK, {"act": "retry", "row": ["1"]}).status_code == 403
    assert organization_admin_client.get(BULK, {"act": "send", "row": [other.pk]}).context["rows"] == []
    organization_admin_client.post(BULK, {"act": "send", "row": [other.pk]})
    assert statuses([*held, other]) == ["held"] * 4


@pytest.mark.parametrize("row", ["", "nonsense", "-1", "9" * 30, "1; --"])
def test_a_row_that_is_none_does_nothing(organization_admin_client, held, row):
    assert "Nothing is ticked" in text(organization_admin_client.get(BULK, {"act": "send", "row": row}))
    answer = organization_admin_client.post(BULK, {"act": "send", "row": row}, follow=True)
    assert "Nothing was ticked." in text(answer)
    assert statuses(held) == ["held"] * 3


def test_rows_on_hold_can_be_ticked_by_admins_alone(organization_admin_client, team_member_client, held):
    assert text(organization_admin_client.get("/activity/")).count('name="row"') == 3
    assert 'name="row"' not in text(team_member_client.get("/activity/"))
