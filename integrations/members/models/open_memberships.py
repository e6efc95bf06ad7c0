"""Which organizations a session opens: how the person signed in decides, where single sign-on is in use."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models

from integrations.members.models.membership import Membership
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain

#: The session's key for the primary key of the IdentityProvider that began it; absent in all other sessions.
PROVIDER_SESSION_KEY = "identity_provider"


def open_memberships(
    user: AbstractBaseUser | AnonymousUser, provider_id: int | None
) -> models.QuerySet[Membership]:
    """Return the memberships that a person's session opens. `provider_id`: the provider that began it, if one did.

    An organization's provider opens that organization alone: what it says of a person is no proof to any other. It
    does so while the person is bound to it and their address lies in a domain that the organization has proven.
    Other sessions don't open an organization that demands single sign-on of the person.
    """
    own = Membership.objects.filter(user_id=user.pk or 0)
    if provider_id is None:
        return own.exclude(closed_to_passwords(user))
    if getattr(user, "is_superuser", False):
        return own.none()
    bound = ProviderIdentity.objects.filter(provider=provider_id, user_id=user.pk or 0)
    provider = IdentityProvider.objects.filter(pk=provider_id).exclude(mode=IdentityProvider.Mode.OFF)
    proven = SignInDomain.objects.proven_of(getattr(user, "email", "") or "")
    return own.filter(
        models.Exists(bound),
        organization__in=provider.values("organization"),
        organization_id__in=proven.values("organization"),
    )


def closed_to_passwords(user: AbstractBaseUser | AnonymousUser) -> models.Q:
    """Return the condition for memberships that only single sign-on opens.

    Super Admins keep their password, so that they can repair a broken provider.
    """
    demanding = SignInDomain.objects.demanding(getattr(user, "email", "") or "")
    return models.Q(organization__in=demanding.values("organization")) & ~models.Q(
        role=Membership.Role.SUPER_ADMIN
    )


def may_use_password(user: User) -> bool:
    """Whether a password may sign the person in: not while only single sign-on opens each of their organizations."""
    if user.is_superuser:
        return True
    own = Membership.objects.filter(user=user)
    is_closed = own.filter(closed_to_passwords(user)).exists()
    return not is_closed or own.exclude(closed_to_passwords(user)).exists()
