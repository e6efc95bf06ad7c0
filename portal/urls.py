"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView
from portal import probes
from portal.accounts import account, oauth
from portal.metrics import metrics

# a key is URL-safe text; the last slash is optional, since a redirect would lose the body of a POST
KEY = r"(?P<key>[A-Za-z0-9._~-]{1,100})/?$"

#: What django-allauth answers when too many requests came.
handler429 = "portal.accounts.limits.too_many"
handler500 = "portal.middleware.server_error"

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
    path("admin/login/", account.admin_sign_in),
    path(
        "admin/password_change/",
        admin.site.admin_view(RedirectView.as_view(pattern_name="account_change_password")),
    ),
    path("admin/", admin.site.urls),
    path("", include("portal.accounts.urls")),
    path("", include("integrations.pages.urls")),
]
