"""Addresses of the portal's pages, for e-mails and for handing out, and the tokens in links to choose a password."""

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.signing import BadSignature, TimestampSigner
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

#: How long a link works that was asked for at the sign-in page. An invitation's link has its own, longer time.
RESET_SECONDS = 3600


class ResetTokenGenerator(PasswordResetTokenGenerator):
    """Makes tokens that work once, for an hour, and nowhere but in a link to choose a new password."""

    key_salt = "integrations.notifications.reset_tokens"

    def make_token(self, user: User) -> str:
        """Return Django's token with the time of its making, which Django's own keeps to itself."""
        return TimestampSigner(salt=self.key_salt).sign(super().make_token(user))

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether the token was made for the person within the hour, and neither used nor overtaken by a sign-in."""
        try:
            own = TimestampSigner(salt=self.key_salt).unsign(token or "", max_age=RESET_SECONDS)
        except BadSignature:
            return False
        return super().check_token(user, own)


reset_tokens = ResetTokenGenerator()


def timeline_link(opportunity_id: str) -> str:
    """Return the address of the timeline of an opportunity's candidate."""
    return f"{settings.PORTAL_URL}/activity/{opportunity_id}/"


def settings_link() -> str:
    """Return the address of the organization's settings."""
    return f"{settings.PORTAL_URL}/settings/"


def choose_password_link(user: User) -> str:
    """Return the address at which a person chooses their password; it works once, for a week."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.PORTAL_URL}/invite/{key}/{default_token_generator.make_token(user)}/"


def reset_password_link(user: User) -> str:
    """Return the address at which a person chooses a new password; it works once, for an hour."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.PORTAL_URL}/password/choose/{key}/{reset_tokens.make_token(user)}/"
