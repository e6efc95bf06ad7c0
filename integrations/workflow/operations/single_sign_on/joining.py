"""People who were invited and sign in by the organization's provider: it proves their address, and they accept."""

from django.contrib.auth.models import User
from django.db import transaction

from integrations.models import IdentityProvider, PendingMembership
from integrations.workflow.operations import consent
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.single_sign_on import identities
from integrations.workflow.operations.single_sign_on.identities import Claims, Refusal


def invitation_for(provider: IdentityProvider, claims: Claims) -> PendingMembership | None:
    """Return the open invitation of the provider's organization to the address that it vouches for, if there is one."""
    if identities.usable_address(provider, claims) is not None:
        return None
    open_ones = PendingMembership.objects.open().to(claims.address).select_related("organization")
    return open_ones.filter(organization=provider.organization_id).first()


def join(provider: IdentityProvider, claims: Claims, pending: PendingMembership) -> User | Refusal:
    """Accept the invitation for the person and return them to be signed in; or why not.

    A person without an account gets one without a password. One that has the address already is only used when its
    person proved the address here before: others may know its password.
    """
    accounts = list(consent.accounts_of(pending))
    if len(accounts) > 1:
        return Refusal.SEVERAL_ACCOUNTS
    if accounts and (accounts[0].is_superuser or not accounts[0].is_active):
        return Refusal.NOT_A_MEMBER
    if accounts and not consent.has_proven_address(accounts[0]):
        return Refusal.OPEN_THE_LINK
    if accounts and _is_bound_to_another(provider, claims, accounts[0]):
        return Refusal.BOUND_TO_ANOTHER
    try:
        with transaction.atomic():
            if accounts:
                consent.accept(pending, accounts[0], consent.Proof.PROVIDER)
            else:
                newcomer = User()
                newcomer.set_unusable_password()
                consent.accept_with_new_account(pending, newcomer, consent.Proof.PROVIDER)
    except ActionNotAllowed:
        return Refusal.CHANGED
    return identities.sign_in(provider, claims)


def _is_bound_to_another(provider: IdentityProvider, claims: Claims, user: User) -> bool:
    """Whether the account is somebody else's at the provider: a newcomer may have got a former member's address."""
    return provider.identities.filter(user=user).exclude(subject=claims.subject).exists()
