"""Who is told what by the portal: a person's own choice, the chat room, and unsubscribing."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from integrations.members.models.membership import ADMINS, SUPER_ADMINS
from integrations.notifications.acts import choose_emails, save_chat_url
from integrations.notifications.alerts import host_of
from integrations.notifications.models.email_kind import EmailKind, read_token
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connections import secret_field
from integrations.pages.views import ActView, OperationView, ProvenChangesMixin


class ChooseEmailsView(OrganizationMixin, ActView):
    """Which e-mails the signed-in person gets from this organization, on the page of their account."""

    following_page = "account"
    anchor = "#e-mails"

    def operate(self, form: Form) -> str | None:
        """Store the choices."""
        posted = self.request.POST
        chosen = {kind: kind.value in posted for kind in EmailKind}
        changed = choose_emails(self.membership, chosen, self.user)
        return "Your e-mails are saved." if changed else None


class ChatRoomForm(forms.Form):
    """Where results and problems are posted."""

    url = secret_field(
        "Webhook address",
        "The address that Slack or Teams shows once. It is kept secret: only its host is shown afterwards.",
        required=True,
    )


class ChatRoomView(OrganizationMixin, ProvenChangesMixin, OperationView):
    """Show who is told what; on POST enter the chat room, or remove it."""

    template_name = "integrations/notification_settings.html"
    form_class = ChatRoomForm
    error_field = "url"
    following_page = "notification-settings"

    def check_role(self, request: HttpRequest) -> None:
        """Let Admins look, and Super Admins change it."""
        self.require(ADMINS if request.method in {"GET", "HEAD"} else SUPER_ADMINS)

    def get_form_class(self) -> type[BaseForm]:
        """Return the form; the button that removes the room posts no address."""
        return Form if "remove" in self.request.POST else ChatRoomForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            kinds=list(EmailKind), chat_host=host_of(self.organization.chat_url), **kwargs
        )

    def operate(self, form: Form) -> str | None:
        """Store the room. A new one has got its first message by then."""
        url = form.cleaned_data.get("url", "")
        if not save_chat_url(self.organization, url, self.user):
            return None
        return "The first message is in the room." if url else "Nothing is posted to the room any more."


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class UnsubscribeView(View):
    """Unsubscribe from one kind of e-mail by the link in it: GET asks, POST does it (RFC 8058).

    The token is the proof, so neither a session nor a CSRF token is needed: a mail program has none.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask; GET changes nothing, since mail scanners open every link."""
        return self._answer(request, token, is_done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Unsubscribe; safe to run twice."""
        return self._answer(request, token, is_done=True)

    def _answer(self, request: HttpRequest, token: str, *, is_done: bool) -> HttpResponse:
        unsubscription = read_token(token)
        if unsubscription is None:
            return render(request, "integrations/unsubscribe.html", {"is_unknown": True}, status=404)
        member, kind = unsubscription
        if is_done:
            choose_emails(member, {kind: False}, member.user)
        context = {"about": kind.label, "sender": member.organization.name, "is_done": is_done}
        return render(request, "integrations/unsubscribe.html", context)
