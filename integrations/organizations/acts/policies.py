"""Change the policies of an organization, and choose the author of its feedback from Lever's active users."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.catalog import lists
from integrations.core.vocabulary import ActionNotAllowed
from integrations.lever.client import LeverClient
from integrations.organizations.acts.waiting import requeue_waiting
from integrations.organizations.models.organization import POLICIES, SECURITY, Organization


def is_less_secure(organization: Organization, values: Mapping[str, object]) -> bool:
    """Whether these policies would end a requirement about security: the person must have proven who they are."""
    return any(getattr(organization, name) and not values.get(name, True) for name in SECURITY)


def set_policies(
    organization: Organization, values: Mapping[str, object], actor: Actor, feedback_author_name: str = ""
) -> Changes:
    """Store policies; return what changed. The end of a pause requeues what waited for it.

    `feedback_author_name` is what Lever calls a new author of feedback, if it was asked.

    Raises ValidationError with the fix, by field.
    """
    unknown = set(values) - set(POLICIES)
    if unknown:
        raise ValidationError(f"No such policy: {', '.join(sorted(unknown))}.")
    changes = {
        name: (getattr(organization, name), value)
        for name, value in values.items()
        if getattr(organization, name) != value
    }
    if not changes:
        return {}
    changed = organization.changed({name: values[name] for name in changes})
    lists.refuse_inviting_target(changed, changes)
    for name in changes:
        setattr(organization, name, getattr(changed, name))
    with transaction.atomic():
        organization.save(update_fields=list(changes))
        if "feedback_author" in changes:  # what Lever said of the earlier one
            organization.feedback_author_name, organization.feedback_author_gone = feedback_author_name, False
            organization.save(update_fields=["feedback_author_name", "feedback_author_gone"])
        if "paused" in changes and not organization.paused:
            requeue_waiting(organization)
        audit(organization, actor, AuditAction.CHANGE_POLICIES, changes)
    return changes


def choose_feedback_author(organization: Organization, lever: LeverClient, user_id: str, actor: Actor) -> str:
    """Store the author with the name that Lever gives; empty means the person who connected. Return the name.

    Raises ActionNotAllowed for somebody who isn't an active user in Lever, and PlatformError.
    """
    name = ""
    if user_id:
        author = next((user for user in lever.active_users() if user.id == user_id), None)
        if author is None:
            raise ActionNotAllowed("Lever doesn't list that user as active: choose another.")
        name = author.name[:300]
    with transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(
            feedback_author_name=name, feedback_author_gone=False
        )
        set_policies(organization, {"feedback_author": user_id}, actor, feedback_author_name=name)
    return name
