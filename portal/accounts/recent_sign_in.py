"""Whether a person has proven just now who they are: what changing their second factor needs."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.models import db_clock
from integrations.session_strength import has_given_own_factor
from integrations.workflow.operations.second_factor import has_second_factor

#: The session's key for when the person last proved who they are, in Unix seconds of the database's clock.
PROVEN_AT_SESSION_KEY = "proven_at"
RECENT = timedelta(minutes=5)


def note_proof(request: HttpRequest) -> None:
    """Store that the person has proven now who they are."""
    request.session[PROVEN_AT_SESSION_KEY] = db_clock.now().timestamp()


def is_recent(request: HttpRequest) -> bool:
    """Whether the person has proven within RECENT who they are."""
    proven_at = request.session.get(PROVEN_AT_SESSION_KEY, 0.0)
    return bool(0 <= db_clock.now().timestamp() - proven_at <= RECENT.total_seconds())


class RecentSignInMixin(View):
    """A view for a person who has proven just now who they are; others are asked for their password.

    A person with a second factor must have given it in this session: a session from before it was set up isn't enough
    to remove it.
    """

    #: The page to go to after a form was refused; by default the view's own.
    page_of_form = ""
    #: Whether a form needs a recent sign-in too; not where it answers a question that only its page put.
    is_form_guarded = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for the second factor and the password first, unless they were given lately."""
        if request.user.is_authenticated:
            page = reverse(self.page_of_form) if self.page_of_form else request.get_full_path()
            if has_second_factor(request.user) and not has_given_own_factor(request):
                return redirect(f"{reverse('second-factor')}?{urlencode({'next': page})}")
            is_guarded = request.method != "POST" or self.is_form_guarded
            if is_guarded and not is_recent(request):
                return redirect(f"{reverse('account-confirm')}?{urlencode({'next': page})}")
        return super().dispatch(request, *args, **kwargs)
