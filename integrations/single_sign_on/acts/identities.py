"""Who signs in by a provider: from what it says of a person to an account, to joining, or to a refusal."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import LabelledEnum
from integrations.members.acts.invitations import (
    AcceptanceRefusal,
    InvitationProof,
    accept,
    accept_with_new_account,
    accounts_of,
    has_proven_address,
)
from integrations.members.models.pending import PendingMembership
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain, domain_of


@dataclass(frozen=True)
class Claims:
    """What a provider's verified token says of a person; the address is empty where it names none.

    `age`: for how many seconds the person had been signed in at the provider when it made the token, by its own clock;
    None where it doesn't say.
    """

    subject: str
    address: str
    is_verified: bool
    age: float | None = None


class Refusal(LabelledEnum):
    """Why the portal doesn't sign in a person although the provider vouches for them: the code, and what they read."""

    OFF = "off", "Single sign-on is off for this organization. Sign in with your password."
    CHANGED = "changed", "The provider's settings were changed meanwhile. Sign in again."
    NO_ADDRESS = (
        "no_address",
        "Your provider named no e-mail address. Ask your IT to release it to the portal.",
    )
    NOT_VERIFIED = (
        "not_verified",
        "Your provider doesn't say that your e-mail address is verified. Ask your IT to release email_verified.",
    )
    DOMAIN_NOT_PROVEN = (
        "domain_not_proven",
        "The domain of your e-mail address isn't verified for this organization. Ask a Super Admin to verify it.",
    )
    NOT_A_MEMBER = (
        "not_a_member",
        "You are no member of this organization yet. Ask a Super Admin to invite you.",
    )
    SEVERAL_ACCOUNTS = (
        "several_accounts",
        "Several accounts here have your address. Ask a Super Admin to remove the ones that aren't used.",
    )
    BOUND_TO_ANOTHER = (
        "bound_to_another",
        "Your account here belongs to another person at your provider. A Super Admin can unlink it under Settings.",
    )
    OPEN_THE_LINK = (
        "open_the_link",
        "An account here has your address already. Open the link in the invitation's e-mail to join with it.",
    )
    OPERATOR = "operator", "Operators of the portal sign in with their password and second factor."


def sign_in(provider: IdentityProvider, claims: Claims) -> User | Refusal:
    """Return the person to sign in, bound to the provider's subject from the first time on; or why not.

    `provider` is as it was when it vouched for the claims. Safe to run twice and at the same time.
    """
    with transaction.atomic():
        locked = IdentityProvider.objects.select_for_update(of=("self",)).filter(pk=provider.pk).first()
        if locked is None or not locked.is_on:
            return Refusal.OFF
        if (locked.issuer, locked.client_id) != (provider.issuer, provider.client_id):
            return Refusal.CHANGED
        found = _find(locked, claims)
        if isinstance(found, Refusal):
            # only the reason: a stranger's address is none of the organization's business
            audit(locked, "single sign-on", AuditAction.REFUSE_SIGN_IN, reason=found.value)
            return found
        identity, is_new = ProviderIdentity.objects.get_or_create(
            provider=locked, subject=claims.subject, defaults={"user": found}
        )
        ProviderIdentity.objects.filter(pk=identity.pk).update(signed_in_at=Now())
        if is_new:
            record(identity, found, AuditAction.BIND_IDENTITY)
    return found


def is_bound(provider: IdentityProvider, claims: Claims, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether these claims are about this person, who signed in by the provider before and may still."""
    bound = IdentityProvider.objects.on().filter(
        pk=provider.pk, identities__subject=claims.subject, identities__user=user.pk or 0
    )
    return bound.exists() and _find(provider, claims) == user


def usable_address(provider: IdentityProvider, claims: Claims) -> Refusal | None:
    """Return why the address of the claims proves nothing for the provider's organization; None when it does."""
    if not domain_of(claims.address):
        return Refusal.NO_ADDRESS
    if not claims.is_verified:
        return Refusal.NOT_VERIFIED
    if not _is_proven(provider, claims.address):
        return Refusal.DOMAIN_NOT_PROVEN
    return None


def unbind(identity: ProviderIdentity, actor: Actor) -> None:
    """Forget who a person is at the provider; sessions that it began end, and their next sign-in binds them anew."""
    with transaction.atomic():
        if ProviderIdentity.objects.filter(pk=identity.pk).delete()[0]:
            record(identity, actor, AuditAction.UNBIND_IDENTITY)


def record(identity: ProviderIdentity, actor: Actor, action: AuditAction) -> None:
    """Append an audit entry about one person's identity, in the provider's organization."""
    audit(identity.user, actor, action, organization=identity.provider.organization)


def _find(provider: IdentityProvider, claims: Claims) -> User | Refusal:
    """Return the account: by subject where it is bound, else by its verified address in a proven domain."""
    identity = provider.identities.select_related("user").filter(subject=claims.subject).first()
    if identity is not None:
        user = identity.user
        # the address that counts is the portal's: the provider may have changed its own
        if not _is_proven(provider, user.email):
            return Refusal.DOMAIN_NOT_PROVEN
        return _admitted(provider, user)
    if refusal := usable_address(provider, claims):
        return refusal
    members = User.objects.filter(
        memberships__organization=provider.organization_id, email__iexact=claims.address, is_active=True
    )
    people = [user for user in members if _folded(user.email) == _folded(claims.address)]
    if len(people) > 1:
        return Refusal.SEVERAL_ACCOUNTS
    if not people:
        return Refusal.NOT_A_MEMBER
    if provider.identities.filter(user=people[0]).exists():
        return Refusal.BOUND_TO_ANOTHER
    return _admitted(provider, people[0])


def _admitted(provider: IdentityProvider, user: User) -> User | Refusal:
    if user.is_superuser:
        return Refusal.OPERATOR
    is_member = provider.organization.memberships.filter(user=user).exists()
    return user if is_member and user.is_active else Refusal.NOT_A_MEMBER


def _is_proven(provider: IdentityProvider, address: str) -> bool:
    return SignInDomain.objects.proven_of(address).filter(organization=provider.organization_id).exists()


def _folded(address: str) -> str:
    """Return an address with A to Z in small letters: other letters that databases call equal are different people."""
    return "".join(character.lower() if character.isascii() else character for character in address.strip())


def invitation_for(provider: IdentityProvider, claims: Claims) -> PendingMembership | None:
    """Return the open invitation of the provider's organization to the address that it vouches for, if there is one."""
    if usable_address(provider, claims) is not None:
        return None
    open_ones = PendingMembership.objects.open().to(claims.address).select_related("organization")
    return open_ones.filter(organization=provider.organization_id).first()


def join(provider: IdentityProvider, claims: Claims, pending: PendingMembership) -> User | Refusal:
    """Accept the invitation for the person and return them to be signed in; or why not.

    A person without an account gets one without a password. One that has the address already is only used when its
    person proved the address here before: others may know its password.
    """
    accounts = list(accounts_of(pending))
    if len(accounts) > 1:
        return Refusal.SEVERAL_ACCOUNTS
    if accounts and (accounts[0].is_superuser or not accounts[0].is_active):
        return Refusal.NOT_A_MEMBER
    if accounts and not has_proven_address(accounts[0]):
        return Refusal.OPEN_THE_LINK
    # a newcomer may have got a former member's address
    if accounts and provider.identities.filter(user=accounts[0]).exclude(subject=claims.subject).exists():
        return Refusal.BOUND_TO_ANOTHER
    if accounts:
        joined = accept(pending, accounts[0], InvitationProof.PROVIDER)
    else:
        newcomer = User()
        newcomer.set_unusable_password()
        joined = accept_with_new_account(pending, newcomer, InvitationProof.PROVIDER)
    if isinstance(joined, AcceptanceRefusal):
        return Refusal.CHANGED
    return sign_in(provider, claims)
