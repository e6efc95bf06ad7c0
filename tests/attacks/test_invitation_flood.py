"""Finding 10: invitations as a way to send mail to strangers, with the sender's text and links in it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from integrations.notifications import link_emails
from integrations.notifications.link_emails import plain_name
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from tests.attacks.conftest import mailed_links, owner_of

pytestmark = pytest.mark.django_db

STRANGER = "stranger@elsewhere.example"


@pytest.mark.slow
def test_withdrawing_and_sending_again_do_not_get_around_the_limit(globex):
    for _ in range(3):
        globex.invite(STRANGER)
        globex.client.post(f"/settings/members/pending/{globex.pending(STRANGER).pk}/withdraw/")
    assert "Too many invitations" in globex.invite(STRANGER.upper())
    Effect.objects.filter(email_topic="welcome").update(created_at=timezone.now() - timedelta(hours=25))
    assert "on its way" in globex.invite(STRANGER)
    pk = globex.pending(STRANGER).pk
    answers = [globex.client.post(f"/settings/members/pending/{pk}/", follow=True) for _ in range(4)]
    assert ["Too many" in answer.content.decode() for answer in answers] == [False, False, True, True]


def test_an_organization_sends_so_many_invitations_an_hour(globex, monkeypatch):
    monkeypatch.setattr(link_emails, "MOST_PER_HOUR", 2)
    pages = [globex.invite(f"stranger-{number}@elsewhere.example") for number in range(3)]
    assert ["Too many invitations" in page for page in pages] == [False, False, True]


def test_many_organizations_together_do_not_flood_an_address_and_learn_nothing_of_one_another(monkeypatch):
    monkeypatch.setattr(link_emails, "MOST_PER_ADDRESS_FROM_ALL", 2)
    for number in range(4):
        assert "on its way" in owner_of(f"House {number}").invite(STRANGER)
    assert len(mailed_links(STRANGER)) == 2
    waiting = Effect.objects.filter(email_topic="welcome", state="due")
    assert waiting.filter(due_at__gt=timezone.now() + timedelta(hours=23)).count() == waiting.count() == 2


def test_what_the_organization_wrote_reaches_a_stranger_as_plain_words_only(globex):
    Organization.objects.filter(pk=globex.organization.pk).update(
        name="Win at https://evil.example/x\nor www.evil.example now",
    )
    globex.invite(STRANGER)
    worker.work()
    [message] = [message for message in mail.outbox if message.to == [STRANGER]]
    assert isinstance(message, EmailMultiAlternatives)
    html = str(message.alternatives[0][0])
    for content in (str(message.subject), str(message.body), html):
        assert "evil.example" not in content
    assert html.count("<a ") == 1
    assert 'href="http://testserver/membership/' in html


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Müller & Söhne, Inc.", "Müller & Söhne, Inc."),
        ("https://evil.example/path?x=1", "https evil. example path x 1"),
        ("a@b.example", "a b. example"),
        ("<b>bold</b>", "b bold b"),
        ("\u202eevil\u2028line", "evil line"),
        ("  ", "somebody"),
        ("x" * 500, "x" * 60),
        ("東京 採用", "東京 採用"),
    ],
)
def test_an_organizations_name_is_read_as_words(name, read):
    assert plain_name(name) == read
