"""The settings: the API key, the extensions, and the webhook."""

from portal.devtools.sandbox.account_pages import back
from portal.devtools.sandbox.codescreen.pages.base import CodeScreenPages
from portal.devtools.sandbox.codescreen.signature import is_secret, new_secret
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import readable

EXTENSIONS = ("metadata", "idempotency", "conflict_409")
DELIVERIES_SHOWN = 50


class SettingsPages(CodeScreenPages):
    """The page where an account's settings are changed."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/<account:account>/settings"
        return [Route("GET", path, self.settings), Route("POST", path, self.change_settings)]

    def settings(self, request: Request) -> Response:
        """Show the key, the extensions, the webhook, and its latest deliveries."""
        account = self.account(request)
        with account.lock:
            return self.show_table(
                request,
                account,
                "settings.html",
                "settings",
                title="Settings",
                headings=("Sent", "Event", "State", "Last answer"),
                rows=[
                    {"at": readable(delivery.created_at), "delivery": delivery}
                    for delivery in account.deliveries[: -DELIVERIES_SHOWN - 1 : -1]
                ],
                if_empty="Nothing was sent yet.",
            )

    def change_settings(self, request: Request) -> Response:
        """Save the settings, or make a new key or secret."""
        account = self.account(request)
        here = f"/{account.slug}/settings"
        action = request.field("action")
        with account.lock:
            if action == "new-key":
                self._platform.change_key(account, new_id())
                return back(here, done="There is a new API key; the old one no longer works.")
            if action == "new-secret":
                account.settings.webhook_previous_secret = account.settings.webhook_secret
                account.settings.webhook_secret = new_secret()
                return back(here, done="There is a new webhook secret.")
            secret, url = request.field("webhook_secret"), request.field("webhook_url")
            if secret and not is_secret(secret):
                return back(here, problem="The secret has to be whsec_ and 24 to 64 bytes in base64.")
            if url and not url.startswith(("http://", "https://")):
                return back(here, problem="The webhook URL has to start with https:// or http://.")
            extensions: JsonObject = {name: request.field(name) == "on" for name in EXTENSIONS}
            account.settings.update(extensions | {"webhook_url": url, "webhook_secret": secret})
            account.settings.webhooks_enabled = True
        return back(here, done="Settings saved.")
