"""By what a person is recognized in texts: ids, whole names and addresses, however they are written."""

import json

import pytest
from django.db.models import TextField
from django.db.models.functions import Cast

from integrations.clients.models import ApiCall
from integrations.outbox.models.effect import Effect
from integrations.privacy.concerned import Subject, containing, subject_of
from tests.support import factories

NAME, ADDRESS = "Zoë O'Brien-Łuk", "zoe+jobs@candidates.example"


def subject(**known) -> Subject:
    return Subject(1, "opportunity-1", **{key: frozenset(value) for key, value in known.items()})


@pytest.mark.parametrize(
    "text",
    [
        f"Hello {NAME}!",
        f"hello {NAME.upper()}",
        json.dumps({"name": NAME}),
        f"<{ADDRESS}>",
        f"mailto:{ADDRESS.upper()}",
        "/opportunities?email=zoe%2Bjobs%40candidates.example",
        {"deep": [{"er": ["x", f"({NAME})"]}]},
        {NAME: 1},
        "/activity/opportunity-1/",
    ],
)
def test_a_person_is_found_however_the_name_is_written(text):
    assert subject(names=[NAME], addresses=[ADDRESS]).is_mentioned(text)


@pytest.mark.parametrize(
    "text", ["", {}, [], None, 5, "opportunity-12", "Zoë", "joe@candidates.example", "x" * 100_000]
)
def test_others_are_not_found(text):
    assert not subject(names=[NAME], addresses=[ADDRESS]).is_mentioned(text)


def test_a_name_of_one_word_counts_as_a_whole_word_in_its_case_only():
    will = subject(names=["Will"])
    assert will.is_mentioned("Dear Will, …")
    assert not will.is_mentioned("It will be sent.")
    assert not will.is_mentioned("William")


def test_a_hostile_name_is_no_pattern():
    assert not subject(names=["(a+)+$", ".*"]).is_mentioned("a" * 5000)
    assert subject(names=["100% _sure_"]).is_mentioned("says 100% _sure_ twice")


@pytest.mark.parametrize("name", [NAME, 'Quote " Backslash \\', "百 分", "100% _sure_", "x" * 500])
def test_the_database_finds_the_rows_whatever_is_in_the_name(organization, name):
    texts = {"name": name}
    call = factories.ApiCallFactory.create(
        organization=organization, response_body=json.dumps(texts, ensure_ascii=False)
    )
    effect = factories.EffectFactory.create(organization=organization, payload=texts)
    person = subject(names=[name])
    assert [row.pk for row in containing(ApiCall.objects.all(), ["response_body"], person)] == [call.pk]
    assert [row.pk for row in containing(Effect.objects.all(), ["payload"], person)] == [effect.pk]
    assert Effect.objects.annotate(text=Cast("payload", TextField())).count() == 1


def test_everything_known_about_the_person_is_collected(organization):
    invitation = factories.InvitationFactory.create(
        organization=organization, candidate_name=f" {NAME} ", email=ADDRESS, contact_id="contact-known"
    )
    factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=invitation.opportunity_id,
        payload={"data": {"contactId": "contact-2", "to": "<other@candidates.example>"}},
    )
    factories.InvitationFactory.create(organization=organization, candidate_name="Somebody Else")
    known = subject_of(organization.pk, invitation.opportunity_id)
    assert known.names == {NAME}
    assert known.contact_ids == {"contact-known", "contact-2"}
    assert known.addresses == {ADDRESS, "other@candidates.example"}
