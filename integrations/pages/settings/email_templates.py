"""The wording and the branding of the organization's e-mails: edit, preview, send oneself a test, reset."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.crypto import get_random_string
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.generic import TemplateView, View

from integrations.models import Effect, EmailKind, EmailTemplate, Organization
from integrations.pages.access import ADMINS, OrganizationMixin
from integrations.pages.settings.branding_form import BrandingForm
from integrations.queue import notify
from integrations.workflow.email import templates
from integrations.workflow.email.templates import EmailWording
from integrations.workflow.operations import connections
from integrations.workflow.outbox import enqueue

CODESCREEN_TEMPLATES = "https://app.codescreen.com/#/client-templates"
_DRAFTS = "email_drafts"


class EmailListView(OrganizationMixin, TemplateView):
    """Every kind of e-mail with whose wording holds, and the branding around them."""

    template_name = "integrations/emails.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read which kinds the customer has worded."""
        own = dict(
            EmailTemplate.objects.filter(organization=self.organization).values_list("kind", "updated_at")
        )
        kinds = [
            {
                "code": code,
                "label": label,
                "purpose": templates.EMAIL_TYPES[code].purpose,
                "changed_at": own.get(code),
            }
            for code, label in EmailKind.choices
        ]
        context = super().get_context_data(kinds=kinds, codescreen_templates=CODESCREEN_TEMPLATES, **kwargs)
        context.setdefault("branding_form", BrandingForm(instance=self.organization))
        return context

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save the branding; the page again, with the reasons, when something is wrong."""
        form = BrandingForm(request.POST, instance=Organization.objects.get(pk=self.organization.pk))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(branding_form=form))
        if form.changed_values():
            connections.set_policies(self.organization, form.changed_values(), self.person)
            messages.success(request, "The branding is stored. Every e-mail from now on has it.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect("emails")


class EmailKindView(OrganizationMixin, View):
    """A page about one kind of e-mail."""

    allowed_roles = ADMINS
    kind: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Keep the kind."""
        super().setup(request, *args, **kwargs)
        self.kind = kwargs["kind"]

    def check_role(self, request: HttpRequest) -> None:
        """Check the role first: who may not edit doesn't learn which kinds there are."""
        super().check_role(request)
        if self.kind not in templates.EMAIL_TYPES:
            raise Http404

    @property
    def draft(self) -> EmailWording | None:
        """What the person last previewed and hasn't saved."""
        drafts = self.request.session.get(_DRAFTS, {})
        found = drafts.get(f"{self.organization.pk}:{self.kind}")
        return EmailWording(*found) if found else None

    def keep_draft(self, draft: EmailWording | None) -> None:
        """Keep a draft for the preview, or forget it."""
        name = f"{self.organization.pk}:{self.kind}"
        drafts = {key: value for key, value in self.request.session.get(_DRAFTS, {}).items() if key != name}
        if draft is not None:
            drafts[name] = [draft.subject, draft.body]
        self.request.session[_DRAFTS] = drafts


class EmailEditView(EmailKindView, TemplateView):
    """Edit one kind's wording; a draft can be previewed and sent to oneself before it is saved."""

    template_name = "integrations/email_edit.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Allow the preview's frame, on this page alone."""
        policy = {**settings.SECURE_CSP, "frame-src": settings.SECURE_CSP["connect-src"]}
        return csp_override(policy)(super().dispatch)(request, *args, **kwargs)

    def _context(self, **more: Any) -> dict[str, Any]:
        return self.get_context_data(kind=self.kind, **more)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show what holds, or the draft, with its preview."""
        own = templates.stored_wording(self.organization, self.kind)
        kind = templates.EMAIL_TYPES[self.kind]
        context = super().get_context_data(
            label=EmailKind(self.kind).label,
            purpose=kind.purpose,
            variables=kind.variables,
            names=" ".join(kind.variables),
            is_own=own is not None,
            address=self.person.email,
            **kwargs,
        )
        shown = context.setdefault("shown", templates.current_wording(self.organization, self.kind))
        if not context.get("errors"):
            letter = templates.render(shown, templates.sample(self.kind, self.organization))
            context["letter"] = letter
            context["text"] = templates.as_text(
                letter, self.organization, f"{settings.PORTAL_URL}/unsubscribe/…/"
            )
        return context

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Begin anew from what is stored."""
        self.keep_draft(None)
        return self.render_to_response(self._context())

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Preview, save, send a test of, or reset what was written."""
        act = request.POST.get("act", "save")
        if act == "reset":
            return self._reset()
        written = EmailWording(request.POST.get("subject", ""), request.POST.get("body", ""))
        try:
            draft = templates.check(self.kind, written.subject, written.body)
        except ValidationError as error:
            return self.render_to_response(self._context(shown=written, errors=error.message_dict))
        if act == "save":
            self.keep_draft(None)
            changed = templates.save(self.organization, self.kind, draft, self.person)
            said = "The wording is stored." if changed else "Nothing was changed."
            messages.success(request, said)
            return redirect("email-edit", kind=self.kind)
        self.keep_draft(draft)
        if act == "test":
            self._send_test(draft)
        return self.render_to_response(self._context(shown=draft, is_draft=True))

    def _reset(self) -> HttpResponse:
        self.keep_draft(None)
        if templates.reset(self.organization, self.kind, self.person):
            messages.success(self.request, "The portal's own wording holds again.")
        return redirect("email-edit", kind=self.kind)

    def _send_test(self, draft: EmailWording) -> None:
        if not self.person.email:
            messages.error(self.request, "Your account has no e-mail address. Ask a Super Admin to add one.")
            return
        enqueue.enqueue(
            self.organization,
            Effect.Kind.SEND_EMAIL,
            f"test:{get_random_string(16)}",
            payload={
                "kind": self.kind,
                "subject": f"Test: {EmailKind(self.kind).label}",
                "lines": [],
                "variables": templates.sample(self.kind, self.organization),
                "wording": [f"[Test] {draft.subject}", draft.body],
                "recipients": [self.person.email],
                "is_direct": True,
            },
            priority=8,
        )
        notify.notify_workers()
        messages.success(self.request, f"A test with sample data is on its way to {self.person.email}.")


class EmailHtmlView(EmailKindView):
    """The HTML part with sample data, for the preview's frame: it may load the logo and nothing else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with a policy of its own, framed by this site alone."""
        return xframe_options_sameorigin(super().dispatch)(request, *args, **kwargs)

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Render the draft, or what holds."""
        shown = self.draft or templates.current_wording(self.organization, self.kind)
        letter = templates.render(shown, templates.sample(self.kind, self.organization))
        html = templates.as_html(letter, self.organization, f"{settings.PORTAL_URL}/notifications/")
        policy = {
            "default-src": ["'none'"],
            "img-src": [templates.logo_origin(self.organization) or "'none'"],
            "style-src": [templates.style_source()],
            "frame-ancestors": ["'self'"],
            "base-uri": ["'none'"],
            "form-action": ["'none'"],
            "sandbox": ["allow-popups"],
        }
        return csp_override(policy)(lambda _: HttpResponse(html))(request)
