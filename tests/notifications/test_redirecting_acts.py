"""Each act that decides where candidates' data goes, or who reads it, is told to all Super Admins, without a secret."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.codescreen.acts import save_codescreen_key, save_codescreen_webhook_secret
from integrations.lever.acts.connection import connect_lever, disconnect_lever
from integrations.lever.acts.webhooks import (
    Generation,
    make_webhook,
    remove_webhooks,
    retire_token,
    save_main_token,
    save_previous_token,
)
from integrations.lever.lookups import RegisteredWebhook
from integrations.lever.models.connection import LeverAccess
from integrations.lever.models.webhook import LeverWebhook
from integrations.notifications import acts, alerts
from integrations.organizations.acts import change_organization, replace_webhook_key
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails

SECRET = "0123456789abcdef-planted"
OTHER_SECRET = f"whsec_{'abcd' * 10}"
ROOM = "https://hooks.slack.com/services/planted"


class Lever:
    """Lever, as far as webhooks are made and removed."""

    def webhooks(self):
        return []

    def create_webhook(self, url, event):
        return RegisteredWebhook("w1", event, url, SECRET)

    def delete_webhook(self, key):
        pass


LEVER: Any = Lever()
GRANT = LeverAccess({"access_token": SECRET, "refresh_token": SECRET}, "another-account", "u1")

ACTS: dict[str, tuple[Callable[..., object], str]] = {
    "key": (
        lambda organization, actor: save_codescreen_key(organization, SECRET, actor),
        "saved a key or secret: CodeScreen connection (api key: set)",
    ),
    "secret": (
        lambda organization, actor: save_codescreen_webhook_secret(organization, OTHER_SECRET, actor),
        "saved a key or secret: CodeScreen connection (webhook secret: set)",
    ),
    "token": (
        lambda organization, actor: save_main_token(organization, SECRET, actor),
        "saved a key or secret: Lever webhook (signature token: set)",
    ),
    "previous token": (
        lambda organization, actor: save_previous_token(organization, SECRET, actor),
        "saved a key or secret: Lever webhook (previous signature token: set)",
    ),
    "retire": (
        lambda organization, actor: retire_token(LeverWebhook.objects.get(), Generation.CURRENT, actor),
        "retired a signature token: Main token",
    ),
    "connect": (
        lambda organization, actor: connect_lever(organization, GRANT, actor),
        "connected: Lever (lever account id: another-account; lever user id: u1)",
    ),
    "disconnect": (disconnect_lever, "disconnected: Lever (state: revoked)"),
    "make webhook": (
        lambda organization, actor: make_webhook(organization, LEVER, actor),
        "made a webhook in Lever: Lever webhook (signature token: set)",
    ),
    "address": (
        lambda organization, actor: replace_webhook_key(organization, actor),
        "replaced the webhook address: ",
    ),
    "address by file": (
        lambda organization, actor: change_organization(organization, {"webhook_key": SECRET}, actor),
        "changed the organization: ",
    ),
    "chat room": (
        lambda organization, actor: acts.save_chat_url(organization, ROOM, actor),
        "(chat room: hooks.slack.com)",
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_all_super_admins_are_told_once_and_without_a_secret(
    ready_organization, super_admin, name, monkeypatch
):
    monkeypatch.setattr(acts, "post", lambda url, text: None)
    monkeypatch.setattr(alerts, "post", lambda url, text: None)
    factories.member(ready_organization, "super_admin", "second")
    factories.member(ready_organization, "admin", "third")
    ready_organization.lever_connection.lever_account_id = "account-before"
    ready_organization.lever_connection.save()
    act, said = ACTS[name]
    act(ready_organization, super_admin)
    entry = recorded().first()
    [effect] = Effect.objects.filter(email_topic="account")
    assert len(effect.payload["recipients"]) == 2
    assert super_admin.email in effect.payload["recipients"]
    text = "\n".join(map(str, effect.payload["lines"])).replace("\u200b", "")
    assert f"{super_admin} {entry.get_action_display()}: " in text
    assert said in text
    for secret in (SECRET, OTHER_SECRET, ROOM, ready_organization.webhook_key):
        assert secret not in text
    page = {"connect": "#lever", "disconnect": "#lever", "key": "#codescreen", "secret": "#codescreen"}
    leads_to = "notifications/" if name == "chat room" else page.get(name, "#webhook")
    assert effect.payload["lines"][-1]["url"].endswith(f"/settings/{leads_to}")


def test_nobody_is_told_and_nothing_recorded_when_a_secret_is_saved_again(ready_organization, super_admin):
    for _ in range(2):
        save_main_token(ready_organization, SECRET, super_admin)
        save_codescreen_key(ready_organization, SECRET, super_admin)
        save_codescreen_webhook_secret(ready_organization, OTHER_SECRET, super_admin)
    assert Effect.objects.filter(email_topic="account").count() == recorded().count() == 3
    assert LeverWebhook.objects.get().previous_signature_token != SECRET


def test_it_is_told_while_the_organization_is_paused(ready_organization, super_admin):
    type(ready_organization).objects.update(paused=True)
    disconnect_lever(ready_organization, super_admin)
    remove_webhooks(ready_organization, LEVER, super_admin)
    [told] = sent_emails()
    assert told.subject == f"{ready_organization.name}: {super_admin} disconnected: Lever"
