"""The URLs of the pages; portal.urls includes them at the root."""

from django.urls import path
from django.views.generic import RedirectView

from integrations.core.finding_code import HEALTH
from integrations.pages import ask, audit_log, preview, report
from integrations.pages import help as help_pages
from integrations.pages.activity import actions, activity, bulk, take_over
from integrations.pages.candidate import data, page
from integrations.pages.mappings import mapping_edit, mapping_list
from integrations.pages.overview import overview
from integrations.pages.settings import (
    api,
    connections,
    lever_connect,
    lever_key,
    notifications,
    rules,
    team,
    webhooks,
)

urlpatterns = [
    path("", overview.OverviewView.as_view(), name="overview"),
    path("other-integration-off/", overview.OtherIntegrationOffView.as_view(), name="other-integration-off"),
    path("pause/", overview.PauseView.as_view(pauses=True), name="pause"),
    path("resume/", overview.PauseView.as_view(pauses=False), name="resume"),
    # settings
    path("settings/", connections.SettingsView.as_view(), name="settings"),
    path("settings/lever/disconnect/", lever_connect.DisconnectLeverView.as_view(), name="lever-disconnect"),
    path("settings/lever/key/", lever_key.LeverKeyView.as_view(), name="lever-key"),
    path("settings/lever/key/author/", lever_key.LeverKeyAuthorView.as_view(), name="lever-key-author"),
    path("settings/lever/account/", lever_connect.OtherLeverAccountView.as_view(), name="lever-account"),
    path(
        "settings/tokens/<int:pk>/<slug:which>/retire/",
        webhooks.RetireTokenView.as_view(),
        name="token-retire",
    ),
    path("settings/tokens/<int:pk>/rotate/", webhooks.RotateTokenView.as_view(), name="token-rotate"),
    path("settings/webhooks/address/", webhooks.ReplaceAddressView.as_view(), name="address-replace"),
    path("settings/webhooks/make/", webhooks.MakeWebhookView.as_view(), name="webhooks-make"),
    path("settings/webhooks/remove/", webhooks.RemoveWebhooksView.as_view(), name="webhooks-remove"),
    path("settings/rules/", rules.RulesView.as_view(), name="rules"),
    path("settings/rules/passed/", rules.PassedView.as_view(), name="passed"),
    path("settings/team/", team.TeamView.as_view(), name="team"),
    path("settings/team/lever/", team.LeverPeopleView.as_view(), name="lever-people"),
    path("settings/members/pending/<int:pk>/", team.PendingMemberView.as_view(), name="pending-member"),
    path(
        "settings/members/pending/<int:pk>/withdraw/",
        team.WithdrawInvitationView.as_view(),
        name="pending-withdraw",
    ),
    path("settings/members/<int:pk>/link/", team.MemberLinkView.as_view(), name="member-link"),
    path("settings/members/<int:pk>/role/", team.ChangeRoleView.as_view(), name="member-role"),
    path("settings/members/<int:pk>/remove/", team.RemoveMemberView.as_view(), name="member-remove"),
    path(
        "settings/members/<int:pk>/second-factor/",
        team.ResetSecondFactorView.as_view(),
        name="member-second-factor",
    ),
    path("settings/api/", api.ApiTokensView.as_view(), name="api-tokens"),
    path("settings/api/<int:pk>/rotate/", api.RotateApiTokenView.as_view(), name="api-token-rotate"),
    path("settings/api/<int:pk>/revoke/", api.RevokeApiTokenView.as_view(), name="api-token-revoke"),
    path("settings/security/", team.RequireSecondFactorView.as_view(), name="security"),
    path("settings/notifications/", notifications.ChatRoomView.as_view(), name="notification-settings"),
    # people and their e-mails
    path("ask/", ask.AskView.as_view(), name="ask"),
    path("notifications/", RedirectView.as_view(url="/account/#e-mails"), name="notifications"),
    path("account/e-mails/", notifications.ChooseEmailsView.as_view(), name="emails-choose"),
    path("unsubscribe/<str:token>/", notifications.UnsubscribeView.as_view(), name="unsubscribe"),
    path("audit/", audit_log.AuditLogView.as_view(), name="audit"),
    path("audit/export/", audit_log.AuditExportView.as_view(), name="audit-export"),
    # mappings
    path("mappings/", mapping_list.MappingListView.as_view(), name="mapping-list"),
    path("mappings/add/", mapping_edit.MappingCreateView.as_view(), name="mapping-add"),
    path("mappings/assign/", mapping_list.BulkAssignView.as_view(), name="mapping-assign"),
    path("mappings/refresh/", mapping_list.RefreshCatalogView.as_view(), name="mapping-refresh"),
    path("mappings/<int:pk>/", mapping_edit.MappingUpdateView.as_view(), name="mapping-edit"),
    path("mappings/<int:pk>/delete/", mapping_edit.MappingDeleteView.as_view(), name="mapping-delete"),
    # activity
    path("activity/", activity.ActivityView.as_view(), name="activity"),
    path("candidates/mine/", actions.ListOwnView.as_view(), name="candidates-mine"),
    path("candidates/export/", activity.CandidateExportView.as_view(), name="candidates-export"),
    path("candidates/take-over/", take_over.TakeOverView.as_view(), name="candidates-take-over"),
    path("candidates/bulk/", bulk.BulkView.as_view(), name="candidates-bulk"),
    path("data/<path:opportunity_id>/", data.CandidateDataView.as_view(), name="candidate-data"),
    path("activity/<path:opportunity_id>/", page.CandidateView.as_view(), name="candidate"),
    path("deliveries/offered/<int:pk>/invite/", actions.InviteOfferedView.as_view(), name="offered-invite"),
    path("deliveries/<int:pk>/replay/", actions.ReplayView.as_view(), name="delivery-replay"),
    path("invitations/<int:pk>/approve/", actions.ApproveView.as_view(), name="invitation-approve"),
    path("invitations/<int:pk>/cancel/", actions.CancelView.as_view(), name="invitation-cancel"),
    path("invitations/<int:pk>/sent/", actions.ResolveAsSentView.as_view(), name="invitation-sent"),
    path("invitations/<int:pk>/send-again/", actions.SendAgainView.as_view(), name="invitation-send-again"),
    path("invitations/<int:pk>/again/", actions.InviteAgainView.as_view(), name="invitation-again"),
    path("effects/<int:pk>/retry/", actions.RetryEffectView.as_view(), name="effect-retry"),
    path("preview/", preview.PreviewView.as_view(), name="preview"),
    # reports
    path("reports/", report.ReportView.as_view(), name="report"),
    path("reports/export/", report.ReportExportView.as_view(), name="report-export"),
    path("health/", RedirectView.as_view(url=HEALTH.url), name="health"),
    # help
    path("help/", help_pages.candidates, name="help"),
    path("help/set-up/", help_pages.set_up, name="help-set-up"),
    path("help/results/", help_pages.results, name="help-results"),
    path("help/team/", help_pages.team, name="help-team"),
]
