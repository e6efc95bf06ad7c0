"""The organization's own bar where CodeScreen states no result, and the rating, which contradicts neither."""

import json

import pytest

from integrations.catalog.models import RoleMapping
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from integrations.results.poll import rate
from tests.management.conftest import printed_by
from tests.results.conftest import COMPLETE

# the bar: what follows, and in which words


OWN_BAR = "CodeScreen states no Passed or Failed; this is your organization's own bar."


def test_who_meets_the_bar_is_tagged_and_moved_in_those_words(scenario, sandbox):
    sandbox.codescreen_does("settings", metadata=False)
    scenario.set_policies(passing_score=70, passed_tag="fit", stage_on_pass="Phone screen")
    scenario.completed_invitation(score=70)
    assert scenario.stage_of() == "Phone screen"
    in_lever = sandbox.opportunity("Alder")
    assert "fit" in in_lever["tags"]
    assert in_lever["feedback"][0]["fields"]["Result"] == f"Meets your bar (70). {OWN_BAR}"
    email = Effect.objects.filter(kind="send_email", email_topic="result").latest("pk")
    assert "70, meets your bar (70)" in email.payload["subject"]
    row = json.loads(printed_by("export", "results", scenario.organization.slug).splitlines()[-1])
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


# rate a result from its score, never against what CodeScreen states or the bar says


THRESHOLDS = (25, 50, 74)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (73.9999, 3), (74, 4), (100, 4)]
)
@pytest.mark.parametrize("outcome", ["", "Expired"])
def test_the_rating_follows_the_score_where_nothing_says_who_passed(score, expected, outcome):
    assert rate(Result(score=score, outcome=outcome), THRESHOLDS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("said", "score", "expected", "by_score_alone"),
    [
        ({"outcome": "Failed"}, 99, 2, 4),
        ({"outcome": "Failed"}, 0, 1, 1),
        ({"outcome": "Passed"}, 0, 3, 1),
        ({"outcome": "Passed"}, 80, 4, 4),
        ({"bar": 70}, 62, 2, 3),
        ({"bar": 70}, 20, 1, 1),
        ({"bar": 20}, 20, 3, 1),
        ({"bar": 70}, 70, 3, 3),
        ({"bar": 70}, 99, 4, 4),
        ({"bar": 0}, 0, 3, 1),
        ({"bar": 100}, 99, 2, 4),
        ({"bar": 100}, 100, 4, 4),
    ],
)
def test_the_rating_contradicts_no_stated_result_or_bar_unless_the_policy_is_off(
    said, score, expected, by_score_alone
):
    result = Result(score=score, **said)
    assert rate(result, THRESHOLDS, follows_result=True) == expected
    assert rate(result, THRESHOLDS, follows_result=False) == by_score_alone


@pytest.mark.parametrize("follows_result", [True, False])
@pytest.mark.parametrize("outcome", ["Passed", "Failed", "Expired", ""])
def test_there_is_no_rating_when_codescreen_states_no_score(outcome, follows_result):
    assert rate(Result(outcome=outcome), THRESHOLDS, follows_result=follows_result) is None
