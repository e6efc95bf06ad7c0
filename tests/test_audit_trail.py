"""Every page, admin action and command that changes something writes exactly one audit entry."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command, get_commands
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.clients import provider
from integrations.models import (
    AlertAddress,
    AuditAction,
    AuditEntry,
    AuditTarget,
    AuthenticatorApp,
    CodeScreenConnection,
    Delivery,
    Effect,
    EmailKind,
    EmailTemplate,
    FormerWebhookKey,
    IdentityProvider,
    Invitation,
    LeverConnection,
    Membership,
    Organization,
    Passkey,
    PendingMembership,
    ProviderIdentity,
    Role,
    RoleMapping,
    SignInDomain,
    TargetKind,
)
from integrations.pages import urls as page_urls
from integrations.vocabulary import WebhookEvent
from integrations.workflow.catalog import sync
from integrations.workflow.email import preferences
from integrations.workflow.email.membership_links import membership_link
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.lever_webhooks import make_webhook
from integrations.workflow.operations.rating_thresholds import set_thresholds
from integrations.workflow.operations.webhook_address import replace_webhook_key
from portal.accounts import urls as account_urls
from tests import factories, locks
from tests.second_factors import (
    SecurityKey,
    code_of,
    make_strong,
    options_in,
    prove_now,
    with_app,
    with_recovery_codes,
)

SECRETS = ("audit-SECRET-token", "audit-SECRET-key", "Audit SECRET password")

HELP_PAGES = (
    "",
    "-set-up",
    "-verdicts",
    "-invitations",
    "-results",
    "-roles",
    "-emails",
    "-privacy",
    "-audit",
)

#: Addresses that only show something, or read the platforms' lists again.
NOT_AUDITED = {
    "account",
    "memberships",  # shows
    "overview",
    "account-confirm",
    "account-second-factor",
    "second-factor",
    "passkey-options",
    "passkey-sign-in",
    "password_reset",
    "password_reset_done",
    "switch-organization",
    "single-sign-on",
    "single-sign-on-complete",  # tests/portal/accounts/test_single_sign_on.py
    "single-sign-on-try",
    "single-sign-on-join",  # tests/portal/accounts/test_single_sign_on_join.py
    "domain-check",  # tests/workflow/operations/single_sign_on/test_domains.py
    "codescreen-test",
    "email-html",
    "audit",
    "audit-export",
    "candidates-export",
    "candidates-bulk-done",  # shows
    "mapping-list",
    "mapping-refresh",
    "activity",
    "candidate",
    "candidate-data",  # its entry is tested with the page
    "delivery",
    "what-if",
    "time-zone",  # how one person reads
    "health",
    "member-link",  # shows
    "team",  # shows
    "rules-preview",  # shows
    *(f"help{page}" for page in HELP_PAGES),
    "report",
    "report-export",
}
#: Addresses about a person's account; tests/portal/accounts/test_account_audit.py has their entries.
OF_ACCOUNTS = {"login", "logout", "password", "password_reset_confirm", "password_reset_link", "sessions"}


class Scene:
    """A connected organization, and its Super Admin signed in."""

    def __init__(self, organization: Organization, owner: Any, sandbox: Any) -> None:
        self.organization, self.owner, self.sandbox = organization, owner, sandbox
        self.client = Client()
        self.client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")

    def post(self, name: str, data: dict[str, Any] | None = None, **kwargs: Any) -> None:
        answer = self.client.post(reverse(name, kwargs=kwargs), data or {})
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def invitation(self, **columns: Any) -> Invitation:
        return factories.InvitationFactory.create(organization=self.organization, **columns)

    def member(self, role: str = Membership.Role.TEAM_MEMBER) -> Membership:
        user = factories.member(self.organization, role, f"member-{Membership.objects.count()}")
        return Membership.objects.get(user=user)

    def pending(self, address: str = "new@acme.example") -> PendingMembership:
        return factories.invited(self.organization, address)

    def mapping(self) -> RoleMapping:
        return RoleMapping.objects.create(
            organization=self.organization, role="Backend Engineer", assessment="Backend"
        )

    def delivery(self) -> Delivery:
        return factories.DeliveryFactory.create(
            organization=self.organization, verdict="paused", decided_at=timezone.now(), due_at=None
        )

    def former_key(self) -> FormerWebhookKey:
        return factories.FormerWebhookKeyFactory.create(organization=self.organization)

    def failed(self) -> Effect:
        return factories.EffectFactory.create(organization=self.organization, state="failed", due_at=None)

    def role(self) -> Role:
        sync.refresh_roles(self.organization, provider.lever_client(self.organization))
        sync.refresh_assessments(self.organization, provider.codescreen_client(self.organization))
        return Role.objects.get(organization=self.organization, title="Backend Engineer")


@pytest.fixture
def scene(connected_organization, super_admin, sandbox) -> Scene:
    return Scene(connected_organization, super_admin, sandbox)


#: Does the one thing that is audited, once everything it needs is there.
Act = Callable[[], object]


def _invitation_act(name: str, data: dict[str, Any] | None = None, **columns: Any) -> Callable[[Scene], Act]:
    def prepare(scene: Scene) -> Act:
        pk = scene.invitation(**columns).pk
        return lambda: scene.post(name, {"reason": "because", **(data or {})}, pk=pk)

    return prepare


def _make_webhook(scene: Scene) -> Act:
    lever = provider.lever_client(scene.organization)
    make_webhook(scene.organization, lever, scene.owner, WebhookEvent.CANDIDATE_DELETED)
    return lambda: scene.post("webhooks-make")


def _remove_webhooks(scene: Scene) -> Act:
    make_webhook(scene.organization, provider.lever_client(scene.organization), scene.owner)
    return lambda: scene.post("webhooks-remove")


def _move_webhooks(scene: Scene) -> Act:
    make_webhook(scene.organization, provider.lever_client(scene.organization), scene.owner)
    replace_webhook_key(scene.organization, timedelta(days=7), scene.owner)
    return lambda: scene.post("webhooks-move")


def _reset_email(scene: Scene) -> Act:
    EmailTemplate.objects.create(organization=scene.organization, kind="result", subject="x", body="y")
    return lambda: scene.post("email-edit", {"act": "reset"}, kind="result")


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
    link = preferences.unsubscribe_link(Membership.objects.get(user=scene.owner), EmailKind.RESULT)
    return lambda: _ok(Client().post(link.removeprefix("http://testserver")))


def _ok(answer: Any) -> None:
    assert answer.status_code in {200, 302}, answer.content.decode()[:2000]


def _retire(scene: Scene) -> Act:
    token = signature_tokens.add_token(scene.organization, "The second webhook", SECRETS[0], scene.owner)
    return lambda: scene.post("token-retire", pk=token.pk, which="current")


def _resume(scene: Scene) -> Act:
    Organization.objects.filter(pk=scene.organization.pk).update(paused=True)
    return lambda: scene.post("resume")


def _ask(scene: Scene) -> Act:
    scene.member(Membership.Role.SUPER_ADMIN)
    Membership.objects.filter(user=scene.owner).update(role=Membership.Role.TEAM_MEMBER)
    return lambda: scene.post("ask-admins", {"request": "role"})


def _of(row: Callable[[Scene], Any], name: str, data: dict[str, Any] | None = None) -> Callable[[Scene], Act]:
    def prepare(scene: Scene) -> Act:
        pk = row(scene).pk
        return lambda: scene.post(name, data, pk=pk)

    return prepare


def _send_in_bulk(scene: Scene, act: str = "send") -> Act:
    pk = scene.invitation(status="held").pk
    return lambda: scene.post("candidates-bulk", {"act": act, "row": [pk], "reason": "because"})


def _undo_in_bulk(scene: Scene) -> Act:
    _send_in_bulk(scene)()
    return lambda: scene.post("candidates-bulk-undo")


def _invite_offered(scene: Scene) -> Act:
    delivery = scene.delivery()
    Delivery.objects.filter(pk=delivery.pk).update(verdict="entered_before")
    return lambda: scene.post("offered-invite", pk=delivery.pk)


def _delete_thresholds(scene: Scene) -> Act:
    set_thresholds(scene.organization, "Backend", (1, 2, 3), "test")
    return lambda: scene.post("rating-list", {"assessment": "Backend", "action": "delete"})


def _choose_author(scene: Scene) -> Act:
    scene.organization.feedback_author = "somebody"
    scene.organization.save()
    return lambda: scene.post("feedback-author", {"author": ""})


def _other_key(scene: Scene) -> Act:
    CodeScreenConnection.objects.update(api_key=SECRETS[1])
    return lambda: scene.post("settings", {"codescreen_api_key": scene.sandbox.api_key})


def _other_account(scene: Scene) -> Act:
    begun = scene.client.post(reverse("lever-connect"))
    accepted = scene.sandbox.lever_does("consent", url=begun["Location"])
    LeverConnection.objects.update(lever_account_id="another")
    asked = scene.client.get(accepted["redirect"].removeprefix("http://testserver"))
    assert asked["Location"] == reverse("lever-account")
    return lambda: scene.post("lever-account", {"act": "use"})


def _assign(scene: Scene) -> Act:
    pk = scene.role().pk
    return lambda: scene.post("mapping-assign", {"roles": [pk], "assessment": "Backend"})


def _provider(scene: Scene, **columns: Any) -> IdentityProvider:
    return IdentityProvider.objects.create(
        organization=scene.organization, issuer="https://login.invalid", client_id="portal", **columns
    )


def _domain(scene: Scene) -> SignInDomain:
    return SignInDomain.objects.create(organization=scene.organization, domain="example.com")


ALERTS = {"kind": "slack", "wants_results": "on"}


def _alert_address(scene: Scene) -> AlertAddress:
    url = f"https://alerts.invalid/{SECRETS[0]}"
    return factories.alert_address(scene.organization, url=url)


def _identity(scene: Scene) -> ProviderIdentity:
    return _provider(scene).identities.create(user=scene.owner, subject="subject")


def _use_single_sign_on(scene: Scene) -> Act:
    _provider(scene, tried_at=timezone.now())
    SignInDomain.objects.filter(pk=_domain(scene).pk).update(proven_at=timezone.now())
    return lambda: scene.post("single-sign-on-mode", {"mode": "required"})


def _remove_provider(scene: Scene) -> Act:
    _provider(scene)
    return lambda: scene.post("single-sign-on-remove")


PROVIDER = {"issuer": "https://login.invalid", "client_id": "portal", "client_secret": SECRETS[1]}


def _with_factor(scene: Scene) -> None:
    """Give the owner an app and recovery codes, and a session that may change them."""
    with_app(scene.owner)
    with_recovery_codes(scene.owner)
    make_strong(scene.client)
    prove_now(scene.client)


def _add_app(scene: Scene) -> Act:
    with_recovery_codes(scene.owner)
    prove_now(scene.client)
    app = AuthenticatorApp.begin_set_up(scene.owner, timezone.now())
    return lambda: scene.post("app-add", {"code": code_of(app)})


def _remove_app(scene: Scene) -> Act:
    _with_factor(scene)
    return lambda: scene.post("app-remove")


def _passkey_of(scene: Scene) -> Passkey:
    return Passkey.objects.create(user=scene.owner, name="key", credential_id="id", user_handle="00")


def _add_passkey(scene: Scene) -> Act:
    _with_factor(scene)
    key = SecurityKey("https://portal.example")
    with override_settings(PORTAL_URL=key.origin):
        answer = key.make(options_in(scene.client.get(reverse("passkey-add"))))

    def act() -> None:
        with override_settings(PORTAL_URL=key.origin):
            scene.post("passkey-add", {"name": "key", "passkey": answer})

    return act


def _remove_passkey(scene: Scene) -> Act:
    _with_factor(scene)
    pk = _passkey_of(scene).pk
    return lambda: scene.post("passkey-remove", pk=pk)


def _reset_factor(scene: Scene) -> Act:
    member = scene.member()
    with_app(member.user)
    return lambda: scene.post("member-second-factor", {"reason": "because"}, pk=member.pk)


def _make_codes(scene: Scene) -> Act:
    _with_factor(scene)
    return lambda: _ok(scene.client.post(reverse("recovery-codes")))


MAPPED = {"role": "Backend Engineer", "stage": "", "assessment": "Frontend"}
THRESHOLDS = {"assessment": "Backend", "rating_2_from": "1", "rating_3_from": "2", "rating_4_from": "3"}
WORDED = {"subject": "Ours", "body": "Ours {score}", "act": "save"}
DONE: dict[str, Any] = {"status": "completed", "instance_id": "i-1"}

PAGES: dict[str, Callable[[Scene], Act]] = {
    "app-add": _add_app,
    "app-remove": _remove_app,
    "passkey-add": _add_passkey,
    "passkey-remove": _remove_passkey,
    "recovery-codes": _make_codes,
    "settings": lambda s: lambda: s.post("settings", {"lever_signature_token": SECRETS[0]}),
    "settings: key": _other_key,
    "settings: idempotency": lambda s: (
        lambda: s.post("settings", {"codescreen_form": "1", "codescreen_idempotency": "on"})
    ),
    "lever-account": _other_account,
    "lever-disconnect": lambda s: lambda: s.post("lever-disconnect"),
    "token-add": lambda s: (
        lambda: s.post("token-add", {"token_name": "The second webhook", "additional_token": SECRETS[0]})
    ),
    "token-retire": _retire,
    "ask-admins": _ask,
    "webhooks-make": _make_webhook,
    "webhooks-remove": _remove_webhooks,
    "webhooks-move": _move_webhooks,
    "address-replace": lambda s: lambda: s.post("address-replace", {"overlap_days": "7"}),
    "address-end": _of(Scene.former_key, "address-end"),
    "policies": lambda s: lambda: s.post("policies", {"note_on_skip": "on", "bulk_limit": "7"}),
    "rules": lambda s: (
        lambda: s.post("rules", {"note_on_skip": "on", "bulk_limit": "7", "passed_stage": "Phone screen"})
    ),
    "resume": _resume,
    "member-invite": lambda s: (
        lambda: s.post("member-invite", {"email": "new@acme.example", "role": "admin"})
    ),
    "pending-member": _of(Scene.pending, "pending-member"),
    "pending-withdraw": _of(Scene.pending, "pending-withdraw"),
    "membership-answer": lambda s: _answer(s, "accept"),
    "membership-answer: decline": lambda s: _answer(s, "decline"),
    "membership-link": lambda s: _answer_by_link(s, "accept"),
    "membership-link: decline": lambda s: _answer_by_link(s, "decline"),
    "membership-leave": _leave,
    "member-role": _of(Scene.member, "member-role", {"role": "admin"}),
    "member-remove": _of(Scene.member, "member-remove"),
    "member-second-factor": _reset_factor,
    "security": lambda s: lambda: s.post("security", {"requires_second_factor": "on"}),
    "emails": lambda s: lambda: s.post("emails", {"brand_colour": "#123abc"}),
    "email-edit": lambda s: lambda: s.post("email-edit", WORDED, kind="result"),
    "email-edit: reset": _reset_email,
    "notifications": lambda s: lambda: s.post("notifications", {"kind-result": "on"}),
    "notifications-team": lambda s: (
        lambda: s.post("notifications-team", {"member": [Membership.objects.get(user=s.owner).pk]})
    ),
    "unsubscribe": _unsubscribe,
    "single-sign-on-settings": lambda s: lambda: s.post("single-sign-on-settings", PROVIDER),
    "single-sign-on-mode": _use_single_sign_on,
    "single-sign-on-remove": _remove_provider,
    "alerts": lambda s: (
        lambda: s.post("alerts", {**ALERTS, "name": "Second", "url": f"https://1.1.1.1/{SECRETS[0]}"})
    ),
    "alert-test": _of(_alert_address, "alert-test"),
    "alert-remove": _of(_alert_address, "alert-remove"),
    "domain-add": lambda s: lambda: s.post("domain-add", {"domain": "Example.com"}),
    "domain-remove": _of(_domain, "domain-remove"),
    "identity-unbind": _of(_identity, "identity-unbind"),
    "mapping-add": lambda s: lambda: s.post("mapping-add", MAPPED),
    "mapping-assign": _assign,
    "mapping-edit": _of(Scene.mapping, "mapping-edit", MAPPED),
    "mapping-delete": _of(Scene.mapping, "mapping-delete"),
    "rating-list": lambda s: lambda: s.post("rating-list", THRESHOLDS),
    "rating-list: delete": _delete_thresholds,
    "feedback-author": _choose_author,
    "offered-invite": _invite_offered,
    "delivery-replay": _of(Scene.delivery, "delivery-replay"),
    "invitation-approve": _invitation_act("invitation-approve", status="held"),
    "invitation-refuse": _invitation_act("invitation-refuse", status="held"),
    "invitation-sent": _invitation_act("invitation-sent", {"instance_id": "i-2"}, status="uncertain"),
    "invitation-send-again": _invitation_act("invitation-send-again", status="failed"),
    "invitation-again": _invitation_act("invitation-again", **DONE),
    "invitation-stop": _invitation_act("invitation-stop", status="invited", instance_id="i-1"),
    "invitation-decided": _invitation_act("invitation-decided", **DONE, awaits_decision_since=timezone.now()),
    "effect-retry": _of(Scene.failed, "effect-retry"),
    "candidates-bulk": _send_in_bulk,
    "candidates-bulk: dont_send": partial(_send_in_bulk, act="dont_send"),
    "candidates-bulk-undo": _undo_in_bulk,
}
#: Pages whose entries have no changes.
WITHOUT_CHANGES = {
    "webhooks-remove",
    "webhooks-move",
    "address-end",
    "recovery-codes",
    "token-retire",
    "ask-admins",
    "pending-member",
    "invitation-decided",
    "identity-unbind",
}


def entry_written_by(act: Act) -> AuditEntry:
    """Act, and return the one entry that was written."""
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as captured:
        act()
    statements = [str(query["sql"]) for query in captured.captured_queries]
    assert not list(locks.taken_after_the_head(statements))
    [entry] = AuditEntry.objects.exclude(pk__in=before)
    kept = json.dumps(entry.changes) + entry.target + entry.reason
    assert not any(secret in kept for secret in SECRETS)
    assert not re.search(r"gAAAA|pbkdf2|md5\$", kept)
    return entry


def test_every_address_is_tested_or_listed_as_changing_nothing():
    tested = {name.partition(":")[0] for name in PAGES}
    assert tested | NOT_AUDITED | OF_ACCOUNTS == {
        pattern.name for pattern in [*page_urls.urlpatterns, *account_urls.urlpatterns]
    }
    assert not tested & NOT_AUDITED


@pytest.mark.parametrize("name", PAGES)
def test_a_page_writes_one_entry_with_actor_and_changes(scene, name):
    entry = entry_written_by(PAGES[name](scene))
    assert (entry.organization, entry.actor) == (scene.organization, scene.owner)
    assert entry.actor_name == str(scene.owner)
    assert bool(entry.changes) is (name not in WITHOUT_CHANGES)
    for value in entry.changes.values():
        before, after = value
        assert before != after or [before, after] == ["set", "set"]
    if name.startswith("invitation"):
        assert entry.reason == "because"


@pytest.mark.parametrize("name", ["policies", "notifications", "mapping-edit", "emails", "settings"])
def test_saving_unchanged_values_writes_no_entry(scene, name):
    entry_written_by(PAGES[name](scene))
    again = {
        "policies": lambda: scene.post("policies", {"note_on_skip": "on"}),
        "notifications": lambda: scene.post("notifications", {"kind-result": "on"}),
        "mapping-edit": lambda: scene.post("mapping-edit", MAPPED, pk=RoleMapping.objects.get().pk),
        "emails": lambda: scene.post("emails", {"brand_colour": "#123abc"}),
        "settings": lambda: scene.post("settings", {"lever_signature_token": SECRETS[0]}),
    }
    count = AuditEntry.objects.count()
    again[name]()
    assert AuditEntry.objects.count() == count


def test_connecting_lever_writes_one_entry(client, super_admin, organization, sandbox):
    client.force_login(super_admin)
    begun = client.post(reverse("lever-connect"))
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    entry = entry_written_by(lambda: _ok(client.get(accepted["redirect"].removeprefix("http://testserver"))))
    assert (entry.action, entry.actor, entry.organization) == ("connect", super_admin, organization)


# commands


COMMANDS: dict[str, Callable[[Scene], Act]] = {
    "approve": lambda s: _command("approve", s.invitation(status="held").pk, "--reason", "yes"),
    "approve: refuse": lambda s: _command("approve", s.invitation(status="held").pk, "--refuse"),
    "resolve": lambda s: _command("resolve", s.invitation(status="uncertain").pk, "--instance", "i-9"),
    "resolve: again": lambda s: _command("resolve", s.invitation(status="uncertain").pk, "--send-again"),
    "reset_second_factor": lambda s: _reset_by_command(s),
    "replay": lambda s: _command("replay", s.delivery().pk),
    "forget": lambda s: _command("forget", s.organization.slug, s.invitation().opportunity_id),
}
NOT_AUDITED_COMMANDS = {
    "backtest",
    "subject_access",  # its entry is tested with the command
    "evidence",  # its entry is tested with the pack
    "doctor",
    "export",
    "export_config",
    "poll",
    "qcluster",
    "rotate_keys",
    "sweep",
    "verify_audit",
}


def _reset_by_command(scene: Scene) -> Act:
    with_app(scene.owner)
    return _command("reset_second_factor", scene.owner.username, "--reason", "because")


def _command(name: str, *arguments: object) -> Act:
    return lambda: call_command(name, *map(str, arguments))


def test_every_command_is_tested_or_listed_as_changing_no_setting():
    ours = {name for name, app in get_commands().items() if app == "integrations"}
    assert ours == {name.partition(":")[0] for name in COMMANDS} | NOT_AUDITED_COMMANDS | {"configure"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_writes_one_entry_with_its_name_as_actor(scene, name):
    entry = entry_written_by(COMMANDS[name](scene))
    assert entry.actor is None
    assert entry.actor_name == name.partition(":")[0]
    assert entry.organization == scene.organization


LINES = [
    ("[policies]\nhold_failed = true", {"hold_failed": [False, True]}),
    ('[[mappings]]\nrole = "R"\nassessment = "A"', {"role": ["", "R"], "assessment": ["", "A"]}),
    (f'[lever]\nsignature_token = "{SECRETS[0]}"', {"signature_token": ["empty", "set"]}),
    (f'[codescreen]\napi_key = "{SECRETS[1]}"', {"api_key": ["set", "set"]}),
    ("[codescreen]\nidempotency = true", {"idempotency": [False, True]}),
    (
        f'[[members]]\nusername = "new"\nemail = "n@a.example"\nrole = "admin"\npassword = "{SECRETS[2]}"',
        {"role": ["", "admin"], "email": ["", "n@a.example"], "password": ["empty", "set"]},
    ),
]


@pytest.mark.parametrize(("text", "changes"), LINES)
def test_configure_writes_one_entry_per_change_and_none_when_repeated(scene, tmp_path, text, changes):
    path = tmp_path / "file.toml"
    path.write_text(f'[organization]\nslug = "{scene.organization.slug}"\n{text}\n')
    entry = entry_written_by(_command("configure", path))
    assert (entry.actor_name, entry.changes) == ("configure", changes)
    count = AuditEntry.objects.count()
    call_command("configure", str(path))
    assert AuditEntry.objects.count() == count


# admin


def _action(model: type, name: str, row: Callable[[Scene], Any]) -> Callable[[Scene], Act]:
    def prepare(scene: Scene) -> Act:
        pk = row(scene).pk
        url = reverse(f"admin:integrations_{model._meta.model_name}_changelist")  # type: ignore[attr-defined]
        data = {"action": name, "_selected_action": [pk], "confirmed": "yes", "reason": "because"}
        return lambda: _ok(scene.client.post(url, data, follow=True))

    return prepare


def _admin(page: str, row: Callable[[Scene], Any], **data: str) -> Callable[[Scene], Act]:
    def prepare(scene: Scene) -> Act:
        found = row(scene)
        url = reverse(f"admin:integrations_{found._meta.model_name}_{page}", args=[found.pk])
        if page == "delete":
            return lambda: _ok(scene.client.post(url, {"post": "yes"}))
        initial = scene.client.get(url).context["adminform"].form.initial
        values = {name: value for name, value in initial.items() if value is not None and value is not False}

        def save() -> None:
            assert scene.client.post(url, values | data).status_code == 302

        return save

    return prepare


ADMIN: dict[str, Callable[[Scene], Act]] = {
    "invitation approve": _action(Invitation, "approve", lambda s: s.invitation(status="held")),
    "invitation refuse": _action(Invitation, "refuse", lambda s: s.invitation(status="held")),
    "invitation send_again": _action(Invitation, "send_again", lambda s: s.invitation(status="failed")),
    "effect retry": _action(Effect, "retry", Scene.failed),
    "delivery replay": _action(Delivery, "replay", Scene.delivery),
    "organization change": _admin("change", lambda s: s.organization, hold_failed="on"),
    "membership change": _admin("change", Scene.member, role="admin"),
    "membership delete": _admin("delete", Scene.member),
    "mapping change": _admin("change", Scene.mapping, assessment="Frontend"),
    "mapping delete": _admin("delete", Scene.mapping),
}


@pytest.fixture
def staffed(scene) -> Scene:
    scene.owner.is_staff = True
    scene.owner.save()
    return scene


def test_every_admin_action_is_tested():
    actions = {
        f"{model._meta.model_name} {name}"
        for model, options in admin.site._registry.items()
        if model._meta.app_label == "integrations"
        for name in options.actions or ()
    }
    assert actions <= set(ADMIN)


@pytest.mark.parametrize("name", ADMIN)
def test_the_admin_writes_one_entry(staffed, name):
    entry = entry_written_by(ADMIN[name](staffed))
    assert (entry.organization, entry.actor) == (staffed.organization, staffed.owner)


@pytest.mark.parametrize("row", [Scene.member, Scene.mapping, lambda s: s.organization])
def test_saving_an_unchanged_admin_form_writes_no_entry(staffed, row):
    count = AuditEntry.objects.count()
    _admin("change", row)(staffed)()
    assert AuditEntry.objects.count() == count


# masking


def test_secrets_are_masked_by_field_name_at_every_depth(organization):
    AuditEntry.record(
        organization,
        "test",
        AuditAction.SAVE_CONNECTION,
        AuditTarget(TargetKind.LEVER_CONNECTION, 1, "x"),
        {
            "lever_signature_token": ("", "SECRET"),
            "webhook_secret": ("SECRET", ""),
            "password": ("SECRET", "SECRET"),
            "connection": ({"api_key": ""}, {"api_key": "SECRET", "state": "connected"}),
            "refresh_token": ("SECRET", "SECRET"),
            "stage": ("", "kept"),
        },
    )
    entry = AuditEntry.objects.get()
    assert "SECRET" not in json.dumps(entry.changes)
    assert entry.changes["lever_signature_token"] == ["empty", "set"]
    assert entry.changes["webhook_secret"] == ["set", "empty"]
    assert entry.changes["password"] == entry.changes["refresh_token"] == ["set", "set"]
    assert entry.changes["connection"] == [{"api_key": "empty"}, {"api_key": "set", "state": "connected"}]
    assert entry.changes["stage"] == ["", "kept"]
