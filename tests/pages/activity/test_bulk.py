"""Approving, refusing, deciding again and retrying many at once: a page that names them, one operation for each."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from integrations.pages.activity import bulk
from integrations.pages.activity.bulk import ACTS
from integrations.queue import worker
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_numbers import page_of
from tests.support.page_text import text

BULK = "/candidates/bulk/"


@pytest.fixture
def waiting(organization):
    """Three candidates on hold."""
    names = ("Alder", "Birch", "Cedar")
    return [candidate(organization, name, "held_for_approval", "held") for name in names]


@pytest.fixture
def held(waiting):
    """Their invitations."""
    return [one.invitation for one in waiting]


def failed_effect(organization, **columns):
    values = {"state": "failed", "due_at": None, "last_error": "Lever answered 503", **columns}
    return factories.EffectFactory.create(organization=organization, **values)


def keys(rows):
    return [row.pk for row in rows]


def statuses(rows):
    return [Invitation.objects.get(pk=row.pk).status for row in rows]


def named(client, act="send", **query):
    """Return the names of those that the page of the act shows."""
    return [row.candidate.name for row in client.get(BULK, {"act": act, **query}).context["rows"]]


def test_the_page_names_who_was_ticked_with_why_and_changes_nothing(organization_admin_client, waiting, held):
    Invitation.objects.filter(pk=held[0].pk).update(status_reason="On hold: they need extra time.")
    page = text(organization_admin_client.get(BULK, {"act": "send", "candidate": keys(waiting[:2])}))
    for words in ("Send invitations", "Alder", "Birch", "2 candidates.", "On hold: they need extra time."):
        assert words in page, words
    assert "Cedar" not in page
    assert statuses(held) == ["held"] * 3


def test_the_page_of_all_names_those_that_the_filters_show(
    organization_admin_client, waiting, organization, monkeypatch
):
    candidate(organization, "Hazel", "no_email")
    assert named(organization_admin_client, all="1", q="r") == ["Cedar", "Birch", "Alder"]
    assert named(organization_admin_client, all="1", q="Birch") == ["Birch"]
    assert named(organization_admin_client, act="decide", all="1") == ["Hazel"]
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = organization_admin_client.get(BULK, {"act": "send", "all": "1", "view": "held"})
    assert len(answer.context["rows"]) == 2
    assert "do the others afterwards" in text(answer)


def test_those_who_stay_ticked_are_sent_once_with_an_entry_for_each(organization_admin_client, held):
    form = {"act": "send", "row": keys(held[:2]), "reason": "Planned."}
    for said in (
        "“Send invitations”: done for 2.",
        "Not done for 2: This invitation is waiting to be sent.",
    ):
        assert said in text(organization_admin_client.post(BULK, form, follow=True))
        assert statuses(held) == ["pending", "pending", "held"]
        assert Effect.objects.due().filter(kind="send_invitation").count() == 2
        assert [entry.reason for entry in AuditEntry.objects.filter(action="approve")] == ["Planned."] * 2


def test_who_got_no_assessment_is_decided_again_and_what_failed_is_sent_again(
    organization_admin_client, connected_organization, scenario, sandbox
):
    scenario.enter("Hazel")
    candidate(connected_organization, "Alder", status="failed")
    scenario.set_policies(default_assessment="Backend")
    assert set(named(organization_admin_client, act="decide", all="1")) == {"Candidate Hazel", "Alder"}
    page = organization_admin_client.get(BULK, {"act": "decide", "all": "1"})
    assert "or was cancelled before, is sent again." in text(page)
    form = {"act": "decide", "row": [row.key for row in page.context["rows"]]}
    assert "“Decide again”: done for 2." in text(organization_admin_client.post(BULK, form, follow=True))
    assert Invitation.objects.get(opportunity_id="o-alder").status == "pending"
    worker.work()
    assert sandbox.invitations_sent("hazel@candidates.example") == 1
    entry = AuditEntry.objects.get(action="invite_candidate")
    assert entry.changes == {"assessment": ["", "the one that the rules name"]}


def test_of_what_failed_but_invitations_each_can_be_left_out_and_the_oldest_is_offered_first(
    team_member_client, organization, monkeypatch
):
    now = timezone.now()
    newest, oldest, between = (
        failed_effect(organization, failed_at=now - timedelta(hours=ago)) for ago in (1, 3, 2)
    )
    invitation = factories.InvitationFactory.create(organization=organization, status="failed")
    sending = failed_effect(organization, kind="send_invitation", invitation=invitation)
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = team_member_client.get(BULK, {"act": "retry"})
    assert [row.key for row in answer.context["rows"]] == keys([oldest, between])
    for words in ("Retry steps", "2 steps.", "Lever answered 503"):
        assert words in text(answer), words
    boxes = page_of(answer.content.decode()).found("input", name="row")
    assert ["checked" in box.attributes for box in boxes] == [True] * 2
    team_member_client.post(BULK, {"act": "retry", "row": keys([oldest, sending])})
    assert set(Effect.objects.filter(state="failed")) == {between, newest, sending}


def test_another_organizations_rows_are_left_alone(organization_admin_client, held):
    other = factories.InvitationFactory.create(status="held")
    organization_admin_client.post(BULK, {"act": "send", "row": [other.pk]})
    somebody = factories.CandidateFactory.create()
    assert named(organization_admin_client, act="decide", candidate=[somebody.pk]) == []
    organization_admin_client.post(BULK, {"act": "decide", "row": [somebody.pk]})
    assert statuses([*held, other]) == ["held"] * 4
    assert not recorded().exists()


@pytest.mark.parametrize("row", ["", "nonsense", "9" * 30])
def test_a_row_that_is_none_does_nothing(organization_admin_client, held, row):
    query = {"act": "send", "candidate": row}
    assert "Nothing is ticked" in text(organization_admin_client.get(BULK, query))
    answer = organization_admin_client.post(BULK, {"act": "send", "row": row}, follow=True)
    assert "Nothing was ticked." in text(answer)
    assert statuses(held) == ["held"] * 3


@pytest.mark.parametrize("role", Membership.Role.values)
def test_the_roles_of_an_act_may_see_its_page_and_do_it(client_for, organization, role):
    client = client_for(factories.member(organization, role, "somebody"))
    for act in ACTS.values():
        page = client.get(BULK, {"act": act.code})
        done = client.post(BULK, {"act": act.code, "row": ["1"]})
        expected = (200, 302) if role in act.roles else (403, 403)
        assert (page.status_code, done.status_code) == expected, act.code


def test_many_that_were_possibly_sent_are_settled_on_one_page(organization_admin_client, organization):
    for name in ("Alder", "Birch", "Cedar"):
        candidate(organization, name, "invite", "uncertain")
    candidate(organization, "Held", "held_for_approval", "held")
    address = "/candidates/bulk/?act=settle&status=uncertain&all=1"
    page = text(organization_admin_client.get(address))
    assert "Did 3 candidates get the invitation? We don't know." in page
    assert "Held" not in page.split("<main")[1]
    assert " checked" not in page  # one who got the first e-mail would get a second
    alder, *others = Invitation.objects.filter(status="uncertain").order_by("pk")
    sent = reverse("invitation-sent", args=[alder.pk])
    assert f'action="{sent}" id="sent-{alder.pk}"' in page
    organization_admin_client.post(sent, {"instance_id": "i-1", "next": address})
    assert "Did 2 candidates" in text(organization_admin_client.get(address))
    form = {"act": "settle", "row": keys(others)}
    answer = organization_admin_client.post(BULK, form, follow=True)
    assert "“Not sent: send it”: done for 2." in text(answer)
    left = Invitation.objects.order_by("pk").values_list("status", flat=True)
    assert list(left) == ["invited", "pending", "pending", "held"]
    assert "Nothing is left to settle" in text(organization_admin_client.get(address))
