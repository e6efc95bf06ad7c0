"""What holds for every stored secret: audited masked, encrypted at rest, unchanged when saved again."""

from integrations.codescreen.acts import save_codescreen_key, save_codescreen_webhook_secret
from integrations.lever.acts import save_main_token
from integrations.lever.models.webhook import LeverWebhook
from tests.support import factories
from tests.support.factories import recorded


def test_saving_the_same_secrets_again_changes_nothing(organization, super_admin):
    for _ in range(2):
        save_main_token(organization, "signature-1", super_admin)
        save_codescreen_key(organization, "key-1", super_admin)
        save_codescreen_webhook_secret(organization, factories.WEBHOOK_SECRET, super_admin)
    assert recorded().count() == 3
    assert LeverWebhook.objects.get().previous_signature_token == ""
