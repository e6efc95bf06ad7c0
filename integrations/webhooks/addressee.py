"""Whose webhook it is, by the key in the address."""

from dataclasses import dataclass

from integrations.models import FormerWebhookKey, Organization


@dataclass(frozen=True)
class Addressee:
    """The organization that a key belongs to, and the former key where it isn't the present one."""

    organization: Organization
    former_key: FormerWebhookKey | None = None


def find_addressee(key: str) -> Addressee | None:
    """Return the organization with this webhook key, or with a former one that is still honoured.

    The present keys are looked up first: a key is replaced and stored as a former one in one transaction, so a key that
    isn't found as a present one any more is found as a former one.
    """
    organization = Organization.objects.filter(webhook_key=key).only("pk").first()
    if organization is not None:
        return Addressee(organization)
    former = FormerWebhookKey.objects.honoured().filter(key=key).select_related("organization").first()
    return Addressee(former.organization, former) if former else None
