"""What members do about their accounts and memberships, each an act that is audited."""

from django.test import Client

from integrations.members.models.membership import Membership, PendingMembership
from integrations.notifications.link_emails import membership_link
from integrations.notifications.models.email_kind import EmailKind, unsubscribe_link
from tests.audit_trail.scene import Act, Prepare, Scene, of_row, ok
from tests.support import factories
from tests.support.second_factors import with_app


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
