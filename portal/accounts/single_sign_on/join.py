"""The page on which an invited person, whom the provider vouches for, accepts or declines."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from integrations.models import IdentityProvider, PendingMembership
from integrations.queue import notify
from integrations.workflow.operations.pending_members import decline
from integrations.workflow.operations.single_sign_on.identities import Claims, Refusal, invitation_for, join
from portal.accounts.single_sign_on.answers import refused, signed_in

#: The session's key for whom the provider vouched for, and how long that counts.
JOINING_SESSION_KEY = "single_sign_on_joining"
JOINING_SECONDS = 600


def ask(request: HttpRequest, provider: IdentityProvider, claims: Claims) -> HttpResponse:
    """Remember whom the provider vouched for, and lead them to the question."""
    request.session[JOINING_SESSION_KEY] = {
        "provider": provider.pk,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "subject": claims.subject,
        "address": claims.address,
        "at": timezone.now().timestamp(),
    }
    return redirect("single-sign-on-join")


@method_decorator([login_not_required, never_cache], name="dispatch")
class JoinView(View):
    """Ask the person whether they join; looking at the page changes nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show who invites them."""
        found = _joining(request)
        if found is None:
            return refused(request, Refusal.NOT_A_MEMBER.label)
        return render(request, "accounts/single_sign_on_join.html", {"pending": found[2]})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the answer; who accepts is signed in."""
        found = _joining(request)
        request.session.pop(JOINING_SESSION_KEY, None)
        if found is None:
            return refused(request, Refusal.NOT_A_MEMBER.label)
        provider, claims, pending = found
        if request.POST.get("answer") == "decline":
            decline(pending, pending.email)
            notify.notify_workers()
            messages.success(request, f"You declined the invitation of {pending.organization}.")
            return redirect("login")
        user = join(provider, claims, pending)
        if isinstance(user, Refusal):
            return refused(request, user.label)
        notify.notify_workers()
        return signed_in(request, provider, user)


def _joining(request: HttpRequest) -> tuple[IdentityProvider, Claims, PendingMembership] | None:
    stored = request.session.get(JOINING_SESSION_KEY)
    if not stored or not 0 <= timezone.now().timestamp() - stored["at"] <= JOINING_SECONDS:
        return None
    provider = (
        IdentityProvider.objects.select_related("organization")
        .exclude(mode=IdentityProvider.Mode.OFF)
        # what another issuer or client says of its subjects isn't about the same people
        .filter(pk=stored["provider"], issuer=stored["issuer"], client_id=stored["client_id"])
        .first()
    )
    if provider is None:
        return None
    claims = Claims(stored["subject"], stored["address"], is_verified=True)
    pending = invitation_for(provider, claims)
    return (provider, claims, pending) if pending else None
