"""The addresses of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView
from portal import health, security_txt
from portal.accounts import oauth, sign_in

# a key is URL-safe text; the last slash is optional, since a redirect would lose the body of a POST
KEY = r"(?P<key>[A-Za-z0-9._~-]{1,100})/?$"

urlpatterns = [
    re_path(rf"^webhooks/lever/{KEY}", LeverWebhookView.as_view(), name="lever-webhook"),
    re_path(rf"^webhooks/codescreen/{KEY}", CodeScreenWebhookView.as_view(), name="codescreen-webhook"),
    path(".well-known/security.txt", security_txt.security_txt, name="security-txt"),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("healthz/work", health.work, name="work"),
    path("metrics", health.metrics, name="metrics"),
    path("oauth/login/lever/", oauth.begin, name="lever-connect"),
    path("oauth/", include("social_django.urls", namespace="social")),
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(pattern_name="password"))),
    path("admin/", admin.site.urls),
    path("", include("portal.accounts.urls")),
    path("", include("integrations.pages.urls")),
]
if settings.DEVELOPER_TOOLS:
    urlpatterns.append(path("components/", include("portal.devtools.components.urls")))
