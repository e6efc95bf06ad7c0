"""The addresses of the site, and what stands at the one that has no other place."""

from datetime import UTC, timedelta

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, re_path, reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from integrations.api.access import TokenAuthentication
from integrations.api.urls import addresses
from integrations.pages.settings.api import SuperAdminAuthentication
from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView
from portal import probes
from portal.accounts import oauth, sign_in
from portal.metrics.views import metrics

# a key is URL-safe text; the last slash is optional, since a redirect would lose the body of a POST
KEY = r"(?P<key>[A-Za-z0-9._~-]{1,100})/?$"

#: RFC 9116 recommends less than a year.
VALID_FOR = timedelta(days=180)


@login_not_required
@require_safe
@cache_control(public=True, max_age=86_400)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Answer with where researchers report a vulnerability (RFC 9116).

    Raises Http404 when no contact is configured: a file without one isn't valid.
    """
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (timezone.now() + VALID_FOR).astimezone(UTC).replace(microsecond=0)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        "Preferred-Languages: en",
        f"Canonical: {settings.PORTAL_URL}{reverse('security-txt')}",
    ]
    return HttpResponse("\r\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


urlpatterns = [
    re_path(rf"^webhooks/lever/{KEY}", LeverWebhookView.as_view(), name="lever-webhook"),
    re_path(rf"^webhooks/codescreen/{KEY}", CodeScreenWebhookView.as_view(), name="codescreen-webhook"),
    path("api/v1/", include(addresses([TokenAuthentication, SuperAdminAuthentication]))),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("healthz/live", probes.live, name="live"),
    path("healthz/ready", probes.ready, name="ready"),
    path("healthz/work", probes.work, name="work"),
    path("metrics", metrics, name="metrics"),
    path("oauth/login/lever/", oauth.begin, name="lever-connect"),
    path("oauth/", include("social_django.urls", namespace="social")),
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(pattern_name="password"))),
    path("admin/", admin.site.urls),
    path("", include("portal.accounts.urls")),
    path("", include("integrations.pages.urls")),
]
