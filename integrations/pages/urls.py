"""The site's addresses for people; portal.urls includes them at the root."""

from django.contrib.auth.views import LogoutView, PasswordResetDoneView
from django.urls import path

from integrations.pages import (
    activity,
    acts,
    asking,
    audit,
    candidate,
    connection_acts,
    connections,
    emails,
    health,
    mappings,
    members,
    notifications,
    overview,
    policies,
    sign_in,
    what_if,
)

urlpatterns = [
    path("", overview.OverviewView.as_view(), name="overview"),
    path("login/", sign_in.SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/forgotten/", sign_in.ForgottenPasswordView.as_view(), name="password_reset"),
    path("password/sent/", PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("invite/<uidb64>/<token>/", sign_in.ChoosePasswordView.as_view(), name="password_reset_confirm"),
    path("organization/", sign_in.SwitchOrganizationView.as_view(), name="switch-organization"),
    # settings
    path("settings/", connections.SettingsView.as_view(), name="settings"),
    path(
        "settings/lever/disconnect/", connection_acts.DisconnectLeverView.as_view(), name="lever-disconnect"
    ),
    path("settings/tokens/", connection_acts.AddTokenView.as_view(), name="token-add"),
    path(
        "settings/tokens/<int:pk>/<slug:which>/retire/",
        connection_acts.RetireTokenView.as_view(),
        name="token-retire",
    ),
    path("settings/webhooks/make/", connection_acts.MakeWebhooksView.as_view(), name="webhooks-make"),
    path("settings/webhooks/remove/", connection_acts.RemoveWebhooksView.as_view(), name="webhooks-remove"),
    path(
        "settings/codescreen/test/", connection_acts.CheckCodeScreenKeyView.as_view(), name="codescreen-test"
    ),
    path("settings/policies/", policies.PoliciesView.as_view(), name="policies"),
    path("settings/members/", members.InviteMemberView.as_view(), name="member-invite"),
    path("settings/members/<int:pk>/link/", members.MemberLinkView.as_view(), name="member-link"),
    path("settings/members/<int:pk>/role/", members.ChangeRoleView.as_view(), name="member-role"),
    path("settings/members/<int:pk>/remove/", members.RemoveMemberView.as_view(), name="member-remove"),
    # people and their e-mails
    path("ask/", asking.AskAdminsView.as_view(), name="ask-admins"),
    path("emails/", emails.EmailListView.as_view(), name="emails"),
    path("emails/<slug:kind>/", emails.EmailEditView.as_view(), name="email-edit"),
    path("emails/<slug:kind>/html/", emails.EmailHtmlView.as_view(), name="email-html"),
    path("notifications/", notifications.NotificationsView.as_view(), name="notifications"),
    path("notifications/time-zone/", notifications.TimeZoneView.as_view(), name="time-zone"),
    path("notifications/team/", notifications.TeamNotificationsView.as_view(), name="notifications-team"),
    path("unsubscribe/<str:token>/", notifications.UnsubscribeView.as_view(), name="unsubscribe"),
    path("audit/", audit.AuditView.as_view(), name="audit"),
    path("audit/export/", audit.AuditExportView.as_view(), name="audit-export"),
    # mappings
    path("mappings/", mappings.MappingListView.as_view(), name="mapping-list"),
    path("mappings/add/", mappings.MappingCreateView.as_view(), name="mapping-add"),
    path("mappings/assign/", mappings.AssignView.as_view(), name="mapping-assign"),
    path("mappings/refresh/", mappings.RefreshListsView.as_view(), name="mapping-refresh"),
    path("mappings/<int:pk>/", mappings.MappingUpdateView.as_view(), name="mapping-edit"),
    path("mappings/<int:pk>/delete/", mappings.MappingDeleteView.as_view(), name="mapping-delete"),
    # activity
    path("activity/", activity.ActivityView.as_view(), name="activity"),
    path("activity/<path:opportunity_id>/", candidate.CandidateView.as_view(), name="candidate"),
    path("deliveries/<int:pk>/", acts.DeliveryView.as_view(), name="delivery"),
    path("deliveries/<int:pk>/replay/", acts.ReplayView.as_view(), name="delivery-replay"),
    path("invitations/<int:pk>/approve/", acts.ApproveView.as_view(), name="invitation-approve"),
    path("invitations/<int:pk>/refuse/", acts.RefuseView.as_view(), name="invitation-refuse"),
    path("invitations/<int:pk>/sent/", acts.ResolveAsSentView.as_view(), name="invitation-sent"),
    path("invitations/<int:pk>/send-again/", acts.SendAgainView.as_view(), name="invitation-send-again"),
    path("invitations/<int:pk>/again/", acts.InviteAgainView.as_view(), name="invitation-again"),
    path("invitations/<int:pk>/stop/", acts.StopFollowingView.as_view(), name="invitation-stop"),
    path("invitations/<int:pk>/decided/", acts.DecidedView.as_view(), name="invitation-decided"),
    path("effects/<int:pk>/retry/", acts.RetryEffectView.as_view(), name="effect-retry"),
    # what if
    path("what-if/", what_if.WhatIfView.as_view(), name="what-if"),
    # health
    path("health/", health.HealthView.as_view(), name="health"),
]
