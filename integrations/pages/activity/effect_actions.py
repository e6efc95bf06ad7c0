"""The button for one effect: retry."""

from django.shortcuts import get_object_or_404

from integrations.models import Effect
from integrations.models.membership import TEAM
from integrations.pages.activity.row_action import RowActionView
from integrations.workflow.operations.effects import retry_effect


class RetryEffectView(RowActionView):
    """Retry a failed effect."""

    allowed_roles = TEAM

    def perform(self, pk: int) -> str:
        """Make the effect due now."""
        effect = get_object_or_404(Effect, pk=pk, organization=self.organization)
        retry_effect(effect, self.user)
        return "It is tried again now."
