"""Addresses of the portal's pages, for e-mails and for handing out, and the tokens in links to choose a password."""

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.signing import BadSignature, TimestampSigner

#: How long a link to choose a password works: to choose another one, and the first one.
NEW_PASSWORD_SECONDS, FIRST_PASSWORD_SECONDS = 3600, 7 * 24 * 3600


class LinkTokens(PasswordResetTokenGenerator):
    """Makes tokens that work once: a sign-in, a new password and a new address end them, and so does time."""

    key_salt = "integrations.notifications.link_tokens"

    def make_token(self, user: User) -> str:
        """Return Django's token with the time of its making, which Django's own keeps to itself."""
        return TimestampSigner(salt=self.key_salt).sign(super().make_token(user))

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether the token was made for the person, is young enough, and neither used nor overtaken."""
        if user is None:
            return False
        longest = NEW_PASSWORD_SECONDS if user.has_usable_password() else FIRST_PASSWORD_SECONDS
        try:
            own = TimestampSigner(salt=self.key_salt).unsign(token or "", max_age=longest)
        except BadSignature:
            return False
        return super().check_token(user, own)


link_tokens = LinkTokens()


def timeline_link(opportunity_id: str) -> str:
    """Return the address of the timeline of an opportunity's candidate."""
    return f"{settings.PORTAL_URL}/activity/{opportunity_id}/"


def settings_link() -> str:
    """Return the address of the organization's settings."""
    return f"{settings.PORTAL_URL}/settings/"


def choose_password_link(user: User) -> str:
    """Return the address at which a person chooses a password; it works once, for an hour, their first one a week."""
    key = f"{user_pk_to_url_str(user)}-{link_tokens.make_token(user)}"
    return f"{settings.PORTAL_URL}/accounts/password/reset/key/{key}/"
