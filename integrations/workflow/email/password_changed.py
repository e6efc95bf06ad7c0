"""The e-mail that tells a person that their password was changed, so that they notice when somebody else did it."""

from collections.abc import Sequence

from django.contrib.auth.models import User

from integrations.models import db_clock
from integrations.workflow.email.account_notice import tell_person
from integrations.workflow.email.links import forgotten_password_link


def tell_password_changed(user: User, factors: Sequence[str]) -> None:
    """Enqueue the e-mail, once for each change, with the second factors that stay. Call it in the transaction."""
    when = f"{db_clock.now():%d %B %Y at %H:%M} UTC"
    tell_person(
        user,
        "Your password for the CodeScreen–Lever portal was changed",
        [
            f"The password of {user} was changed on {when}. All other sessions were signed out.",
            "If it wasn't you, choose a new password now, and tell a Super Admin of your organization.",
            f"Choose a new password: {forgotten_password_link()}",
            *(
                [f"These second factors stay as they are; remove what isn't yours: {', '.join(factors)}."]
                if factors
                else []
            ),
        ],
    )
