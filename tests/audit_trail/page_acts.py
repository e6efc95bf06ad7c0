"""What people do on the pages of an organization, and about their accounts, each an act that is audited."""

from functools import partial
from typing import Any

from django.test import Client
from django.urls import reverse

from integrations.clients import provider
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import WebhookEvent
from integrations.lever.acts.webhooks import make_webhook, save_main_token
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership, PendingMembership
from integrations.notifications.link_emails import membership_link
from integrations.notifications.models.email_kind import EmailKind, unsubscribe_link
from integrations.organizations.models.organization import Organization
from integrations.store.encryption import sealed
from tests.audit_trail.conftest import SECRETS, Act, Prepare, Scene, of_row, ok
from tests.support import factories
from tests.support.second_factors import with_app


def _invitation_act(name: str, data: dict[str, Any] | None = None, **columns: Any) -> Prepare:
    def prepare(scene: Scene) -> Act:
        pk = scene.invitation(**columns).pk
        return lambda: scene.post(name, {"reason": "because", **(data or {})}, pk=pk)

    return prepare


def _made(scene: Scene, event: WebhookEvent = WebhookEvent.STAGE_CHANGE) -> LeverWebhook:
    """Return a webhook that the portal made."""
    return make_webhook(scene.organization, provider.lever_client(scene.organization), scene.owner, event)


def _make_webhook(scene: Scene) -> Act:
    _made(scene, WebhookEvent.CANDIDATE_DELETED)
    return lambda: scene.post("webhooks-make")


def _remove_webhooks(scene: Scene) -> Act:
    _made(scene)
    return lambda: scene.post("webhooks-remove")


def _retire(scene: Scene) -> Act:
    save_main_token(scene.organization, SECRETS[0], scene.owner)
    token = LeverWebhook.objects.manual().get(organization=scene.organization)
    return lambda: scene.post("token-retire", pk=token.pk, which="current")


def _rotate_api_token(scene: Scene) -> Act:
    token = factories.api_token(scene.organization)
    return lambda: ok(scene.client.post(reverse("api-token-rotate", args=[token.pk])))


def _resume(scene: Scene) -> Act:
    Organization.objects.filter(pk=scene.organization.pk).update(paused=True)
    return lambda: scene.post("resume")


def _act_in_bulk(scene: Scene, act: str, status: str = "held") -> Act:
    pk = scene.invitation(status=status).pk
    return lambda: scene.post("candidates-bulk", {"act": act, "row": [pk], "reason": "because"})


def _invite(scene: Scene) -> Act:
    delivery = scene.delivery("no_assessment")
    candidate = factories.CandidateFactory.create(
        organization=scene.organization, opportunity_id=delivery.opportunity_id, delivery=delivery
    )
    form = {"act": "decide", "row": [candidate.pk], "reason": "because"}
    return lambda: scene.post("candidates-bulk", form)


def _choose_author(scene: Scene) -> Act:
    LeverConnection.objects.update(feedback_author="somebody")
    return lambda: scene.post("rules", TICKED | {"feedback_author": ""})


def _other_key(scene: Scene) -> Act:
    CodeScreenConnection.objects.update(**sealed(CodeScreenConnection.objects.get(), api_key=SECRETS[1]))
    return lambda: scene.post("settings", {"codescreen_api_key": scene.sandbox.api_key})


def _other_account(scene: Scene) -> Act:
    begun = scene.client.post(reverse("lever-connect"))
    accepted = scene.sandbox.lever_does("consent", url=begun["Location"])
    LeverConnection.objects.update(lever_account_id="another")
    asked = scene.client.get(accepted["redirect"].removeprefix("http://testserver"))
    assert asked["Location"] == reverse("lever-account")
    factories.LeverWebhookFactory.create(organization=scene.organization)
    return lambda: scene.post("lever-account", {"act": "use"})


def _lever_key(scene: Scene) -> Act:
    account = scene.sandbox.lever.accounts["acme"]
    key = scene.sandbox.lever_does("key")["api_key"]
    scene.post("lever-key", {"lever_api_key": key, "lever_region": "worldwide"})
    factories.LeverWebhookFactory.create(organization=scene.organization)
    return lambda: scene.post("lever-key-author", {"author": account.actor()})


def _assign(scene: Scene) -> Act:
    pk = scene.role().pk
    return lambda: scene.post("mapping-assign", {"roles": [pk], "assessment": "Backend"})


#: The boxes of the rules that are ticked already.
TICKED = {"note_on_skip": "on", "note_on_wait": "on", "rating_follows_result": "on"}
API_TOKEN = {"name": "warehouse", "scopes": "results", "days": 9}


def _remove_chat_room(scene: Scene) -> Act:
    Organization.objects.filter(pk=scene.organization.pk).update(
        **sealed(scene.organization, chat_url=f"https://hooks.slack.com/{SECRETS[0]}")
    )
    return lambda: scene.post("notification-settings", {"remove": "1"})


MAPPED = {"role": "Backend Engineer", "stage": "", "assessment": "Frontend"}
DONE: dict[str, Any] = {"status": "completed", "instance_id": "i-1"}


PAGE_ACTS: dict[str, Prepare] = {
    "audit-export": lambda s: lambda: ok(s.client.get(reverse("audit-export"))),
    "candidates-export": lambda s: lambda: ok(s.client.get(reverse("candidates-export"))),
    "report-export": lambda s: lambda: ok(s.client.get(reverse("report-export"))),
    "settings": lambda s: lambda: s.post("settings", {"lever_signature_token": SECRETS[0]}),
    "settings: key": _other_key,
    "lever-account": _other_account,
    "lever-key-author": _lever_key,
    "lever-disconnect": lambda s: lambda: s.post("lever-disconnect"),
    "token-retire": _retire,
    "token-rotate": of_row(_made, "token-rotate"),
    "webhooks-make": _make_webhook,
    "webhooks-remove": _remove_webhooks,
    "address-replace": lambda s: lambda: s.post("address-replace"),
    "rules": lambda s: lambda: s.post("rules", {"note_on_skip": "on", "bulk_limit": "7"}),
    "pause": lambda s: lambda: s.post("pause"),
    "resume": _resume,
    "other-integration-off": lambda s: lambda: s.post("other-integration-off"),
    "passed": lambda s: lambda: s.post("passed", {"passing_score": "70"}),
    "notification-settings": _remove_chat_room,
    "api-tokens": lambda s: lambda: ok(s.client.post(reverse("api-tokens"), API_TOKEN)),
    "api-token-rotate": _rotate_api_token,
    "api-token-revoke": of_row(lambda s: factories.api_token(s.organization), "api-token-revoke"),
    "mapping-add": lambda s: lambda: s.post("mapping-add", MAPPED),
    "mapping-assign": _assign,
    "mapping-edit": of_row(Scene.mapping, "mapping-edit", MAPPED),
    "mapping-delete": of_row(Scene.mapping, "mapping-delete"),
    "rules: author": _choose_author,
    "offered-invite": of_row(lambda s: s.delivery("entered_before"), "offered-invite"),
    "delivery-replay": of_row(Scene.delivery, "delivery-replay"),
    "invitation-sent": _invitation_act("invitation-sent", {"instance_id": "i-2"}, status="uncertain"),
    "invitation-send-again": _invitation_act("invitation-send-again", status="failed"),
    "invitation-again": _invitation_act("invitation-again", **DONE),
    "invitation-approve": _invitation_act("invitation-approve", status="held"),
    "invitation-cancel": _invitation_act("invitation-cancel", status="invited", instance_id="i-1"),
    "effect-retry": of_row(Scene.failed, "effect-retry"),
    "candidates-bulk": partial(_act_in_bulk, act="send"),
    "candidates-bulk: cancel": partial(_act_in_bulk, act="cancel"),
    "candidates-bulk: decide": _invite,
    "candidates-bulk: settle": partial(_act_in_bulk, act="settle", status="uncertain"),
}


# what members do about their accounts and memberships


def _invite_owner(scene: Scene) -> PendingMembership:
    """Let the owner leave, and invite them again."""
    factories.member(scene.organization, Membership.Role.SUPER_ADMIN, "second")
    Membership.objects.filter(user=scene.owner).delete()
    factories.prove_address(scene.owner)
    return scene.pending(scene.owner.email)


def _answer(scene: Scene, answer: str) -> Act:
    pk = _invite_owner(scene).pk
    return lambda: scene.post("membership-answer", {"answer": answer}, pk=pk)


def _answer_by_link(scene: Scene, answer: str) -> Act:
    token = membership_link(_invite_owner(scene)).rstrip("/").rpartition("/")[2]
    return lambda: scene.post("membership-link", {"answer": answer}, token=token)


def _leave(scene: Scene) -> Act:
    factories.member(scene.organization, Membership.Role.SUPER_ADMIN, "second")
    member = Membership.objects.get(user=scene.owner)
    return lambda: scene.post("membership-leave", pk=member.pk)


def _unsubscribe(scene: Scene) -> Act:
    link = unsubscribe_link(Membership.objects.get(user=scene.owner), EmailKind.RESULTS)
    return lambda: ok(Client().post(link.removeprefix("http://testserver")))


def _ask(scene: Scene) -> Act:
    scene.member(Membership.Role.SUPER_ADMIN)
    Membership.objects.filter(user=scene.owner).update(role=Membership.Role.TEAM_MEMBER)
    return lambda: scene.post("ask", {"act": "connect"})


def _reset_factor(scene: Scene) -> Act:
    member = scene.member()
    with_app(member.user)
    return lambda: scene.post("member-second-factor", {"reason": "because"}, pk=member.pk)


PEOPLE_ACTS: dict[str, Prepare] = {
    "ask": _ask,
    "team": lambda s: lambda: s.post("team", {"email": "new@acme.example", "role": "admin"}),
    "lever-people": lambda s: (
        lambda: s.post("lever-people", {"role": "team_member", "address": ["sourcer@acme.example"]})
    ),
    "pending-member": of_row(Scene.pending, "pending-member"),
    "pending-withdraw": of_row(Scene.pending, "pending-withdraw"),
    "membership-answer": lambda s: _answer(s, "accept"),
    "membership-answer: decline": lambda s: _answer(s, "decline"),
    "membership-link": lambda s: _answer_by_link(s, "accept"),
    "membership-link: decline": lambda s: _answer_by_link(s, "decline"),
    "membership-leave": _leave,
    "member-role": of_row(Scene.member, "member-role", {"role": "admin"}),
    "member-remove": of_row(Scene.member, "member-remove"),
    "member-second-factor": _reset_factor,
    "security": lambda s: lambda: s.post("security", {"requires_second_factor": "on"}),
    "emails-choose": lambda s: lambda: s.post("emails-choose", {"results": "on"}),
    "candidates-mine": lambda s: lambda: s.post("candidates-mine"),
    "unsubscribe": _unsubscribe,
}
