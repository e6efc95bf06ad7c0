"""The addresses of people's accounts: django-allauth's below `/accounts/`, and this site's own below `/account/`."""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.totp.views import activate_totp, deactivate_totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions.views import list_usersessions
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.urls import include, path, re_path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView

from portal.accounts import account, single_sign_on
from portal.accounts.limits import PROVIDER_QUESTIONS, with_few_questions
from portal.accounts.second_factor import SecondFactorsView

# what changes, its audit entry and its e-mail are stored together
change_password = transaction.atomic(views.password_change)
choose_password = transaction.atomic(views.password_reset_from_key)
remove_app = transaction.atomic(deactivate_totp)
add_passkey, remove_passkey = (
    transaction.atomic(passkeys.add_webauthn),
    transaction.atomic(passkeys.remove_webauthn),
)

urlpatterns = [
    path(
        "login/",
        login_not_required(RedirectView.as_view(pattern_name="account_login", query_string=True)),
        name="login",
    ),
    path("accounts/login/", views.login, name="account_login"),
    path("accounts/logout/", require_POST(views.logout), name="account_logout"),
    path("accounts/inactive/", views.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", change_password, name="account_change_password"),
    # who has none has a link sent
    path(
        "accounts/password/set/",
        RedirectView.as_view(pattern_name="account_reset_password"),
        name="account_set_password",
    ),
    path("accounts/password/reset/", views.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        choose_password,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/oidc/<str:provider_id>/login/",
        with_few_questions(single_sign_on.begin, "POST", PROVIDER_QUESTIONS),
        name="openid_connect_login",
    ),
    path(
        "accounts/oidc/<str:provider_id>/login/callback/",
        single_sign_on.complete,
        name="openid_connect_callback",
    ),
    path("accounts/2fa/", SecondFactorsView.as_view(), name="mfa_index"),
    path(
        "accounts/2fa/webauthn/login/", with_few_questions(passkeys.login_webauthn), name="mfa_login_webauthn"
    ),
    path("accounts/2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/activate/", activate_totp, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", remove_app, name="mfa_deactivate_totp"),
    path("accounts/2fa/recovery-codes/", include("allauth.mfa.recovery_codes.urls")),
    path("accounts/2fa/webauthn/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("accounts/2fa/webauthn/add/", add_passkey, name="mfa_add_webauthn"),
    path(
        "accounts/2fa/webauthn/reauthenticate/",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("accounts/2fa/webauthn/keys/<int:pk>/remove/", remove_passkey, name="mfa_remove_webauthn"),
    path("accounts/2fa/webauthn/keys/<int:pk>/edit/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("accounts/sessions/", list_usersessions, name="usersessions_list"),
    path("account/", account.AccountView.as_view(), name="account"),
    path(
        "account/memberships/<int:pk>/answer/",
        account.AnswerInvitationView.as_view(),
        name="membership-answer",
    ),
    path(
        "account/memberships/<int:pk>/leave/",
        account.LeaveOrganizationView.as_view(),
        name="membership-leave",
    ),
    path("membership/<str:token>/", account.MembershipLinkView.as_view(), name="membership-link"),
    path("organization/", account.SwitchOrganizationView.as_view(), name="switch-organization"),
]
