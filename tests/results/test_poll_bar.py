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


def test_who_meets_the_bar_is_tagged_and_moved_in_those_words(scenario, sandbox, capsys):
    sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(passing_score=70, passed_tag="fit", stage_on_pass="Phone screen")
    scenario.sent_invitation()
    scenario.evaluate(score=70)
    assert scenario.stage_of() == "Phone screen"
    in_lever = sandbox.opportunity("Alder")
    assert "fit" in in_lever["tags"]
    assert in_lever["feedback"][0]["fields"]["Result"] == f"Meets your bar (70). {OWN_BAR}"
    email = Effect.objects.filter(kind="send_email", email_topic="result").latest("pk")
    assert "70, meets your bar (70)" in email.payload["subject"]
    call_command("export", "results", scenario.organization.slug)
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (row["outcome"], row["meets_bar"]) == (None, True)


def test_a_stated_result_counts_whatever_the_bar(poll_answer, organization):
    set_policies(organization, {"passing_score": 70}, "test")
    poll_answer(COMPLETE | {"score": 99, "metadata": {"result": "Failed"}})
    result = Result.objects.get()
    assert (result.bar, result.headline, result.rating) == (None, "Failed", 2)


def test_a_mappings_bar_counts_before_the_organizations(poll_answer, organization):
    set_policies(organization, {"passing_score": 70}, "test")
    own = {"role": "Platform Engineer", "assessment": "Backend", "passing_score": 90}
    Invitation.objects.update(mapping=RoleMapping.objects.create(organization=organization, **own))
    poll_answer(COMPLETE | {"score": 80, "metadata": {}})
    result = Result.objects.get()
    assert (result.headline, result.rating) == ("Below your bar (90)", 2)


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
def test_no_rule_is_said_to_have_no_effect_where_there_is_a_bar(poll_answer, organization, place):
    set_policies(organization, {"passed_tag": "fit"}, "test")
    poll_answer(COMPLETE | {"metadata": {}})
    [told] = check_stated_results(type(organization).objects.reread(organization.pk))
    assert "no effect" in told.message
    if place == "the organization":
        set_policies(organization, {"passing_score": 70}, "test")
    else:
        RoleMapping.objects.create(organization=organization, role="Chef", assessment="A", passing_score=70)
    messages = [
        one.message for one in check_stated_results(type(organization).objects.reread(organization.pk))
    ]
    assert not any("no effect" in message for message in messages)
