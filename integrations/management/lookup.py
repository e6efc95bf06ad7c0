"""Find the rows that a command's arguments name."""

from difflib import get_close_matches

from django.core.management import CommandError

from integrations.models import Delivery, Invitation, Organization


def organizations_named(slug: str | None) -> list[Organization]:
    """Return that organization alone, without a slug all of them. Raises CommandError for an unknown slug."""
    return [organization_named(slug)] if slug else list(Organization.objects.order_by("slug"))


def organization_named(slug: str) -> Organization:
    """Return the organization with that slug. Raises CommandError, with the most similar slug, when there is none."""
    try:
        return Organization.objects.get(slug=slug)
    except Organization.DoesNotExist:
        known = list(Organization.objects.order_by("slug").values_list("slug", flat=True))
    close = get_close_matches(slug, known, n=1, cutoff=0.5)
    if close:
        hint = f"Did you mean {close[0]}?"
    elif known:
        hint = f"There are: {', '.join(known[:20])}."
    else:
        hint = "There is none yet: make one with `manage.py configure FILE.toml`."
    raise CommandError(f"There is no organization {slug!r}. {hint}")


def invitation_with_id(invitation_id: int) -> Invitation:
    """Return the invitation with its organization. Raises CommandError when there is none."""
    invitation = Invitation.objects.select_related("organization").filter(pk=invitation_id).first()
    if invitation is None:
        raise CommandError(f"There is no invitation {invitation_id}. `export invitations` lists them.")
    return invitation


def delivery_with_id(delivery_id: int) -> Delivery:
    """Return the delivery with its organization. Raises CommandError when there is none."""
    delivery = Delivery.objects.select_related("organization").filter(pk=delivery_id).first()
    if delivery is None:
        raise CommandError(f"There is no delivery {delivery_id}. `export deliveries` lists them.")
    return delivery
