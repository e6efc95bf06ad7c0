"""Which people a provider may sign in: from the address that it vouches for to an account or a refusal."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import User
from django.db import transaction

from integrations.accounts.acts.accounts import UNKNOWN_ACTOR, record_for_nobody, record_for_person
from integrations.accounts.models.attempts import AttemptLimit, Limit, keyed_limits
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.audit.record import audit
from integrations.core.vocabulary import LabelledEnum
from integrations.members.acts.invitations import AcceptanceRefusal, InvitationProof, accept_with_new_account
from integrations.members.models.membership import Membership, PendingMembership, folded
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import SingleSignOn

logger = logging.getLogger(__name__)

#: Refusals of all providers of an organization, or of the installation, that are recorded at once and later.
REFUSALS = (Limit(50, 600.0),)


class Refusal(LabelledEnum):
    """Why nobody is signed in although a provider vouches for somebody: the code, and what they read."""

    FAILED = "failed", "The provider didn't sign you in, or couldn't be reached. Try again in a minute."
    CANCELLED = "cancelled", "The sign-in was cancelled at the provider."
    NOT_VERIFIED = (
        "not_verified",
        "The provider doesn't say that your e-mail address is verified. Ask your IT to release email_verified.",
    )
    NOT_A_MEMBER = (
        "not_a_member",
        "Nobody with your e-mail address is a member here. Ask a Super Admin to invite you.",
    )
    INVITED = (
        "invited",
        "To join, open the link in the invitation's e-mail: others invite you too, or you have an account here.",
    )
    ELSEWHERE = (
        "elsewhere",
        "Sign in with your password: your account opens more than the organization whose provider this is.",
    )
    OPERATOR = "operator", "Operators of the portal sign in with their password and second factor."
    OTHER_PERSON = (
        "other_person",
        "Your address belongs to several accounts here, or to one of somebody else there. Ask the portal's operator.",
    )
    ONLY_BY_PROVIDER = (
        "only_by_provider",
        "Your organization has its members sign in at its own provider alone. Sign in there.",
    )


def account_for(organization: Organization | None, address: str) -> User | Refusal:
    """Return the account that has a verified address, or the reason why the provider may not sign it in.

    `organization` is the provider's own, None for the provider of the installation. A person who is invited and has no
    account gets one; nobody else does.
    """
    found = [
        user for user in User.objects.filter(email__iexact=address) if folded(user.email) == folded(address)
    ]
    if len(found) > 1:
        return Refusal.OTHER_PERSON
    return _admitted(organization, found[0]) if found else _newcomer(organization, address)


def _admitted(organization: Organization | None, user: User) -> User | Refusal:
    """Return the user, or why not: one organization's provider must never open what belongs to another one."""
    if user.is_superuser:
        return Refusal.OPERATOR
    own = set(Membership.objects.filter(user=user).values_list("organization", flat=True))
    if not user.is_active or not own or (organization and organization.pk not in own):
        return Refusal.INVITED if _invitations(organization, user.email) else Refusal.NOT_A_MEMBER
    if organization and (len(own) > 1 or user.is_staff):
        return Refusal.ELSEWHERE
    return user


def _newcomer(organization: Organization | None, address: str) -> User | Refusal:
    """Make the account of an invited person, without a password. It proves the address to its organization alone."""
    invitations = _invitations(organization, address)
    if len(invitations) != 1:
        return Refusal.INVITED if invitations else Refusal.NOT_A_MEMBER
    user = User()
    user.set_unusable_password()
    proof = InvitationProof.ITS_PROVIDER if organization else InvitationProof.PROVIDER
    joined = accept_with_new_account(invitations[0], user, proof)
    return Refusal.NOT_A_MEMBER if isinstance(joined, AcceptanceRefusal) else user


def _invitations(organization: Organization | None, address: str) -> list[PendingMembership]:
    rows = PendingMembership.objects.open().to(address).select_related("organization")
    return list(rows.filter(organization=organization) if organization else rows)


def record_refusal(organization: Organization | None, refusal: Refusal) -> None:
    """Record the reason alone: a stranger's address is none of the organization's business.

    Somebody who is no member can be refused again and again: of many refusals few are recorded.
    """
    limits = keyed_limits(f"refusals:{organization.pk if organization else ''}", REFUSALS)
    with transaction.atomic():
        if AttemptLimit.refusal(limits):
            logger.warning("More refused sign-ins by a provider than are recorded in the audit log")
        elif organization is None:
            record_for_nobody(AuditAction.REFUSE_SIGN_IN, {"reason": ("", refusal.value)})
        else:
            audit(organization, UNKNOWN_ACTOR, AuditAction.REFUSE_SIGN_IN, reason=refusal.value)


def save_provider(
    application: SocialApp, values: Mapping[str, Any], changed: Collection[str], actor: Actor
) -> None:
    """Store a provider as the operator's form has it. Of another issuer or client nobody is known yet."""
    with transaction.atomic():
        if {"issuer", "client_id", "provider_id"} & set(changed):
            former = SocialApp.objects.filter(pk=application.pk).values("provider_id")
            SocialAccount.objects.filter(provider__in=former).delete()
        application.provider, application.settings = "openid_connect", {"server_url": values["issuer"]}
        application.save()
        row = SingleSignOn.objects.filter(pk=application.pk).first() or SingleSignOn(application=application)
        for name in ("organization", "is_listed", "is_on"):
            setattr(row, name, values[name])
        row.client_secret = values["client_secret"] or row.client_secret
        row.save()
        changes = {name: ("", str(values[name])) for name in changed}
        audit(row, actor, AuditAction.CHANGE_SINGLE_SIGN_ON, changes)


def unlink(account: SocialAccount, actor: Actor) -> None:
    """Forget who a person is at a provider: their next sign-in there links them again, by their address."""
    with transaction.atomic():
        account.delete()
        changes: Changes = {"provider": (account.provider, "")}
        record_for_person(account.user, AuditAction.UNLINK_FROM_PROVIDER, changes, actor=actor)
