"""The pretend Lever as a whole: its accounts, the grants on them, and the webhook sender."""

from urllib.parse import urlsplit

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.behaviour.loading import build_account
from portal.devtools.sandbox.lever.settings import LeverSettings
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.grants import Client, Grants
from portal.devtools.sandbox.webhook_sender import WebhookSender


class LeverPlatform:
    """What every endpoint of the pretend Lever works on."""

    def __init__(self, url: str, client: Client, defaults: LeverSettings) -> None:
        self.url = url
        self.defaults = defaults
        self.sender = WebhookSender("Lever-Webhooks", timeout=5, obeys_answers=False)
        self.accounts: dict[str, LeverAccount] = {}
        self.grants = Grants(f"{url}/", f"{url}/v1/", client)
        address = urlsplit(url)
        hosts = {address.netloc.rpartition(":")[0], "127.0.0.1", "localhost"}
        self.audiences = {f"http://{host}:{address.port}/v1/" for host in hosts}

    def add_account(self, slug: str, document: JsonObject) -> LeverAccount:
        """Add an account, or replace the one of that slug and with it its grants."""
        account = build_account(slug, document, self.sender, self.defaults)
        self.grants.revoke(slug)
        self.accounts[slug] = account
        return account
