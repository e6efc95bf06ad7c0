"""URLs for signing in and choosing a password; portal.urls includes them at the root."""

from django.contrib.auth.views import PasswordResetDoneView
from django.urls import path

from portal.accounts import account, passkeys, second_factor, sessions, sign_in

urlpatterns = [
    path("login/", sign_in.SignInView.as_view(), name="login"),
    path("logout/", sign_in.SignOutView.as_view(), name="logout"),
    path("password/forgotten/", sign_in.ForgottenPasswordView.as_view(), name="password_reset"),
    path("password/sent/", PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("invite/<uidb64>/<token>/", sign_in.ChoosePasswordView.as_view(), name="password_reset_confirm"),
    path("login/second-factor/", second_factor.SecondFactorView.as_view(), name="second-factor"),
    path("login/passkey/", passkeys.PasskeySignInView.as_view(), name="passkey-sign-in"),
    path("login/passkey/options/", passkeys.PasskeyOptionsView.as_view(), name="passkey-options"),
    path("account/", account.AccountView.as_view(), name="account"),
    path("account/memberships/", account.MembershipsView.as_view(), name="memberships"),
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
    path(
        "password/choose/<uidb64>/<token>/", sign_in.ResetPasswordView.as_view(), name="password_reset_link"
    ),
    path("account/password/", account.OwnPasswordView.as_view(), name="password"),
    path("account/sessions/", sessions.SessionsView.as_view(), name="sessions"),
    path("account/confirm/", account.ConfirmPersonView.as_view(), name="account-confirm"),
    path(
        "account/second-factor/",
        second_factor.SecondFactorOverviewView.as_view(),
        name="account-second-factor",
    ),
    path("account/second-factor/app/", second_factor.AddAppView.as_view(), name="app-add"),
    path("account/second-factor/app/remove/", second_factor.RemoveAppView.as_view(), name="app-remove"),
    path("account/second-factor/passkeys/", second_factor.AddPasskeyView.as_view(), name="passkey-add"),
    path(
        "account/second-factor/passkeys/<int:pk>/remove/",
        second_factor.RemovePasskeyView.as_view(),
        name="passkey-remove",
    ),
    path(
        "account/second-factor/codes/", second_factor.MakeRecoveryCodesView.as_view(), name="recovery-codes"
    ),
    path("organization/", sign_in.SwitchOrganizationView.as_view(), name="switch-organization"),
]
