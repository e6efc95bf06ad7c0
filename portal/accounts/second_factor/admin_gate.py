"""The middleware that asks for a second factor before the admin, where an organization there requires one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.admin.access import waits_for_second_factor
from integrations.pages.access import second_factor_address


class AdminSecondFactorMiddleware:
    """Sends staff without a second factor to the page that asks for it, or where they set one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> HttpResponse | None:
        """Redirect from the admin's pages."""
        match = request.resolver_match
        is_admin = match is not None and match.app_names[:1] == ["admin"] and match.url_name != "logout"
        if not is_admin or not (request.user.is_authenticated and request.user.is_staff):
            return None
        return redirect(second_factor_address(request)) if waits_for_second_factor(request) else None
