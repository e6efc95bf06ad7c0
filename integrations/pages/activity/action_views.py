"""The buttons on the activity pages: approve, refuse, resolve, send or invite again, stop, retry, decide again."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.generic import TemplateView, View

from integrations.http.errors import PlatformError
from integrations.models import Delivery, Effect, Invitation
from integrations.pages.access import ADMINS, TEAM, OrganizationMixin, back_to
from integrations.pages.activity.action_forms import ReasonForm, ResolveForm
from integrations.pages.activity.candidate import shown
from integrations.pages.activity.verdicts import next_step
from integrations.queue import notify, worker
from integrations.workflow.operations import invitations


class ActView(OrganizationMixin, View):
    """One act of a person on one row; says what came of it and returns to where they were."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Act; a state that doesn't allow it becomes a message."""
        try:
            messages.success(request, self.act(pk))
            notify.notify_workers()
        except (invitations.ActionNotAllowed, PlatformError) as error:
            messages.error(request, str(error))
        return redirect(back_to(request, reverse("activity")))

    def act(self, pk: int) -> str:
        """Do it and return the message."""
        raise NotImplementedError

    def invitation(self, pk: int) -> Invitation:
        """Return this organization's invitation, or 404."""
        return get_object_or_404(Invitation, pk=pk, organization=self.organization)

    def reason(self) -> str:
        """Return what the person gave as the reason."""
        form = ReasonForm(self.request.POST)
        return str(form.cleaned_data["reason"]) if form.is_valid() else ""


class ApproveView(ActView):
    """Let a held invitation go out."""

    def act(self, pk: int) -> str:
        """Approve."""
        invitations.approve(self.invitation(pk), self.person, self.reason())
        return "Approved: the invitation goes out by itself."


class RefuseView(ActView):
    """Don't send a held invitation."""

    def act(self, pk: int) -> str:
        """Refuse."""
        invitations.refuse(self.invitation(pk), self.person, self.reason())
        return "Refused: nothing is sent."


class ResolveAsSentView(ActView):
    """Say that an uncertain invitation reached CodeScreen."""

    def act(self, pk: int) -> str:
        """Record the instance that CodeScreen shows."""
        invitation, form = self.invitation(pk), ResolveForm(self.request.POST)
        if not form.is_valid():
            raise invitations.ActionNotAllowed(
                "Give the instance id that CodeScreen shows for this candidate."
            )
        invitations.resolve_as_sent(invitation, form.cleaned_data["instance_id"], self.person, self.reason())
        return "Recorded: the portal follows this invitation from here on."


class SendAgainView(ActView):
    """Send an uncertain or failed invitation again."""

    def act(self, pk: int) -> str:
        """Send it again."""
        invitations.send_again(self.invitation(pk), self.person, self.reason())
        return "The invitation is sent again."


class InviteAgainView(ActView):
    """Begin a new round of an invitation that is over."""

    def act(self, pk: int) -> str:
        """Invite again."""
        again = invitations.invite_again(self.invitation(pk), self.person, self.reason())
        return f"Round {again.round} begins: the invitation goes out by itself."


class StopFollowingView(ActView):
    """Stop following an invitation that hasn't been started."""

    def act(self, pk: int) -> str:
        """Stop."""
        invitations.stop_following(self.invitation(pk), self.person, self.reason())
        return "Stopped: the portal no longer asks CodeScreen about this invitation."


class DecidedView(ActView):
    """Say that it was decided what becomes of a candidate who failed."""

    allowed_roles = TEAM

    def act(self, pk: int) -> str:
        """Record it; in Lever nothing is done."""
        invitations.record_decision(self.invitation(pk), self.person, self.reason())
        return "Recorded: this candidate no longer waits. In Lever the portal changes nothing."


class RetryEffectView(ActView):
    """Try a failed effect again."""

    allowed_roles = TEAM

    def act(self, pk: int) -> str:
        """Make it due."""
        invitations.retry_effect(
            get_object_or_404(Effect, pk=pk, organization=self.organization), self.person
        )
        return "It is tried again now."


class DeliveryView(OrganizationMixin, TemplateView):
    """One delivery: its verdict, its payload, and for Admins what would happen if it were decided again."""

    template_name = "integrations/delivery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read it; with `?preview` decide it dry, by the same code as the real run."""
        found = Delivery.objects.select_related("invitation")
        delivery = get_object_or_404(found, pk=self.kwargs["pk"], organization=self.organization)
        may_replay = self.membership.may_configure and delivery.platform == Delivery.Platform.LEVER
        context = super().get_context_data(
            delivery=delivery,
            next_step=next_step(delivery.verdict, delivery.invitation.status if delivery.invitation else ""),
            now=timezone.now(),
            payload=shown(delivery.payload),
            may_replay=may_replay,
            **kwargs,
        )
        if may_replay and "preview" in self.request.GET:
            try:
                context["decision"] = worker.preview(delivery)
            except (invitations.ActionNotAllowed, PlatformError) as error:
                context["preview_error"] = str(error)
        return context


class ReplayView(ActView):
    """Decide a stored delivery again."""

    def act(self, pk: int) -> str:
        """Replay it."""
        delivery = get_object_or_404(Delivery, pk=pk, organization=self.organization)
        decision = worker.replay(delivery, self.person)
        return f"Decided again: {decision.explanation}"
