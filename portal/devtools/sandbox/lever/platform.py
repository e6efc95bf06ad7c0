"""The pretend Lever as a whole: its accounts, its grants and its sender of webhooks."""

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.grants import Client, Grants
from portal.devtools.sandbox.webhook_sender import WebhookSender


class LeverPlatform:
    """What every endpoint of the pretend Lever works on."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self.sender = WebhookSender("Lever-Webhooks", timeout=5, obeys_answers=False)
        self.accounts: dict[str, LeverAccount] = {}
        self.grants = Grants(url, client)
        self.audiences = {f"{url}/v1/", f"{url.replace('127.0.0.1', 'localhost')}/v1/"}

    def add_account(self, account: LeverAccount) -> LeverAccount:
        """Add an account, or replace the one of its slug and with it its grants."""
        self.grants.revoke(account.slug)
        self.accounts[account.slug] = account
        return account
