"""The button that tests CodeScreen's API key."""

from integrations.clients import provider
from integrations.pages.settings.platform_action import PlatformActionView
from integrations.workflow.operations.codescreen_connection import verify_codescreen_key


class VerifyCodeScreenKeyView(PlatformActionView):
    """Ask CodeScreen whether it accepts the stored key, even one that it refused before."""

    anchor = "#codescreen"

    def perform(self) -> str:
        """List the assessments with the key."""
        codescreen = provider.codescreen_client(self.organization, allow_refused=True)
        count = verify_codescreen_key(self.organization, codescreen)
        noun = "assessment" if count == 1 else "assessments"
        return f"CodeScreen accepts the key and lists {count} {noun}."
