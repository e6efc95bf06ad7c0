"""Approving, refusing and retrying many at once: a preview, one operation for each, and half a minute to undo it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from integrations.pages.activity import bulk
from integrations.queue import worker
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.page_numbers import page_of
from tests.support.page_text import text

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


def test_of_very_many_that_match_the_newest_alone_are_read(organization_admin_client, held, monkeypatch):
    monkeypatch.setattr(bulk, "_MOST_LOOKED_AT", 2)
    answer = organization_admin_client.get(BULK, {"act": "send", "all": "1", "view": "held"})
    assert [row.candidate.name for row in answer.context["rows"]] == ["Cedar", "Birch"]


def test_of_very_many_the_newest_are_done_at_once(organization_admin_client, held, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = organization_admin_client.get(BULK, {"act": "send", "all": "1"})
    assert len(answer.context["rows"]) == 2
    assert "do the others afterwards" in text(answer)


def test_why_each_is_on_hold_is_said_before_they_are_sent(organization_admin_client, held):
    Invitation.objects.filter(pk=held[0].pk).update(status_reason="On hold: they need extra time.")
    answer = organization_admin_client.get(BULK, {"act": "send", "row": keys(held)})
    assert text(answer).count("On hold: they need extra time.") == 1


def test_sending_begins_half_a_minute_later_with_an_entry_for_each(organization_admin_client, held):
    answer = organization_admin_client.post(
        BULK, {"act": "send", "row": keys(held), "reason": "Planned."}, follow=True
    )
    assert answer.redirect_chain[0][0].startswith(DONE)
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
    assert "Not undone: 2. It is too late to undo this" in page
    assert statuses(held) == ["pending", "pending", "held"]


def test_the_same_form_sent_twice_does_nothing_twice_and_keeps_the_undo(organization_admin_client, held):
    form = {"act": "send", "row": keys(held), "id": form_id(organization_admin_client, held)}
    organization_admin_client.post(BULK, form)
    page = text(organization_admin_client.post(BULK, form, follow=True))
    assert "This was done already. Nothing is done twice." in page
    assert "<strong>3</strong> waiting to be sent" in page
    assert ">Undo<" in page
    assert "Not done for" not in page
    assert AuditEntry.objects.filter(action="approve").count() == 3
    assert "Undone: 3." in text(organization_admin_client.post(UNDO, follow=True))
    assert statuses(held) == ["held"] * 3


def form_id(client, rows):
    return client.get(BULK, {"act": "send", "row": keys(rows)}).context["act_id"]


def test_another_form_about_the_same_rows_says_why_and_keeps_the_undo_of_the_first(
    organization_admin_client, held
):
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    page = text(organization_admin_client.post(BULK, {"act": "send", "row": keys(held)}, follow=True))
    assert "Nothing was done." in page
    assert "This invitation is waiting to be sent." in page
    done = text(organization_admin_client.get(DONE))
    assert "<strong>3</strong> waiting to be sent" in done
    assert "Undone: 3." in text(organization_admin_client.post(UNDO, follow=True))


def test_two_requests_of_one_form_at_once_are_undone_together(organization_admin_client, held):
    form = {"act": "send", "id": form_id(organization_admin_client, held)}
    organization_admin_client.post(BULK, {**form, "row": keys(held[:1])})
    page = text(organization_admin_client.post(BULK, {**form, "row": keys(held)}, follow=True))
    assert "<strong>3</strong> waiting to be sent" in page
    assert "Not done for" not in page
    assert "Undone: 3." in text(organization_admin_client.post(UNDO, {"id": form["id"]}, follow=True))


def test_a_retry_sent_twice_waits_once(team_member_client, organization):
    effect = failed_effect(organization)
    team_member_client.post(BULK, {"act": "retry", "row": [effect.pk], "id": "of-this-form"})
    due_at = Effect.objects.get().due_at
    page = text(
        team_member_client.post(BULK, {"act": "retry", "row": [effect.pk], "id": "of-this-form"}, follow=True)
    )
    assert "This was done already" in page
    assert Effect.objects.get().due_at == due_at
    assert AuditEntry.objects.filter(action="retry").count() == 1


def test_undoing_twice_says_that_it_is_undone(organization_admin_client, held):
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    page = text(organization_admin_client.post(UNDO, follow=True))
    assert "This was undone." in page
    assert ">Undo<" not in page
    page = text(organization_admin_client.post(UNDO, follow=True))
    assert "This is undone already." in page
    assert "Not undone" not in page
    assert AuditEntry.objects.filter(action="take_back").count() == 3


def test_after_half_a_minute_nothing_is_undone(organization_admin_client, held, monkeypatch):
    organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    Effect.objects.update(due_at=Now() - timedelta(seconds=1))
    later = timezone.now() + timedelta(seconds=31)
    monkeypatch.setattr(timezone, "now", lambda: later)
    page = text(organization_admin_client.get(DONE))
    assert "The 30 seconds to undo this are over." in page
    assert ">Undo<" not in page
    assert "Not undone: 3. It is too late" in text(organization_admin_client.post(UNDO, follow=True))
    assert statuses(held) == ["pending"] * 3


def test_the_id_of_another_act_is_not_taken(organization_admin_client, held, organization):
    effect = failed_effect(organization)
    form = {"act": "retry", "row": [effect.pk], "id": "of-this-form"}
    first = organization_admin_client.post(BULK, form)["Location"]
    second = organization_admin_client.post(BULK, form | {"act": "send", "row": keys(held)})["Location"]
    assert first != second
    assert organization_admin_client.get(first).context["done"].rows == [effect.pk]
    assert organization_admin_client.get(second).context["done"].rows == keys(held)


def test_each_tab_undoes_what_was_done_in_it(organization_admin_client, held):
    first, second = (
        organization_admin_client.post(BULK, {"act": "send", "row": keys(rows)})["Location"]
        for rows in (held[:1], held[1:])
    )
    assert "<strong>1</strong> waiting" in text(organization_admin_client.get(first))
    assert "<strong>2</strong> waiting" in text(organization_admin_client.get(second))
    id_of_first = organization_admin_client.get(first).context["done"].id
    page = text(organization_admin_client.post(UNDO, {"id": id_of_first}, follow=True))
    assert "Undone: 1." in page
    assert statuses(held) == ["held", "pending", "pending"]
    assert ">Undo<" in text(organization_admin_client.get(second))


def test_what_was_undone_can_be_sent_by_the_same_form_again_and_undone_again(organization_admin_client, held):
    form = {"act": "send", "row": keys(held), "id": form_id(organization_admin_client, held)}
    for _ in range(2):
        organization_admin_client.post(BULK, form)
        assert "Undone: 3." in text(organization_admin_client.post(UNDO, follow=True))


def test_of_another_session_nothing_is_shown(organization_admin_client, super_admin_client, held):
    answer = organization_admin_client.post(BULK, {"act": "send", "row": keys(held)})
    assert "Nothing was done lately" in text(super_admin_client.get(answer["Location"]))
    assert "nothing to undo" in text(super_admin_client.post(UNDO, follow=True))
    assert statuses(held) == ["pending"] * 3


def test_not_sending_withdraws_each_and_offers_no_undo(organization_admin_client, held):
    page = text(organization_admin_client.post(BULK, {"act": "cancel", "row": keys(held)}, follow=True))
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
    assert "Lever answered 503" in text(page)
    assert "Retry these steps?" in text(page)
    assert "2 steps." in text(page)
    team_member_client.post(BULK, {"act": "retry", "row": keys(effects)})
    assert Effect.objects.filter(state="due", due_at__gt=Now()).count() == 2
    assert "Undone: 2." in text(team_member_client.post(UNDO, follow=True))
    assert Effect.objects.filter(state="failed", due_at=None, last_error="Lever answered 503").count() == 2


def test_of_what_failed_each_can_be_left_out_and_the_oldest_is_offered_first(
    team_member_client, organization, monkeypatch
):
    now = timezone.now()
    newest, oldest, between = (failed_effect(organization) for _ in range(3))
    for effect, ago in ((newest, 1), (oldest, 3), (between, 2)):
        Effect.objects.filter(pk=effect.pk).update(failed_at=now - timedelta(hours=ago))
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = team_member_client.get(BULK, {"act": "retry"})
    assert [row.key for row in answer.context["rows"]] == keys([oldest, between])
    boxes = page_of(answer.content.decode()).found("input", name="row")
    assert [(box.attributes["type"], "checked" in box.attributes) for box in boxes] == [
        ("checkbox", True)
    ] * 2
    team_member_client.post(BULK, {"act": "retry", "row": [oldest.pk]})
    assert set(Effect.objects.filter(state="failed")) == {between, newest}


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
