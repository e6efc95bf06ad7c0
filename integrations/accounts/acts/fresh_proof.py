"""Whether a person has just proven who they are, and whether a session is strong enough."""

from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.accounts.models.second_factors import SET_UP_WITHIN, has_second_factor
from integrations.core.vocabulary import SecondFactor
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: The session's key for the second factor that was given, a SecondFactor; absent when none was.
SECOND_FACTOR_SESSION_KEY = "second_factor"


def is_strong(request: HttpRequest) -> bool:
    """Whether a second factor was given in this session."""
    return hasattr(request, "session") and bool(request.session.get(SECOND_FACTOR_SESSION_KEY))


def is_admitted(request: HttpRequest, organization: Organization) -> bool:
    """Whether this session may see the organization, as far as its policy about second factors goes."""
    return not organization.requires_second_factor or is_strong(request)


def mark_strong(request: HttpRequest, factor: SecondFactor) -> None:
    """Store in the session which second factor was given."""
    request.session[SECOND_FACTOR_SESSION_KEY] = factor.value


def mark_weak(request: HttpRequest) -> None:
    """Store in the session that no second factor stands behind it any more."""
    request.session.pop(SECOND_FACTOR_SESSION_KEY, None)


#: The session's key for when the person last proved who they are, in Unix seconds of the database's clock.
PROVEN_AT_SESSION_KEY = "proven_at"
FRESH = timedelta(minutes=5)
#: The session's key for the pages that were shown after such a proof: by path, when, in the same seconds.
SHOWN_AT_SESSION_KEY = "shown_after_proof"


def note_proof(request: HttpRequest) -> None:
    """Store that the person has proven now who they are, in a session with a new key.

    The former key opens nothing any more: somebody who copied the cookie before gets no part of the proof.
    """
    request.session.cycle_key()
    request.session[PROVEN_AT_SESSION_KEY] = database.now().timestamp()


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person has proven within FRESH who they are."""
    return _is_within(request.session.get(PROVEN_AT_SESSION_KEY, 0.0), FRESH)


def end_set_up(request: HttpRequest) -> None:
    """Forget which pages were shown after a proof, so that no form counts by them: the set-up is done."""
    request.session.pop(SHOWN_AT_SESSION_KEY, None)


def proof_wanted(request: HttpRequest, page: str) -> HttpResponse | None:
    """Return the redirect to what the person has to prove first, which leads on to `page`; None when nothing is.

    A page that is shown counts as the proof for its form (see FreshProofMixin).
    A person with a second factor must have given it in this session: one from before it was set up isn't enough to
    change it.
    """
    if has_second_factor(cast(User, request.user)) and not is_strong(request):
        return redirect(f"{reverse('second-factor')}?{urlencode({'next': page})}")
    shown = request.session.get(SHOWN_AT_SESSION_KEY, {})
    was_shown = _is_within(shown.get(request.path, 0.0), SET_UP_WITHIN)
    if is_fresh(request) or (request.method == "POST" and was_shown):
        if request.method == "GET":
            now = database.now().timestamp()
            request.session[SHOWN_AT_SESSION_KEY] = {**shown, request.path: now}
        return None
    if request.method == "POST":
        messages.info(request, "Then send the form again: nothing was changed yet.")
    return redirect(f"{reverse('account-confirm')}?{urlencode({'next': page})}")


class FreshProofMixin(View):
    """A view for a person who has proven just now who they are; others are asked for their second factor or password.

    That holds for each method. Setting up a factor takes time: a form counts within SET_UP_WITHIN after this very
    session was shown its page, until one is set up. So the answer to a form must hold no secret and no challenge, which
    belong on the page alone.
    """

    #: The page to go to after a form was refused; by default the view's own.
    page_of_form = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask first for the second factor or the password, unless it was given lately."""
        if request.user.is_authenticated:
            page = reverse(self.page_of_form) if self.page_of_form else request.get_full_path()
            if wanted := proof_wanted(request, page):
                return wanted
        return super().dispatch(request, *args, **kwargs)


def _is_within(at: float, limit: timedelta) -> bool:
    return bool(0 <= database.now().timestamp() - at <= limit.total_seconds())
