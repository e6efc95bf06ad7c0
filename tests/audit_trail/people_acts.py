"""What members do about their accounts and memberships, each an act that is audited."""

from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey
from integrations.members.models.membership import Membership
from integrations.members.models.pending import PendingMembership
from integrations.notifications.link_emails import membership_link
from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.preferences import unsubscribe_link
from tests.audit_trail.scene import Act, Prepare, Scene, of_row, ok
from tests.support import factories
from tests.support.second_factors import (
    SecurityKey,
    code_of,
    make_strong,
    options_in,
    prove_now,
    with_app,
    with_recovery_codes,
)


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
    return lambda: scene.post("ask-admins", {"request": "role"})


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
    return lambda: ok(scene.client.post(reverse("recovery-codes")))


PEOPLE_ACTS: dict[str, Prepare] = {
    "app-add": _add_app,
    "app-remove": _remove_app,
    "passkey-add": _add_passkey,
    "passkey-remove": _remove_passkey,
    "recovery-codes": _make_codes,
    "ask-admins": _ask,
    "member-invite": lambda s: (
        lambda: s.post("member-invite", {"email": "new@acme.example", "role": "admin"})
    ),
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
    "notifications": lambda s: lambda: s.post("notifications", {"results": "on"}),
    "candidates-mine": lambda s: lambda: s.post("candidates-mine"),
    "unsubscribe": _unsubscribe,
}
