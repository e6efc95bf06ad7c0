"""The button that invites everybody who is offered, since they may be invited already."""

from integrations.pages.activity.row_action import RowActionView
from integrations.workflow.operations.offered import invite_offered


class InviteOfferedView(RowActionView):
    """Invite the candidates that a sweep offers."""

    def perform(self, pk: int) -> str:
        """Have those decided who were offered up to delivery `pk`, the last that the person was shown."""
        count = invite_offered(self.organization, self.user, pk, self.reason())
        candidates = "1 candidate" if count == 1 else f"{count} candidates"
        return f"{candidates} will be decided now, and invited where nothing prevents it."
