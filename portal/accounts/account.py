"""The page about a person's own account: what they may look at and change about it, whatever their organizations."""

from dataclasses import dataclass
from typing import Any

from django.views.generic import TemplateView


@dataclass(frozen=True)
class AccountPage:
    """One page about the person's account: its URL name, its title, its icon, and what it is for."""

    name: str
    title: str
    icon: str
    purpose: str


#: The pages that /account/ lists, in this order.
ACCOUNT_PAGES: tuple[AccountPage, ...] = (
    AccountPage(
        "memberships", "Organizations", "people", "Accept or decline an invitation, or leave an organization"
    ),
    AccountPage("password", "Your password", "key", "Choose another one"),
    AccountPage("sessions", "Where you are signed in", "list", "See and end your sessions"),
    AccountPage(
        "account-second-factor",
        "Second factor",
        "shield",
        "An authenticator app or passkeys, and recovery codes",
    ),
)


class AccountView(TemplateView):
    """List the pages about the signed-in person's account."""

    template_name = "accounts/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the pages."""
        return super().get_context_data(pages=ACCOUNT_PAGES, **kwargs)
