"""Builds CodeScreen accounts from seed documents."""

from portal.devtools.sandbox.codescreen.settings import CodeScreenSettings
from portal.devtools.sandbox.codescreen.state import Assessment, CodeScreenAccount
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.json_values import JsonObject, pick
from portal.devtools.sandbox.seed_accounts import ASSESSMENTS, codescreen_account

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
