"""E-mails: wording is checked, previewed, tested, saved and reset."""

from html import unescape

import pytest
from django.core import mail
from django.urls import reverse

from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.models.preferences import EmailTemplate
from integrations.notifications.notices import checked_wording, render_sample
from integrations.outbox.models import Effect
from integrations.queue import worker
from tests.support.factories import recorded

EDIT = "/settings/notifications/result/"
OWN_WORDING = {
    "subject": "Result of {assessment}",
    "body": "{candidate} has {outcome}.\n\nReport: {report_link}",
}


def text(answer) -> str:
    return unescape(answer.content.decode())


def test_the_list_shows_whose_wording_is_used_and_that_codescreen_sends_the_invitation(
    super_admin_client, organization
):
    page = text(super_admin_client.get("/settings/notifications/"))
    assert "https://app.codescreen.com/#/client-templates" in page
    assert "Default" in page
    super_admin_client.post(EDIT, {**OWN_WORDING, "act": "save"})
    assert "Yours, since" in text(super_admin_client.get("/settings/notifications/"))


@pytest.mark.parametrize(
    ("person", "path"),
    [
        ("super_admin_client", "/settings/notifications/"),
        ("team_member_client", "/settings/"),
        ("limited_member_client", "/settings/"),
    ],
)
def test_the_settings_tell_everybody_that_codescreen_writes_to_candidates(
    request, person, path, organization
):
    page = text(request.getfixturevalue(person).get(path))
    assert "CodeScreen writes to candidates, the portal never does." in page
    assert "greets them by their first name" in " ".join(page.split())
    assert "https://app.codescreen.com/#/client-templates" in page
    assert 'href="/help/emails/#who"' in page


def test_saving_is_audited_and_reset_restores_the_portals_wording(organization_admin_client, organization):
    organization_admin_client.post(EDIT, {**OWN_WORDING, "act": "save"})
    stored = EmailTemplate.objects.get()
    assert (stored.organization, stored.kind, stored.subject) == (
        organization,
        "result",
        OWN_WORDING["subject"],
    )
    assert recorded().get().changes["subject"] == [
        "{first_name}: {result} ({assessment})",
        OWN_WORDING["subject"],
    ]
    assert "Nothing was changed" in text(
        organization_admin_client.post(EDIT, {**OWN_WORDING, "act": "save"}, follow=True)
    )
    page = text(organization_admin_client.post(EDIT, {"act": "reset"}, follow=True))
    assert "default wording is back" in page
    assert not EmailTemplate.objects.exists()


@pytest.mark.parametrize("act", ["save", "preview", "test"])
def test_an_unknown_variable_is_named_with_the_similar_one(super_admin_client, organization, act):
    page = text(super_admin_client.post(EDIT, {"subject": "{asessment}", "body": "{zzz}", "act": act}))
    assert "There is no variable {asessment}. Did you mean {assessment}?" in page
    assert "There is no variable {zzz}." in page
    assert "{asessment}" in page.split('name="subject"')[1][:200]
    assert not EmailTemplate.objects.exists()
    assert not Effect.objects.exists()


def test_an_empty_or_too_long_text_is_refused(super_admin_client):
    page = text(super_admin_client.post(EDIT, {"subject": "  ", "body": "x" * 5001, "act": "save"}))
    assert "Write something" in page
    assert "At most 5000 are allowed" in page


def test_a_draft_is_previewed_and_not_saved(super_admin_client, organization):
    page = text(
        super_admin_client.post(
            EDIT, {**OWN_WORDING, "body": "<b>{candidate}</b> & {score}", "act": "preview"}
        )
    )
    assert "Draft, not saved" in page
    assert "<b>Alder Birch</b> & 41" in page
    assert not EmailTemplate.objects.exists()


def test_a_test_email_goes_to_the_person_alone_with_sample_data(
    super_admin_client, super_admin, organization
):
    super_admin_client.post(EDIT, {**OWN_WORDING, "act": "test"})
    worker.work()
    [message] = mail.outbox
    assert message.to == [super_admin.email]
    assert message.subject == "[Test] Result of Backend"
    assert "Alder Birch has Failed." in message.body
    assert Effect.objects.get().state == "done"
    assert not EmailTemplate.objects.exists()


@pytest.mark.parametrize("kind", EmailKind)
def test_the_default_wording_of_each_kind_passes_its_check(organization, super_admin_client, kind):
    default = kind.record.wording
    assert checked_wording(kind, default.subject, default.body) == default
    assert "{" not in render_sample(default, kind, organization).body
    assert super_admin_client.get(reverse("email-edit", args=[kind])).status_code == 200


def test_an_unknown_kind_is_404(super_admin_client):
    assert super_admin_client.get("/settings/notifications/nonsense/").status_code == 404


def test_pages_take_few_queries(super_admin_client, organization, django_assert_max_num_queries):
    for path in ("/settings/notifications/", EDIT):
        with django_assert_max_num_queries(10):
            super_admin_client.get(path)
