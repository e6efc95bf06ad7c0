"""The tokens of programs that a Super Admin makes and revokes under Settings."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.api.acts import API_TOKENS, rotate_token
from integrations.api.models import ApiScope, ApiToken
from integrations.health.checks.set_up import check_api_tokens
from integrations.members.end_access import remove_member
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails

PAGE, MAKE = "/settings/", "/settings/api/"
FORM = {"name": "warehouse", "scopes": ["results", "candidates"], "days": "9"}


def shown(answer) -> str:
    """Return the token that a page shows, without its beginning."""
    found: str = answer.content.decode().partition('value="cslp_')[2].partition('"')[0]
    return found


def status(client, token: str) -> int:
    """Return the status with which the results are answered to a program with that token."""
    answer = client.get("/api/v1/results/", headers={"Authorization": f"Bearer cslp_{token}"})
    return int(answer.status_code)


def test_a_token_is_shown_once_and_reads_what_was_chosen(super_admin_client, organization, client):
    answer = super_admin_client.post(MAKE, FORM)
    assert "no-store" in answer["Cache-Control"]
    text = shown(answer)
    token = ApiToken.objects.get()
    assert token.scopes == ["candidates", "results"]
    assert timedelta(days=8) < token.expires_at - timezone.now() < timedelta(days=10)
    assert text not in super_admin_client.get(PAGE).content.decode()
    assert text not in str(ApiToken.objects.values())
    assert status(client, text) == 200
    entry = recorded().get()
    assert (entry.action, entry.target) == ("make_api_token", "warehouse")
    assert entry.changes["scopes"] == [[], ["candidates", "results"]]
    assert text not in str(entry.changes)


def test_each_super_admin_is_told_of_a_token_but_not_what_programs_send(super_admin_client, organization):
    factories.member(organization, "super_admin", "second")
    token = shown(super_admin_client.post(MAKE, {**FORM, "name": "see evil.example"}))
    told, also_told = sent_emails()
    assert told.to != also_told.to
    assert told.subject.replace("\u200b", "").endswith(" made an API token: see evil.example")
    assert "evil.example" not in told.body, "a name becomes no link"
    assert "see evil.example (scopes: candidates, results; ends: " in told.body.replace("\u200b", "")
    assert token not in told.body
    assert f"{settings.PORTAL_URL}/settings/" in told.body


def test_a_rotated_token_is_shown_once_and_the_one_before_counts_for_a_day(
    super_admin_client, organization, client
):
    first = shown(super_admin_client.post(MAKE, FORM))
    token = ApiToken.objects.get()
    answer = super_admin_client.post(f"{MAKE}{token.pk}/rotate/")
    second = shown(answer)
    page = answer.content.decode()
    assert "The one before works until" in page
    assert "The one before is refused at once." in page, "if it is rotated again"
    assert [status(client, one) for one in (first, second)] == [200, 200]
    ApiToken.objects.update(previous_until=timezone.now() - timedelta(seconds=5))
    assert [status(client, one) for one in (first, second)] == [401, 200]
    rotated = ApiToken.objects.get()
    assert (rotated.name, rotated.scopes) == (token.name, token.scopes)
    assert rotated.expires_at - rotated.created_at == token.expires_at - token.created_at
    assert "the_one_before_ends" in recorded().latest("pk").changes


def test_a_token_that_somebody_revokes_meanwhile_is_not_rotated_and_the_page_says_so(
    super_admin_client, organization, monkeypatch
):
    token = factories.api_token(organization)

    def rotate_revoked(token, actor, made):
        ApiToken.objects.all().delete()
        return rotate_token(token, actor, made)

    monkeypatch.setattr("integrations.pages.settings.api.rotate_token", rotate_revoked)
    page = super_admin_client.post(f"{MAKE}{token.pk}/rotate/").content.decode()
    assert "Somebody has revoked this token." in page
    assert 'name="scopes"' in page, "the form for a new one is whole"


def test_the_answer_that_shows_a_rotated_token_rotates_nothing_when_it_is_loaded_again(
    super_admin_client, organization, client
):
    first = shown(super_admin_client.post(MAKE, FORM))
    token = ApiToken.objects.get()
    page = super_admin_client.get(PAGE).content.decode()
    made = page.split('name="made"')[1].split('value="')[1].split('"')[0]
    second, again = (super_admin_client.post(f"{MAKE}{token.pk}/rotate/", {"made": made}) for _ in range(2))
    assert "This token was rotated since the page was opened" in again.content.decode()
    assert [status(client, one) for one in (first, shown(second))] == [200, 200]


def test_a_token_that_has_ended_is_rotated_without_an_overlap(super_admin_client, organization):
    token = factories.api_token(organization)
    now = timezone.now()
    ApiToken.objects.update(created_at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    assert "works for another day" not in super_admin_client.get(PAGE).content.decode()
    super_admin_client.post(f"{MAKE}{token.pk}/rotate/")
    rotated = ApiToken.objects.get()
    assert (rotated.is_expired, rotated.has_previous) == (False, False)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scopes": ["effects"]}, "effects is not one of the available choices"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "731"}, "less than or equal to 730"),
        ({"name": "taken"}, "There is a token with this name."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(super_admin_client, organization, wrong, error):
    factories.api_token(organization, "taken")
    page = super_admin_client.post(MAKE, {**FORM, **wrong}).content.decode()
    assert error in page
    assert ApiToken.objects.count() == 1


def test_the_list_says_what_a_token_reads_when_it_was_used_and_that_it_has_ended(
    super_admin_client, organization
):
    token = factories.api_token(organization)
    page = super_admin_client.get(PAGE).content.decode()
    assert "never" in page
    assert ", ".join(ApiScope(scope).label for scope in token.scopes) in page
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=1), last_used_at=timezone.now())
    page = super_admin_client.get(PAGE).content.decode()
    assert "Ended" in page
    assert "just now" in page


def test_who_made_a_token_is_shown_and_that_they_left_is_a_finding(
    super_admin_client, super_admin, organization
):
    super_admin_client.post(MAKE, FORM)
    factories.api_token(organization, "nightly", "api_token")
    page = super_admin_client.get(PAGE).content.decode()
    assert f">{super_admin.get_full_name() or super_admin}<" in page
    assert ">the portal&#x27;s operator<" in page
    second = factories.member(organization, "super_admin", "second")
    factories.api_token(organization, "left over", second)
    assert not list(check_api_tokens(organization))
    for end, restore in (
        (lambda: User.objects.filter(pk=second.pk).update(is_active=False), True),
        (lambda: remove_member(second.memberships.get(), super_admin), False),
        (lambda: User.objects.filter(pk=second.pk).delete(), False),
    ):
        end()
        [finding] = check_api_tokens(organization)
        assert "“left over” by " in finding.message
        assert "nightly" not in finding.message
        if restore:
            User.objects.update(is_active=True)
    API_TOKENS.remove(ApiToken.objects.get(name="left over"), super_admin)
    assert not list(check_api_tokens(organization))


def test_the_e_mail_and_the_log_about_a_removal_name_the_tokens_that_the_person_made(
    organization, super_admin
):
    second = factories.member(organization, "super_admin", "second")
    factories.api_token(organization, "left over", second)
    before = len(sent_emails())
    remove_member(second.memberships.get(), super_admin)
    told = sent_emails()[before:]
    assert {message.to[0] for message in told} == {super_admin.email}
    sentence = "Programs still read with the tokens that they made: “left over”."
    assert sentence in told[0].body
    assert sentence in recorded().get(action="remove_member").reason
