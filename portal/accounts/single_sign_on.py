"""Single sign-on by django-allauth's OpenID Connect: the providers, the people they sign in, and their addresses.

allauth makes and checks `state` and PKCE, and reads the ID token's issuer, audience and time. What a provider says
counts for its own organization alone: `integrations/single_sign_on/` decides it.
"""

import logging
from collections.abc import Callable
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

from integrations.accounts.acts.accounts import record_for_person
from integrations.audit.models.entry import AuditAction
from integrations.core import slots
from integrations.members.models.membership import ONLY_ORGANIZATION_SESSION_KEY
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.acts import Refusal, account_for, record_refusal
from integrations.single_sign_on.models import SingleSignOn, provider_demanded

logger = logging.getLogger(__name__)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Signs in members and invited people by a verified address; nobody signs up, nobody connects an account."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the usable providers: the environment's, and those that have a SingleSignOn row in use."""
        found: list[SocialApp] = super().list_apps(request, provider=provider, client_id=client_id)
        rows = SingleSignOn.objects.filter(is_on=True).in_bulk([app.pk for app in found if app.pk])
        for app in found:
            if row := rows.get(app.pk):
                app.secret = row.client_secret
                app.settings = {**app.settings, "hidden": not row.is_listed}
        return [app for app in found if app.pk is None or app.pk in rows]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account that the provider may sign in, by its verified address and by who it is there.

        Raises ImmediateHttpResponse with the refusal.
        """
        organization, account = organization_of(sociallogin), sociallogin.account
        claims, account.extra_data = account.extra_data, {}  # nothing of them is kept
        if account.pk:
            account.save(update_fields=["extra_data"])
        address = next((one.email for one in sociallogin.email_addresses if one.verified), "")
        if sociallogin.state.get("process") != AuthProcess.LOGIN or _names_two_people(claims):
            refuse(request, organization, Refusal.FAILED)
        if not address:
            refuse(request, organization, Refusal.NOT_VERIFIED)
        user = account_for(organization, address)
        if isinstance(user, Refusal):
            refuse(request, organization, user)
        if account.pk:
            if account.user_id != user.pk:
                refuse(request, organization, Refusal.OTHER_PERSON)
        elif SocialAccount.objects.filter(provider=account.provider, user=user).exists():
            refuse(request, organization, Refusal.OTHER_PERSON)
        else:
            sociallogin.connect(request, user)
            record_for_person(user, AuditAction.LINK_TO_PROVIDER, {"provider": ("", account.provider)})

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Show the one page about refusals. Raises ImmediateHttpResponse."""
        logger.warning("Single sign-on by %s failed: %s", provider.sub_id, type(exception).__name__)
        refusal = Refusal.CANCELLED if error == AuthError.CANCELLED else Refusal.FAILED
        raise ImmediateHttpResponse(refused(request, refusal))


def organization_of(sociallogin: SocialLogin) -> Organization | None:
    """Return the organization that the provider of the sign-in is bound to, None for one of the installation."""
    row = SingleSignOn.objects.filter(application__provider_id=sociallogin.account.provider)
    found = row.select_related("organization").first()
    return found.organization if found else None


def _names_two_people(claims: dict[str, Any]) -> bool:
    """Whether UserInfo, which is read before the ID token, is about somebody else: allauth doesn't compare them."""
    subjects = {part.get("sub") for part in claims.values()}
    return len(subjects) > 1


def refuse(request: HttpRequest, organization: Organization | None, refusal: Refusal) -> NoReturn:
    """Record the refusal and show it. Raises ImmediateHttpResponse."""
    record_refusal(organization, refusal)
    raise ImmediateHttpResponse(refused(request, refusal))


def refused(request: HttpRequest, refusal: Refusal, provider: SingleSignOn | None = None) -> HttpResponse:
    """Return the page that says why nobody was signed in, and by which provider somebody is."""
    context = {"sentence": refusal.label, "application": provider.application if provider else None}
    return render(request, "socialaccount/refused.html", context, status=403)


def other_way(request: HttpRequest, user: User) -> HttpResponse | None:
    """Return the page that leads a person to the provider by which alone they may sign in; None for all others."""
    provider = None if user.is_superuser else provider_demanded(user.pk)
    if provider is None:
        return None
    record_refusal(provider.organization, Refusal.ONLY_BY_PROVIDER)
    return refused(request, Refusal.ONLY_BY_PROVIDER, provider)


def bind_session(
    sender: object, request: HttpRequest, sociallogin: SocialLogin | None = None, **kwargs: object
) -> None:
    """Store in a new session which organization alone it opens: that of the provider that began it."""
    organization = organization_of(sociallogin) if sociallogin else None
    request.session.pop(ONLY_ORGANIZATION_SESSION_KEY, None)
    if organization:
        request.session[ONLY_ORGANIZATION_SESSION_KEY] = organization.pk


# The two addresses of a provider.


@login_not_required
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Show the provider's own page with its button; on POST lead the person to the provider.

    By a page and no redirect: browsers hold redirects of a form to the policy's `form-action`, also those that the
    provider answers with on the way to yet another host.
    """
    response = _answer(views.login, request, provider_id)
    if response.status_code != 302:
        return response
    target = response["Location"]
    response = render(request, "socialaccount/continue.html", {"target": target})
    response["Refresh"] = f"0; url={target}"
    return response


@login_not_required
def complete(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Receive the person from the provider, and sign them in or say why not."""
    return _answer(views.callback, request, provider_id)


def _answer(
    view: Callable[[HttpRequest, str], HttpResponse], request: HttpRequest, provider_id: str
) -> HttpResponse:
    """Return the view's answer, within the slots of calls; the refusal where the provider can't be understood."""
    slots.hold(slots.Work.PLATFORM)
    try:
        return view(request, provider_id)
    except (RequestException, ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        # a defect of ours would look the same: the traceback tells
        logger.warning("Single sign-on by %s failed: %s", provider_id, type(error).__name__, exc_info=True)
        return refused(request, Refusal.FAILED)
