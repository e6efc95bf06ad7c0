"""Making recovery codes anew."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from integrations.recent_sign_in import RecentSignInMixin
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.second_factor import make_recovery_codes
from portal.accounts.second_factor.app_setup import OVERVIEW


@method_decorator(never_cache, name="dispatch")
class MakeRecoveryCodesView(RecentSignInMixin, View):
    """Make new recovery codes and show them, once."""

    http_method_names = ["post"]
    page_of_form = OVERVIEW

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make them; the answer is the only place where they are shown."""
        try:
            codes = make_recovery_codes(cast(User, request.user))
        except ActionNotAllowed as error:
            messages.error(request, str(error))
            return redirect(OVERVIEW)
        message = "These are your new recovery codes. The earlier ones no longer work."
        return render(request, "accounts/recovery_codes.html", {"codes": codes, "message": message})
