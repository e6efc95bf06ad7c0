"""The page about a person's second factor: what they have, and who requires one of them."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from integrations.models import AuthenticatorApp, Passkey, RecoveryCode
from integrations.pages.access import memberships_of, own_page
from integrations.workflow.operations.second_factor import has_second_factor
from portal.accounts.second_factor import passkey_ceremonies

#: Where a person with a new password is led: somebody who knew the former one may have added a factor.
REVIEW_FACTORS = "/account/second-factor/?review=1"
#: So few recovery codes are left that the page suggests to make new ones.
FEW_CODES = 3


@method_decorator(never_cache, name="dispatch")
class SecondFactorOverviewView(TemplateView):
    """Show the person's authenticator app, passkeys and how many recovery codes are left."""

    template_name = "accounts/second_factor_overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the person has, and the organizations that require a second factor."""
        user = cast(User, self.request.user)
        codes_left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        requiring = memberships_of(self.request).filter(organization__requires_second_factor=True)
        return super().get_context_data(
            app=AuthenticatorApp.objects.confirmed().filter(user=user).defer("secret").first(),
            passkeys=Passkey.objects.filter(user=user),
            are_passkeys_possible=passkey_ceremonies.are_possible(),
            has_factor=has_second_factor(user),
            codes_left=codes_left,
            are_few_codes=codes_left <= FEW_CODES,
            requiring=[membership.organization for membership in requiring],
            is_operator=user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR,
            is_review="review" in self.request.GET,
            next=own_page(self.request, self.request.GET.get("next", ""), ""),
            **kwargs,
        )
