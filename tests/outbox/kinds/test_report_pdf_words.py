"""What an effect is to write, as its payload has it: tags, and the results that become feedback."""

import pytest

from integrations.invitations.models.result import Result
from integrations.outbox.kinds.feedback import results_of
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import kind_of
from tests.support import factories


@pytest.mark.parametrize(
    ("kind", "payload", "tags"),
    [
        ("set_progress_tag", {"tag": "CodeScreen: Candidate Invited"}, 1),
        ("set_result_tag", {"tag": "cs-passed", "others": ["cs-failed"]}, 1),
        ("set_progress_tag", {}, 0),
    ],
)
def test_the_tags_are_those_that_are_added(kind, payload, tags):
    effect = Effect(kind=kind, payload=payload)
    found = kind_of(effect).words(effect).tags
    assert len(found) == tags
    assert "cs-failed" not in found


def test_results_are_of_the_effects_own_organization(organization):
    invitation = factories.InvitationFactory.create(organization=organization)
    result = Result.objects.create(invitation=invitation, outcome="Passed")
    other = factories.OrganizationFactory.create()
    effects = [
        factories.EffectFactory.create(
            organization=owner, kind="write_feedback", key="feedback", payload={"result": result.pk}
        )
        for owner in (organization, other)
    ]
    assert results_of(effects) == {effects[0].pk: result}
    assert results_of([Effect(kind="leave_note", payload={"result": result.pk})]) == {}
