"""What holds for every stored secret: audited masked, encrypted at rest, unchanged when saved again."""

from integrations.codescreen.acts import save_codescreen_key, save_codescreen_webhook_secret
from integrations.lever.acts import save_main_token
from integrations.lever.models.webhook import LeverWebhook
from tests.support import factories
from tests.support.factories import recorded


def test_saved_secrets_are_audited_without_their_values(organization, super_admin):
    save_main_token(organization, "signature-1", super_admin)
    save_main_token(organization, "signature-2", super_admin)
    save_codescreen_key(organization, "key-1", super_admin)
    save_codescreen_webhook_secret(organization, factories.WEBHOOK_SECRET, super_admin)
    save_codescreen_webhook_secret(organization, "", super_admin)
    entries = list(recorded().order_by("pk"))
    assert len(entries) == 5
    assert {entry.actor for entry in entries} == {super_admin}
    kept = str([entry.changes for entry in entries])
    assert all(secret not in kept for secret in ("signature-", "key-1", "whsec_"))
    assert entries[1].changes == {"signature_token": ["set", "set"]}
    assert entries[-1].changes == {"webhook_secret": ["set", "empty"]}


def test_saving_the_same_secrets_again_changes_nothing(organization, super_admin):
    for _ in range(2):
        save_main_token(organization, "signature-1", super_admin)
        save_codescreen_key(organization, "key-1", super_admin)
        save_codescreen_webhook_secret(organization, factories.WEBHOOK_SECRET, super_admin)
    assert recorded().count() == 3
    assert LeverWebhook.objects.get().previous_signature_token == ""
