"""Inviting many who got no assessment: a preview by the code of the real run, half a minute to undo it, once."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models.platform_lists import Assessment
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.outbox.models import Effect
from integrations.pages.activity import bulk
from integrations.queue import on_request, worker
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

LEFT = "The candidate left the stage."
BULK, DONE, UNDO = "/candidates/bulk/", "/candidates/bulk/done/", "/candidates/bulk/undo/"
STAGE = "CodeScreen Assessment"
#: Of the sandbox's candidates: two without an assessment, one of an unknown one, of two, without an address.
NOT_INVITED = {
    "Hazel": "no_assessment",
    "Larch": "no_assessment",
    "Ginkgo": "unknown_assessment",
    "Maple": "ambiguous_assessment",
    "Nyssa": "no_email",
}


@pytest.fixture
def uninvited(connected_organization, sandbox):
    """The candidates who were not invited, by their word in the sandbox."""
    sandbox.lever_does("settings", webhooks_enabled=False)
    for word in NOT_INVITED:
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=STAGE)
    on_request.sweep_organization(connected_organization)
    worker.work()
    found = {word: of(sandbox, word) for word in NOT_INVITED}
    assert {word: one.delivery.verdict for word, one in found.items()} == NOT_INVITED
    return found


def of(sandbox, word):
    return Candidate.objects.get(opportunity_id=sandbox.opportunity_id(word))


def keys(candidates):
    return [one.pk for one in candidates]


def assessment(name="Backend"):
    return Assessment.objects.get(name=name).external_id


def become_due():
    """Let the half minute pass."""
    a_moment_ago = Now() - timedelta(seconds=1)
    Delivery.objects.filter(due_at__gt=Now()).update(due_at=a_moment_ago)
    Effect.objects.filter(due_at__gt=Now()).update(due_at=a_moment_ago)
    worker.work()


def previewed(client, candidates, **query):
    """Return who would get what, and who is left out and why."""
    answer = client.get(BULK, {"act": "invite", "candidate": keys(candidates), **query})
    rows = {row.candidate.name: row.what for row in answer.context["rows"]}
    return rows, {row.candidate.name: row.what for row in answer.context["left_out"]}


def invite(client, candidates, **form):
    return client.post(BULK, {"act": "invite", "row": keys(candidates), **form}, follow=True)


def test_the_preview_decides_by_the_rules_and_says_who_is_left_out_and_why(
    organization_admin_client, uninvited, connected_organization, sandbox
):
    RoleMapping.objects.create(
        organization=connected_organization, role="Site Reliability Engineer", assessment="Backend"
    )
    counts = [model.objects.count() for model in (Invitation, Effect, AuditEntry)]
    rows, left_out = previewed(organization_admin_client, uninvited.values())
    assert rows == {"Candidate Hazel": "Backend", "Candidate Larch": "Backend"}
    assert left_out == {
        "Candidate Ginkgo": "CodeScreen has no assessment “Data Enginer”. The name comes from the tag. "
        "Did you mean “Data Engineer”?",
        "Candidate Maple": "More than one assessment fits the tags “CodeScreen Mobile iOS” and “CodeScreen Mobile "
        "Android”.",
        "Candidate Nyssa": "The candidate has no e-mail address in Lever.",
    }
    assert [model.objects.count() for model in (Invitation, Effect, AuditEntry)] == counts
    assert Candidate.objects.filter(pk=uninvited["Hazel"].pk, delivery__chosen_at__isnull=True).exists()


def test_a_chosen_assessment_is_previewed_for_everybody_who_can_have_it(organization_admin_client, uninvited):
    rows, left_out = previewed(organization_admin_client, uninvited.values(), chosen=assessment())
    assert set(rows.values()) == {"Backend"}
    assert len(rows) == 4
    assert left_out == {"Candidate Nyssa": "The candidate has no e-mail address in Lever."}


def test_who_is_left_out_for_the_origin_is_invited_once_an_assessment_is_chosen(
    organization_admin_client, connected_organization, sandbox
):
    set_policies(connected_organization, {"origins": {"sourced": "skip"}}, "test")
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Upas")], stage=STAGE)
    on_request.sweep_organization(connected_organization)
    worker.work()
    upas = of(sandbox, "Upas")
    assert upas.delivery.verdict == "origin_excluded"
    rows, left_out = previewed(organization_admin_client, [upas])
    assert rows == {}
    assert "the origin “Sourced”" in left_out["Candidate Upas"]
    rows, left_out = previewed(organization_admin_client, [upas], chosen=assessment())
    assert rows == {"Candidate Upas": "Backend"}
    assert left_out == {}
    invite(organization_admin_client, [upas], chosen=assessment())
    become_due()
    assert sandbox.invitations_sent("upas@candidates.example") == 1


def test_the_preview_reads_many_from_levers_list_and_few_alone(organization_admin_client, uninvited):
    def calls(candidates) -> list[str]:
        before = set(ApiCall.objects.values_list("pk", flat=True))
        previewed(organization_admin_client, candidates, chosen=assessment())
        made = ApiCall.objects.exclude(pk__in=before).order_by("pk").values_list("path", flat=True)
        return [path.partition("?")[0] for path in made]

    assert calls(uninvited.values()) == ["/opportunities"]
    hazel = uninvited["Hazel"]
    assert calls([hazel]) == [f"/opportunities/{hazel.opportunity_id}"]


def test_the_preview_reads_lever_again(organization_admin_client, uninvited, sandbox):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Hazel")], stage="Phone screen")
    rows, left_out = previewed(organization_admin_client, [uninvited["Hazel"]], chosen=assessment())
    assert rows == {}
    assert "has left “CodeScreen Assessment”" in left_out["Candidate Hazel"]


def test_the_preview_counts_the_bulk_limit(organization_admin_client, uninvited, connected_organization):
    set_policies(connected_organization, {"bulk_limit": 3}, "test")
    answer = organization_admin_client.get(
        BULK, {"act": "invite", "candidate": keys(uninvited.values()), "chosen": assessment()}
    )
    held = [row for row in answer.context["rows"] if "more than 3 candidates in 10 minutes" in row.note]
    assert (len(answer.context["rows"]), len(held)) == (4, 1)


def test_an_assessment_that_is_none_of_codescreens_is_not_chosen(organization_admin_client, uninvited):
    rows, left_out = previewed(organization_admin_client, [uninvited["Hazel"]], chosen="nonsense")
    assert rows == {}
    assert "has no assessment yet" in left_out["Candidate Hazel"]
    page = text(invite(organization_admin_client, [uninvited["Hazel"]], chosen="nonsense"))
    assert "CodeScreen no longer has this assessment" in page
    assert recorded().filter(action="invite_candidate").count() == 0


def test_inviting_begins_half_a_minute_later_with_an_entry_for_each(
    organization_admin_client, uninvited, sandbox
):
    who = [uninvited["Hazel"], uninvited["Ginkgo"]]
    page = text(invite(organization_admin_client, who, chosen=assessment(), reason="Planned."))
    assert "<strong>2</strong> waiting to be decided" in page
    assert ">Undo<" in page
    assert worker.work() == 0
    entries = recorded().filter(action="invite_candidate")
    assert [(one.reason, one.changes) for one in entries] == [
        ("Planned.", {"assessment": ["", "Backend"]})
    ] * 2
    become_due()
    assert sandbox.invitations_sent() == 2
    assert "<strong>2</strong> sent" in text(organization_admin_client.get(DONE))
    verdict = uninvited["Hazel"].delivery.verdicts.get(is_current=True)
    assert (verdict.code, verdict.cause, verdict.assessment_source) == ("invite", "chosen", "choice")
    assert verdict.explanation == "The assessment is “Backend”, because of an Admin's choice."


def test_the_rules_name_the_assessment_where_none_is_chosen(
    organization_admin_client, uninvited, connected_organization, sandbox
):
    set_policies(connected_organization, {"default_assessment": "Backend"}, "test")
    invite(organization_admin_client, [uninvited["Hazel"]])
    become_due()
    assert sandbox.invitations_sent("hazel@candidates.example") == 1
    entry = recorded().get(action="invite_candidate")
    assert entry.changes == {"assessment": ["", "the one that the rules name"]}


def test_undoing_leaves_them_as_they_were(organization_admin_client, uninvited, sandbox):
    who = [uninvited["Hazel"], uninvited["Ginkgo"]]
    invite(organization_admin_client, who, chosen=assessment())
    page = text(organization_admin_client.post(UNDO, follow=True))
    assert "Undone: 2." in page
    assert "not invited: no assessment" in page
    become_due()
    assert sandbox.invitations_sent() == 0
    delivery = Delivery.objects.get(pk=uninvited["Hazel"].delivery_id)
    assert (delivery.chosen_at, delivery.chosen_assessment, delivery.due_at) == (None, "", None)
    assert recorded().filter(action="take_back").count() == 2
    invite(organization_admin_client, who, chosen=assessment())
    become_due()
    assert sandbox.invitations_sent() == 2


def test_what_a_worker_has_begun_is_not_undone(organization_admin_client, uninvited):
    invite(organization_admin_client, [uninvited["Hazel"]], chosen=assessment())
    Delivery.objects.filter(chosen_at__isnull=False).update(
        leased_until=Now() + timedelta(minutes=1), lease_owner="w"
    )
    page = text(organization_admin_client.post(UNDO, follow=True))
    assert "Not undone: 1. It is too late" in page
    assert Delivery.objects.get(pk=uninvited["Hazel"].delivery_id).chosen_at is not None


def test_a_form_sent_twice_and_two_admins_at_once_invite_once(
    organization_admin_client, super_admin_client, uninvited, sandbox
):
    form = {"chosen": assessment(), "id": "of-this-form"}
    invite(organization_admin_client, [uninvited["Hazel"]], **form)
    page = text(invite(organization_admin_client, [uninvited["Hazel"]], **form))
    assert "This was done already" in page
    assert ">Undo<" in page
    page = text(invite(super_admin_client, [uninvited["Hazel"]], chosen=assessment("Data Engineer")))
    assert "Nothing was done." in page
    assert "The portal is deciding about this candidate now." in page
    become_due()
    page = text(invite(super_admin_client, [uninvited["Hazel"]], chosen=assessment("Data Engineer")))
    assert "The candidate already has “Backend”: invited, not started." in page
    become_due()
    assert sandbox.invitations_sent() == 1
    assert recorded().filter(action="invite_candidate").count() == 1


@pytest.mark.parametrize("chosen", ["Backend", "Data Engineer"])
def test_who_is_invited_by_a_webhook_meanwhile_is_not_invited_again(
    organization_admin_client, uninvited, connected_organization, sandbox, chosen
):
    invite(organization_admin_client, [uninvited["Hazel"]], chosen=assessment(chosen))
    set_policies(connected_organization, {"default_assessment": "Backend"}, "test")
    factories.DeliveryFactory(
        organization=connected_organization,
        opportunity_id=uninvited["Hazel"].opportunity_id,
        payload=uninvited["Hazel"].delivery.payload,
    )
    worker.work()
    assert sandbox.invitations_sent() == 1
    become_due()
    assert sandbox.invitations_sent() == 1
    delivery = Delivery.objects.get(pk=uninvited["Hazel"].delivery_id)
    assert delivery.verdict == "already_invited"
    assert "<strong>1</strong> sent" in text(organization_admin_client.get(DONE))


def test_during_a_pause_the_choice_waits_and_holds_afterwards(
    organization_admin_client, uninvited, connected_organization, sandbox
):
    invite(organization_admin_client, [uninvited["Hazel"]], chosen=assessment())
    set_policies(connected_organization, {"paused": True}, "test")
    become_due()
    assert sandbox.invitations_sent() == 0
    set_policies(connected_organization, {"paused": False}, "test")
    worker.work()
    assert sandbox.invitations_sent() == 1


def test_what_failed_is_sent_again_and_taken_back(organization_admin_client, organization):
    one = candidate(organization, "Alder", status="failed")
    refused = "CodeScreen refused the e-mail address."
    Invitation.objects.update(status_reason=refused)
    factories.EffectFactory.create(
        organization=organization,
        kind="send_invitation",
        key=str(one.invitation_id),
        invitation=one.invitation,
        state="failed",
        due_at=None,
        failed_at=timezone.now(),
        last_error=refused,
    )
    answer = organization_admin_client.get(BULK, {"act": "invite", "candidate": [one.pk]})
    assert [(row.what, row.note) for row in answer.context["rows"]] == [
        (Invitation.objects.get().assessment_name, "sent again: it could not be sent before")
    ]
    assert Invitation.objects.get().status == "failed"
    assert not recorded().exists()
    assert "<strong>1</strong> waiting to be sent" in text(invite(organization_admin_client, [one]))
    assert Effect.objects.filter(due_at__gt=timezone.now() + timedelta(seconds=20)).exists()
    assert "Undone: 1." in text(organization_admin_client.post(UNDO, follow=True))
    undone = Invitation.objects.get()
    assert (undone.status, undone.status_reason) == ("failed", refused)
    assert Effect.objects.values_list("state", "last_error").get() == ("failed", refused)
    invite(organization_admin_client, [one])
    assert (Invitation.objects.get().status, Effect.objects.get().state) == ("pending", "due")


def test_what_was_withdrawn_unsent_is_sent_as_the_next_round_and_taken_back(
    organization_admin_client, organization
):
    one = candidate(organization, "Alder", status="withdrawn")
    Invitation.objects.update(status_reason=LEFT)
    assert "<strong>1</strong> waiting to be sent" in text(invite(organization_admin_client, [one]))
    assert Invitation.objects.get(round=2).status == "pending"
    assert "Undone: 1." in text(organization_admin_client.post(UNDO, follow=True))
    assert set(Invitation.objects.values_list("status", "status_reason", "stopped_by_user")) == {
        ("withdrawn", LEFT, False)
    }
    assert Effect.objects.get().state == "cancelled"
    named = AuditEntry.objects.filter(target_kind="invitation").values_list("target_id", flat=True)
    assert set(named) == {Invitation.objects.get(round=2).pk}
    invite(organization_admin_client, [one])
    assert Invitation.objects.get(round=3).status == "pending"


@pytest.mark.parametrize(
    ("verdict", "status", "why"),
    [
        ("held_for_approval", "held", "is on hold: use “Send those on hold”."),
        ("invite", "invited", "already has “Backend”: invited, not started."),
        ("invite", "completed", "already has “Backend”: completed."),
        ("paused", "", "This candidate waits, and is decided automatically."),
        ("anonymized", "", "The person's data was removed."),
    ],
)
def test_who_cannot_be_invited_is_left_out_with_the_reason(
    organization_admin_client, organization, verdict, status, why
):
    one = candidate(organization, "Alder", verdict, status)
    rows, left_out = previewed(organization_admin_client, [one])
    assert rows == {}
    assert why in left_out["Alder"]
    assert "None of these candidates can be invited" in text(
        organization_admin_client.get(BULK, {"act": "invite", "candidate": [one.pk]})
    )
    assert "Nothing was done." in text(invite(organization_admin_client, [one]))
    assert Invitation.objects.count() == bool(status)


def test_ticked_invitations_on_hold_are_named_among_those_left_out(organization_admin_client, organization):
    one = candidate(organization, "Alder", "held_for_approval", "held")
    answer = organization_admin_client.get(BULK, {"act": "invite", "row": [one.invitation_id]})
    assert [row.candidate.name for row in answer.context["left_out"]] == ["Alder"]


def test_all_that_match_are_those_with_something_to_do(organization_admin_client, uninvited, organization):
    for name, columns in {
        "Left": ("left_stage",),
        "Failed": ("invite", "failed"),
        "Invited": ("invite", "invited"),
    }.items():
        candidate(organization, name, *columns)
    query = {"act": "invite", "all": "1", "chosen": assessment()}
    context = organization_admin_client.get(BULK, query).context
    named = {row.candidate.name for row in [*context["rows"], *context["left_out"]]}
    assert named == {*(f"Candidate {word}" for word in NOT_INVITED), "Failed"}
    context = organization_admin_client.get(BULK, {**query, "q": "Hazel"}).context
    assert [row.candidate.name for row in context["rows"]] == ["Candidate Hazel"]


def test_of_very_many_the_newest_are_looked_at(organization_admin_client, uninvited, monkeypatch):
    monkeypatch.setattr(bulk, "MOST_INVITED", 2)
    answer = organization_admin_client.get(BULK, {"act": "invite", "all": "1", "chosen": assessment()})
    assert len(answer.context["rows"]) + len(answer.context["left_out"]) == 2
    assert "do the others afterwards" in text(answer)


def test_when_lever_does_not_answer_each_is_left_out_with_the_reason(
    organization_admin_client, uninvited, sandbox
):
    rules = [{"method": "GET", "path": "/v1/opportunities", "kind": "status", "status": 503, "times": 100}]
    sandbox.lever_does("faults", seed=1, rules=rules)
    rows, left_out = previewed(organization_admin_client, uninvited.values(), chosen=assessment())
    assert rows == {}
    assert len(left_out) == 5


def test_only_admins_invite_and_only_their_own_organizations(
    team_member_client, limited_member_client, organization_admin_client, organization
):
    mine, other = candidate(organization, "Alder", "no_assessment"), factories.CandidateFactory.create()
    for client in (team_member_client, limited_member_client):
        assert client.get(BULK, {"act": "invite", "candidate": [mine.pk]}).status_code == 403
        assert client.post(BULK, {"act": "invite", "row": [mine.pk]}).status_code == 403
    assert previewed(organization_admin_client, [other]) == ({}, {})
    assert "Nobody is ticked" in text(
        organization_admin_client.get(BULK, {"act": "invite", "candidate": [other.pk]})
    )
    invite(organization_admin_client, [other])
    assert not recorded().exists()


def test_who_was_not_invited_can_be_ticked_and_invited_from_their_page(
    organization_admin_client, team_member_client, organization
):
    one = candidate(organization, "Alder", "no_assessment")
    page = text(organization_admin_client.get("/activity/"))
    assert f'name="candidate" value="{one.pk}"' in page
    assert "Invite those not invited…" in page
    assert "Send those on hold…" not in page
    assert f"act=invite&amp;candidate={one.pk}" in text(organization_admin_client.get("/activity/o-alder/"))
    assert "act=invite" not in text(team_member_client.get("/activity/o-alder/"))
    assert 'name="candidate"' not in text(team_member_client.get("/activity/"))


def test_who_was_chosen_is_shown_as_being_decided(organization_admin_client, organization):
    one = candidate(organization, "Alder", "no_assessment")
    invite(organization_admin_client, [one])
    assert "Being decided" in text(organization_admin_client.get("/activity/"))
    page = text(organization_admin_client.get("/activity/o-alder/"))
    assert "Being decided" in page
    assert "Retry now" not in page
    assert "chose to invite the candidate" in page
