"""The Notifications page, and the wording of an e-mail: edit, preview, send oneself a test, reset."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.members.models.membership import ADMINS, SUPER_ADMINS
from integrations.notifications import rendering
from integrations.notifications.acts import enqueue_sample, reset_wording, save_wording
from integrations.notifications.models.email_kind import EmailKind, EmailWording
from integrations.notifications.models.preferences import AlertAddress, EmailTemplate
from integrations.notifications.notices import (
    checked_wording,
    current_wording,
    render_sample,
    stored_template,
)
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.alerts import AddressesView, AddressForm
from integrations.queue import notify


class NotificationSettingsView(AddressesView):
    """List the kinds of e-mail, each in the default or the customer's own wording.

    To Super Admins also the chat rooms that alerts are posted to; they add one on POST.
    """

    template_name = "integrations/notification_settings.html"
    kind = AlertAddress.Kind.SLACK
    form_class = AddressForm
    following_page = "notification-settings"
    anchor = "#rooms"

    def check_role(self, request: HttpRequest) -> None:
        """Let Admins look, and Super Admins add a room."""
        self.require(ADMINS if request.method in {"GET", "HEAD"} else SUPER_ADMINS)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the kinds, with when the customer last changed their wording."""
        changed_at = dict(
            EmailTemplate.objects.filter(organization=self.organization).values_list("kind", "updated_at")
        )
        kinds = [(kind, changed_at.get(kind)) for kind in EmailKind]
        return super().get_context_data(kinds=kinds, **kwargs)


class EmailEditView(OrganizationMixin, TemplateView):
    """Edit one kind's wording; a draft can be previewed and sent to oneself before it is saved."""

    template_name = "integrations/email_edit.html"
    allowed_roles = ADMINS

    def check_role(self, request: HttpRequest) -> None:
        """Check the role before the kind, so that others don't learn which kinds there are."""
        super().check_role(request)
        if self.kwargs["kind"] not in EmailKind:
            raise Http404

    @property
    def kind(self) -> EmailKind:
        return EmailKind(self.kwargs["kind"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the wording, or the draft in `shown`, and its preview unless it has errors."""
        definition = self.kind.record
        context = super().get_context_data(
            label=self.kind.label,
            purpose=definition.purpose,
            variables=definition.variables,
            names=" ".join(definition.variables),
            is_own=stored_template(self.organization, self.kind) is not None,
            address=self.user.email,
            **kwargs,
        )
        shown = context.setdefault("shown", current_wording(self.organization, self.kind))
        if not context.get("errors"):
            email = render_sample(shown, self.kind, self.organization)
            context["email"] = email
            context["text"] = rendering.as_text(
                email, self.organization, f"{settings.PORTAL_URL}/unsubscribe/…/"
            )
        return context

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Preview, save, send a test of, or reset the wording."""
        action = request.POST.get("act", "save")
        if action == "reset":
            if reset_wording(self.organization, self.kind, self.user):
                messages.success(request, "The default wording is back.")
            return redirect("email-edit", kind=self.kind)
        written = EmailWording(request.POST.get("subject", ""), request.POST.get("body", ""))
        try:
            draft = checked_wording(self.kind, written.subject, written.body)
        except ValidationError as error:
            return self._page(shown=written, errors=error.message_dict)
        if action == "save":
            is_changed = save_wording(self.organization, self.kind, draft, self.user)
            messages.success(request, "Saved." if is_changed else "Nothing was changed.")
            return redirect("email-edit", kind=self.kind)
        if action == "test":
            self._send_test(draft)
        return self._page(shown=draft, is_draft=True)

    def _page(self, **context: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(kind=self.kind, **context))

    def _send_test(self, draft: EmailWording) -> None:
        address = self.user.email
        if not address:
            messages.error(self.request, "Your account has no e-mail address. Ask a Super Admin to add one.")
            return
        enqueue_sample(self.organization, self.kind, draft, address)
        notify.notify_workers()
        messages.success(self.request, f"A test with sample data is on its way to {address}.")
