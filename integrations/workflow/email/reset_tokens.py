"""The tokens in links to choose a new password."""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import base36_to_int

#: How long a link works that was asked for at the sign-in page. An invitation's link has its own, longer time.
RESET_SECONDS = 3600


class ResetTokenGenerator(PasswordResetTokenGenerator):
    """Makes tokens that work once, for an hour, and nowhere but in a link to choose a new password."""

    key_salt = "integrations.workflow.email.reset_tokens"

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether the token was made for the person within the hour, and neither used nor overtaken by a sign-in."""
        if not token or not super().check_token(user, token):
            return False
        made_at = base36_to_int(token.partition("-")[0])
        return self._num_seconds(self._now()) - made_at <= RESET_SECONDS


reset_tokens = ResetTokenGenerator()
