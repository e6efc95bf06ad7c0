"""The wording of the organization's e-mails: edit, preview, send oneself a test, reset."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.generic import TemplateView, View

from integrations.members.models.membership import ADMINS
from integrations.notifications import rendering
from integrations.notifications.acts import enqueue_sample, reset_wording, save_wording
from integrations.notifications.models.email_kind import EmailKind, EmailWording
from integrations.notifications.models.preferences import EmailTemplate
from integrations.notifications.notices import (
    checked_wording,
    current_wording,
    render_sample,
    stored_template,
)
from integrations.pages.access import OrganizationMixin
from integrations.queue import notify

_DRAFTS = "email_drafts"


class EmailListView(OrganizationMixin, TemplateView):
    """List the kinds of e-mail, each in the default or the customer's own wording."""

    template_name = "integrations/emails.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the kinds, with when the customer last changed their wording."""
        changed_at = dict(
            EmailTemplate.objects.filter(organization=self.organization).values_list("kind", "updated_at")
        )
        kinds = [(kind, changed_at.get(kind)) for kind in EmailKind]
        return super().get_context_data(kinds=kinds, **kwargs)


class EmailKindView(OrganizationMixin, View):
    """A page about one kind of e-mail."""

    allowed_roles = ADMINS

    def check_role(self, request: HttpRequest) -> None:
        """Check the role before the kind, so that others don't learn which kinds there are."""
        super().check_role(request)
        if self.kwargs["kind"] not in EmailKind:
            raise Http404

    @property
    def kind(self) -> EmailKind:
        """The kind that the address names."""
        return EmailKind(self.kwargs["kind"])

    @property
    def draft(self) -> EmailWording | None:
        """The wording that the person previewed last and hasn't saved."""
        draft = self.request.session.get(_DRAFTS, {}).get(self._draft_key)
        return EmailWording(*draft) if draft else None

    def keep_draft(self, draft: EmailWording | None) -> None:
        """Keep a draft in the session for the preview; None removes it."""
        drafts = {**self.request.session.get(_DRAFTS, {})}
        drafts.pop(self._draft_key, None)
        if draft is not None:
            drafts[self._draft_key] = [draft.subject, draft.body]
        self.request.session[_DRAFTS] = drafts

    @property
    def _draft_key(self) -> str:
        return f"{self.organization.pk}:{self.kind}"


class EmailEditView(EmailKindView, TemplateView):
    """Edit one kind's wording; a draft can be previewed and sent to oneself before it is saved."""

    template_name = "integrations/email_edit.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Allow the preview's frame, on this page alone."""
        policy = {**settings.SECURE_CSP, "frame-src": settings.SECURE_CSP["connect-src"]}
        return csp_override(policy)(super().dispatch)(request, *args, **kwargs)

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

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the stored wording; a draft is dropped."""
        self.keep_draft(None)
        return self._page()

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Preview, save, send a test of, or reset the wording."""
        action = request.POST.get("act", "save")
        if action == "reset":
            self.keep_draft(None)
            if reset_wording(self.organization, self.kind, self.user):
                messages.success(request, "The default wording is back.")
            return redirect("email-edit", kind=self.kind)
        written = EmailWording(request.POST.get("subject", ""), request.POST.get("body", ""))
        try:
            draft = checked_wording(self.kind, written.subject, written.body)
        except ValidationError as error:
            return self._page(shown=written, errors=error.message_dict)
        if action == "save":
            self.keep_draft(None)
            is_changed = save_wording(self.organization, self.kind, draft, self.user)
            messages.success(request, "Saved." if is_changed else "Nothing was changed.")
            return redirect("email-edit", kind=self.kind)
        self.keep_draft(draft)
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


class EmailHtmlView(EmailKindView):
    """The HTML part with sample data, for the preview's frame, which loads nothing."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Allow this site's own pages to frame it."""
        return xframe_options_sameorigin(super().dispatch)(request, *args, **kwargs)

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Render the draft, or the current wording."""
        wording = self.draft or current_wording(self.organization, self.kind)
        email = render_sample(wording, self.kind, self.organization)
        html = rendering.as_html(email, self.organization, f"{settings.PORTAL_URL}/notifications/")
        policy = {
            "default-src": ["'none'"],
            "style-src": [rendering.STYLE_SOURCE],
            "frame-ancestors": ["'self'"],
            "base-uri": ["'none'"],
            "form-action": ["'none'"],
            "sandbox": ["allow-popups"],
        }
        return csp_override(policy)(lambda _: HttpResponse(html))(request)
