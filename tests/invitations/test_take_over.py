"""Candidates of CodeScreen's own integration are known here, not invited again, and followed where that is possible."""

from functools import partial

import pytest
from django.core.management.base import CommandError

from integrations.audit.models.entry import AuditEntry
from integrations.clients.provider import ClientProvider, codescreen_client
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause, ProgressTag
from integrations.invitations.acts.take_over import tagged_candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from tests.management.conftest import printed_by
from tests.support.scenario import ASSESSMENT, verdict

run = partial(printed_by, "take_over")
TAGS = [ProgressTag.INVITED, ProgressTag.EXPIRED]


@pytest.fixture
def before(scenario, sandbox):
    """Somebody whom the other integration invited, moved and tagged in Lever before the portal heard of it."""
    scenario.set_policies(default_assessment="Backend", other_integration_off=True)
    sandbox.lever_does("settings", webhooks_enabled=False)

    def make(word="Alder", tag=ProgressTag.INVITED):
        opportunity = sandbox.opportunity_id(word)
        sandbox.lever_does("move", opportunities=[opportunity], stage="CodeScreen Assessment")
        sandbox.lever_does("tags", opportunity=opportunity, add=[tag])
        return opportunity

    return make


@pytest.mark.parametrize("tag", TAGS)
def test_who_was_invited_elsewhere_is_known_and_not_invited_again(scenario, sandbox, before, tag):
    opportunity = before(tag=tag)
    said = run(scenario.organization.slug, "--dry-run")
    assert f"{opportunity} {tag} (Backend)" in said
    assert "1 would be taken over" in said
    assert not Invitation.objects.exists()
    assert "1 taken over, 0 left" in run(scenario.organization.slug)
    assert AuditEntry.objects.latest("pk").action == "take_over"
    assert "0 taken over, 0 left" in run(scenario.organization.slug)
    scenario.work()
    delivery = scenario.enter()
    assert delivery.verdict == "already_invited"
    assert sandbox.invitations_sent() == 0
    in_lever = sandbox.opportunity("Alder")
    assert (in_lever["tags"].count(tag), in_lever["notes"], in_lever["posts"]) == (1, 0, 0)


def test_who_has_no_assessment_by_the_rules_is_left_with_the_reason(scenario, before):
    scenario.set_policies(default_assessment="")
    before("Hazel")
    output = run(scenario.organization.slug)
    assert "Map the role first" in output
    assert "0 taken over, 1 left" in output


def test_an_instance_that_is_given_is_followed_to_its_feedback(scenario, sandbox, before, tmp_path):
    opportunity = before(tag=ProgressTag.IN_PROGRESS)
    others = codescreen_client(scenario.organization).send(
        ASSESSMENT, "Candidate Alder", "alder@candidates.example"
    )
    file = tmp_path / "instances.csv"
    file.write_text(f"{opportunity},{others}\n")
    run(scenario.organization.slug, "--instances", str(file))
    assert Invitation.objects.get().status == "in_progress"
    scenario.work()
    scenario.evaluate(score=90)
    assert Invitation.objects.get().status == "completed"
    assert Effect.objects.filter(kind="write_feedback", state="done").count() == 1
    assert sandbox.invitations_sent() == 1  # the other integration's


def test_who_was_offered_is_offered_no_more(scenario, before):
    before()
    delivery = scenario.enter()
    assert delivery.verdict == "entered_before"
    run(scenario.organization.slug)
    scenario.work()
    assert verdict(delivery) == "already_invited"


@pytest.mark.parametrize("line", ["only-one", "a,b,c", ",instance", "opportunity,"])
def test_a_line_that_is_no_pair_is_named(scenario, tmp_path, line):
    file = tmp_path / "instances.csv"
    file.write_text(f"one,two\n{line}\n")
    with pytest.raises(CommandError, match="line 2"):
        run(scenario.organization.slug, "--instances", str(file))


def test_who_was_erased_stays_erased(scenario, before):
    opportunity = before()
    Erasure.objects.create(
        organization=scenario.organization, opportunity_id=opportunity, cause=ErasureCause.DELETED
    )
    output = run(scenario.organization.slug)
    assert opportunity not in output
    assert not Invitation.objects.exists()


def test_who_has_left_the_stage_since_they_were_listed_is_not_taken_over(scenario, sandbox, before):
    opportunity = before()
    sandbox.lever_does("move", opportunities=[opportunity], stage="Phone screen")
    with pytest.raises(ActionNotAllowed):
        tagged_candidate(scenario.organization, opportunity, ClientProvider(scenario.organization))
    assert not Invitation.objects.exists()
