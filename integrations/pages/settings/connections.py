"""The settings page, and what a Super Admin stores there for the connections."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override
from django.views.generic import TemplateView

from integrations.lever.oauth import SCOPES
from integrations.models import (
    Assessment,
    CodeScreenConnection,
    LeverConnection,
    LeverWebhook,
    Membership,
)
from integrations.pages.access import EVERYONE, SUPER_ADMINS, OrganizationMixin, return_url
from integrations.pages.mappings.suggestions import assessment_names, non_trigger_stage_names
from integrations.pages.settings.connect_policy import connect_policy
from integrations.pages.settings.connection_forms import AddTokenForm, ConnectionsForm
from integrations.pages.settings.member_form import InviteMemberForm
from integrations.pages.settings.policies_form import PoliciesForm
from integrations.queue import notify
from integrations.workflow.health import webhook_rejections
from integrations.workflow.operations import signature_tokens
from integrations.workflow.operations.codescreen_connection import (
    save_codescreen_idempotency,
    save_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.workflow.operations.signature_tokens import save_main_token


@dataclass(frozen=True)
class Scope:
    """One thing Lever is asked to allow, and why."""

    name: str
    reason: str
    is_granted: bool


class SettingsView(OrganizationMixin, TemplateView):
    """Show what the person's role may set; save the connections' secrets."""

    template_name = "integrations/settings.html"
    allowed_roles = EVERYONE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Allow the Connect form's redirect to Lever, on this page alone."""
        guarded = csp_override(connect_policy())(super().dispatch)
        return guarded(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read only what the role may see."""
        context = super().get_context_data(**kwargs)
        if self.membership.may_configure:
            context.setdefault("policies_form", PoliciesForm(instance=self.organization))
            context["known_assessments"] = assessment_names(self.organization)
            context["known_targets"] = non_trigger_stage_names(self.organization)
        if self.membership.may_connect:
            context |= self.connections()
            context.setdefault("connections_form", ConnectionsForm(initial=_stored(context["codescreen"])))
            context.setdefault("token_form", AddTokenForm())
            context.setdefault("invite_form", InviteMemberForm(organization=self.organization))
            context["members"] = self.organization.memberships.select_related("user").order_by(
                "user__username"
            )
            context["roles"] = Membership.Role.choices
        return context

    def connections(self) -> dict[str, Any]:
        """Return the state of both connections."""
        lever = (
            LeverConnection.objects.filter(organization=self.organization)
            .select_related("connected_by")
            .first()
        )
        granted = lever.granted_scopes if lever and lever.is_working else set()
        scopes = [
            # a write scope holds its read scope, as the doctor reads it too
            Scope(name, reason, bool(granted & {name, name.replace(":read:", ":write:")}))
            for name, reason in SCOPES.items()
        ]
        webhooks = list(LeverWebhook.objects.active().filter(organization=self.organization).order_by("pk"))
        codescreen = CodeScreenConnection.objects.filter(organization=self.organization).first()
        return {
            "lever": lever,
            "can_connect": bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
            "scopes": scopes,
            "scopes_known": bool(granted),
            "scopes_granted": sum(scope.is_granted for scope in scopes),
            "tokens": signature_tokens.active_tokens(self.organization),
            "retired_webhooks": signature_tokens.recently_retired(self.organization),
            "manual_webhooks": [row for row in webhooks if row.origin == LeverWebhook.Origin.MANUAL],
            "api_webhooks": [row for row in webhooks if row.origin == LeverWebhook.Origin.API],
            "codescreen": codescreen,
            **_refusal(self.organization, "lever", _last_passed(webhooks)),
            **_refusal(self.organization, "codescreen", codescreen.last_received_at if codescreen else None),
            "assessment_count": Assessment.objects.live().filter(organization=self.organization).count(),
            "now": timezone.now(),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save each secret that was given; a field that is absent or empty keeps what is stored."""
        self.require(SUPER_ADMINS)
        form = ConnectionsForm(request.POST)
        if not form.is_valid() or not self._save_secrets(form):
            return self.render_to_response(self.get_context_data(connections_form=form))
        if form.cleaned_data["codescreen_api_key"]:
            notify.request_catalog_refresh(self.organization)
        notify.notify_workers()
        return redirect(return_url(request, reverse("settings")))

    def _save_secrets(self, form: ConnectionsForm) -> bool:
        savers = (
            ("lever_signature_token", save_main_token, "The signature token is stored."),
            (
                "codescreen_api_key",
                save_codescreen_key,
                "The API key is stored; CodeScreen is asked whether it accepts it.",
            ),
            (
                "codescreen_webhook_secret",
                save_codescreen_webhook_secret,
                "The webhook secret is stored.",
            ),
        )
        saved = []
        for name, save, message in savers:
            value = form.cleaned_data[name]
            if not value:
                continue
            try:
                save(self.organization, value, self.user)
            except ValidationError as error:
                form.add_error(name, error)
            else:
                saved.append(message)
        if self._save_idempotency(form):
            saved.append("The Idempotency-Key setting is stored.")
        if not form.errors and not saved:
            messages.info(self.request, "Nothing was changed: all fields were empty.")
        for message in saved:
            messages.success(self.request, message)
        return not form.errors

    def _save_idempotency(self, form: ConnectionsForm) -> bool:
        posted = {"codescreen_form", "codescreen_idempotency"} & self.request.POST.keys()
        if not posted:
            return False
        is_honoured = form.cleaned_data["codescreen_idempotency"]
        return save_codescreen_idempotency(self.organization, is_honoured, self.user)


def _last_passed(webhooks: list[LeverWebhook]) -> datetime | None:
    """Return when Lever last proved itself, by a delivery or a test request."""
    moments = [
        moment for row in webhooks for moment in (row.last_received_at, row.last_verified_at) if moment
    ]
    return max(moments, default=None)


def _refusal(organization: Any, platform: str, passed_at: datetime | None) -> dict[str, Any]:
    """Return the last refused request and what it looks like."""
    refusal = webhook_rejections.latest(organization, platform)
    if refusal is None:
        return {}
    return {
        f"{platform}_refusal": refusal,
        f"{platform}_refusal_words": webhook_rejections.describe(refusal.code, refusal.hint),
        f"{platform}_refusal_is_over": bool(passed_at and passed_at > refusal.last_at),
    }


def _stored(codescreen: CodeScreenConnection | None) -> dict[str, Any]:
    return {"codescreen_idempotency": bool(codescreen and codescreen.idempotency)}
