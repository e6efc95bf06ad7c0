"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView
from portal import probes
from portal.accounts import oauth, sign_in
from portal.metrics.views import metrics

# a key is URL-safe text; the last slash is optional, since a redirect would lose the body of a POST
KEY = r"(?P<key>[A-Za-z0-9._~-]{1,100})/?$"

urlpatterns = [
    re_path(rf"^webhooks/lever/{KEY}", LeverWebhookView.as_view(), name="lever-webhook"),
    re_path(rf"^webhooks/codescreen/{KEY}", CodeScreenWebhookView.as_view(), name="codescreen-webhook"),
    path("api/v1/", include("integrations.api.urls")),
    path("healthz/live", probes.live, name="live"),
    path("healthz/ready", probes.ready, name="ready"),
    path("healthz/work", probes.work, name="work"),
    path("metrics", metrics, name="metrics"),
    path("oauth/login/lever/", oauth.begin, name="lever-connect"),
    path("oauth/", include("social_django.urls", namespace="social")),
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(pattern_name="password"))),
    path("admin/", admin.site.urls),
    path("accounts/", include("portal.accounts.allauth_urls")),
    path("", include("portal.accounts.urls")),
    path("", include("integrations.pages.urls")),
]
