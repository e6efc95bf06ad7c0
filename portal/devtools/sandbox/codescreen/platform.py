"""The pretend CodeScreen as a whole: its accounts by slug and key, its reports, and the webhook sender."""

from portal.devtools.sandbox.codescreen.journey import Journey
from portal.devtools.sandbox.codescreen.settings import CodeScreenSettings
from portal.devtools.sandbox.codescreen.state import Assessment, CodeScreenAccount, Instance
from portal.devtools.sandbox.seed import ASSESSMENTS, codescreen_account
from portal.devtools.sandbox.values import JsonObject, pick, stable_id
from portal.devtools.sandbox.webhook_sender import WebhookSender

SEED_SETTINGS = ("metadata", "idempotency", "conflict_409", "webhook_url", "webhook_secret")


def build_account(slug: str, document: JsonObject) -> CodeScreenAccount:
    """Return an account as a seed document describes it; what it leaves out is as in the default seed."""
    document = codescreen_account(slug, slug.title(), ASSESSMENTS) | document
    settings = CodeScreenSettings()
    settings.update({name: document[name] for name in SEED_SETTINGS if name in document})
    settings.update(pick(document, "settings", dict, {}))
    account = CodeScreenAccount(slug, document["name"], document["api_key"], settings)
    for item in document["assessments"]:
        made = Assessment(
            pick(item, "id", str, stable_id(slug, "assessment", item["name"])),
            item["name"],
            float(item.get("days_to_start", 7)),
            float(item.get("days_to_finish", 3)),
            pick(item, "unit_tests", int, 20),
        )
        account.assessments[made.id] = made
    return account


class CodeScreenPlatform:
    """What every endpoint of the pretend CodeScreen works on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sender = WebhookSender("CodeScreen-Webhooks", timeout=15, obeys_answers=True)
        self.journey = Journey(self.sender, url)
        self.accounts: dict[str, CodeScreenAccount] = {}
        self._by_key: dict[str, CodeScreenAccount] = {}
        self._reports: dict[tuple[str, str], tuple[CodeScreenAccount, Instance]] = {}

    def add_account(self, slug: str, document: JsonObject) -> CodeScreenAccount:
        """Add an account, or replace the one of that slug."""
        account = build_account(slug, document)
        earlier = self.accounts.get(slug)
        if earlier is not None:
            self._by_key.pop(earlier.api_key, None)
        self.accounts[slug] = account
        self._by_key[account.api_key] = account
        return account

    def change_key(self, account: CodeScreenAccount, key: str) -> None:
        """Give an account another API key; the old one stops working at once."""
        self._by_key.pop(account.api_key, None)
        account.api_key = key
        self._by_key[key] = account

    def account_with_key(self, key: str) -> CodeScreenAccount | None:
        """Return the account an API key belongs to."""
        return self._by_key.get(key)

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Invite a candidate, and make the report findable by its address."""
        self.journey.invite(account, instance)
        self._reports[instance.report] = (account, instance)

    def report_url(self, instance: Instance) -> str:
        """Return the address of a candidate's report."""
        first, second = instance.report
        return f"{self.url}/client-result/1/{first}/{second}"

    def find_report(self, first: str, second: str) -> tuple[CodeScreenAccount, Instance] | None:
        """Return the account and the candidate of the report at an address, or None."""
        return self._reports.get((first, second))
