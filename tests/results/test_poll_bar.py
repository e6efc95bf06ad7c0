"""The organization's own bar, where CodeScreen states no result: what follows, and in which words."""

import json

import pytest
from django.core.management import call_command

from integrations.catalog.models import RoleMapping
from integrations.health.checks.connections import check_stated_results
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from tests.results.conftest import COMPLETE

OWN_BAR = "CodeScreen states no Passed or Failed; this is your organization's own bar."


@pytest.fixture
def with_bar(scenario, sandbox):
    """Rules that depend on a result, a bar of 70, and a CodeScreen that states no result."""
    sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(
        passing_score=70,
        passed_tag="fit",
        failed_tag="not fit",
        stage_on_pass="Phone screen",
    )
    return scenario


def evaluate(scenario, **verdict) -> Invitation:
    invitation = scenario.sent_invitation()
    scenario.candidate_does("start", "submit", "evaluate", **verdict)
    return scenario.reread(invitation)


def in_lever(sandbox, field: str) -> str:
    """Return the value of a field of the feedback in Lever."""
    [form] = sandbox.opportunity("Alder")["feedback"]
    return form["fields"][field]


def test_who_meets_the_bar_is_tagged_and_moved_in_those_words(with_bar, sandbox, capsys):
    evaluate(with_bar, score=70)
    assert with_bar.stage_of() == "Phone screen"
    assert "fit" in sandbox.opportunity("Alder")["tags"]
    assert in_lever(sandbox, "Result") == f"Meets your bar (70). {OWN_BAR}"
    email = Effect.objects.filter(kind="send_email", email_topic="result").latest("pk")
    assert "70, meets your bar (70)" in email.payload["subject"]
    call_command("export", "results", with_bar.organization.slug)
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (row["outcome"], row["meets_bar"]) == (None, True)


def test_a_stated_result_counts_whatever_the_bar(with_bar, sandbox):
    sandbox.codescreen_does("settings", metadata=True)
    evaluate(with_bar, score=99, result="Failed")
    assert (Result.objects.get().bar, Result.objects.get().meets_bar) == (None, None)
    assert with_bar.stage_of() == "CodeScreen Assessment"
    assert in_lever(sandbox, "Result") == "Failed"


def test_a_mappings_bar_counts_before_the_organizations(with_bar):
    invitation = with_bar.sent_invitation()
    mapping = RoleMapping.objects.create(
        organization=with_bar.organization, role="Platform Engineer", assessment="Backend", passing_score=90
    )
    Invitation.objects.filter(pk=invitation.pk).update(mapping=mapping)
    with_bar.candidate_does("start", "submit", "evaluate", score=80)
    result = Result.objects.get()
    assert (result.headline, result.rating) == ("Below your bar (90)", 2)


def test_a_regrade_below_the_bar_changes_tag_and_tells_people(with_bar, sandbox):
    evaluate(with_bar, score=80)
    with_bar.candidate_does("regrade", score=10)
    tags = sandbox.opportunity("Alder")["tags"]
    assert "not fit" in tags
    assert "fit" not in tags
    [note] = sandbox.opportunity("Alder")["note_texts"]
    assert "Now it is: Below your bar (70). Nobody is moved back automatically." in note


@pytest.mark.parametrize(
    ("change", "headline"),
    [
        ({"result_url": "https://codescreen.example/report/2"}, "Meets your bar (70)"),
        ({"metadata": {"attempt": 2}}, "Meets your bar (70)"),
        ({"score": 81}, "Below your bar (90)"),
        ({"metadata": {"attempt": 2, "submittedAt": "2124-05-08T09:00:00Z"}}, "Below your bar (90)"),
    ],
)
def test_a_bar_of_now_counts_for_what_is_new_and_not_for_another_link_to_the_same(
    poll_answer, organization, change, headline
):
    set_policies(organization, {"passing_score": 70}, "test")
    answer = COMPLETE | {"score": 80, "metadata": {"attempt": 1, "submittedAt": "2024-05-08T09:00:00Z"}}
    poll_answer(answer)
    set_policies(organization, {"passing_score": 90}, "test")
    invitation = poll_answer(answer | change)
    assert invitation.latest_result().headline == headline


@pytest.mark.parametrize("place", ["the organization", "a mapping"])
def test_no_rule_is_said_to_have_no_effect_where_there_is_a_bar(with_bar, place):
    evaluate(with_bar, score=80)
    organization = with_bar.organization
    with_bar.set_policies(passing_score=70 if place == "the organization" else None)
    if place == "a mapping":
        RoleMapping.objects.create(organization=organization, role="Chef", assessment="A", passing_score=70)
    [told] = check_stated_results(type(organization).objects.reread(organization.pk))
    assert "no effect" not in told.message
