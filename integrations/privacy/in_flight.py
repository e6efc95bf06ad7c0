"""Stop what is under way for an erased person, and remove them from e-mails to the team: no worker writes them back."""

from django.db.models.functions import Now

from integrations.case.reconcile import changing
from integrations.core.invitation_status import ON_THE_WAY, FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.notices import EmailPayload
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.email import EMPTY_EMAIL
from integrations.outbox.kinds.report_file import enqueue_report_removal
from integrations.outbox.models.effect import Effect, EffectQuerySet
from integrations.outbox.perform import EFFECT_KINDS
from integrations.privacy.concerned import ERASED, Subject, containing

#: The causes after which nothing of the portal's that may name the person stays in Lever.
FORGOTTEN_IN_LEVER = frozenset({ErasureCause.FORGOTTEN, ErasureCause.ANONYMIZED})
_NO_LEASE: dict[str, object] = {"leased_until": None, "lease_owner": ""}


def end_journeys(organization: Organization, subject: Subject) -> set[int]:
    """Cancel what wasn't sent, and ask CodeScreen about nothing any more; return the keys of what was changed.

    One that is being sent at this moment is cancelled too. Its worker records the instance if the call went through.
    """
    with changing(organization, subject.opportunity_id) as case:
        ending = [invitation for invitation in case.invitations if invitation.erased_at is None]
        for invitation in ending:
            changes: dict[str, object] = {"erased_at": case.now, "next_poll_at": None}
            changes["following_ended_reason"] = ERASED
            if not invitation.following_ended:
                changes |= {
                    "following_ended": FollowingEnd.ERASED.value,
                    "following_ended_at": case.now,
                }
            if invitation.status in ON_THE_WAY:
                changes |= {"stopped_by_user": True, "changed_at": case.now, "status": Status.WITHDRAWN.value}
            invitation.change(**changes)
    return {invitation.pk for invitation in ending}


def mark_erased(subject: Subject) -> set[int]:
    """Let the candidate's row say that the person was erased; return its key unless it says so already."""
    rows = Candidate.objects.filter(**subject.own, erased_at__isnull=True)
    keys = set(rows.values_list("pk", flat=True))
    Candidate.objects.filter(pk__in=keys).update(erased_at=Now())
    return keys


def stop_effects(subject: Subject) -> set[int]:
    """Cancel the effects that aren't done, also those that a worker holds; return their keys.

    E-mails are not among them (see `emails`), nor is the removal of a report. A worker whose lease was taken away finds
    that before it sends.
    """
    rows = Effect.objects.filter(**subject.own).filter(
        kind__in=[kind for kind, record in EFFECT_KINDS.items() if record.is_stopped_by_erasure]
    )
    ending = rows.exclude(state__in=[Effect.State.DONE, Effect.State.CANCELLED])
    keys = set(ending.values_list("pk", flat=True))
    Effect.objects.filter(pk__in=keys).update(
        state=Effect.State.CANCELLED,
        due_at=None,
        last_error="",
        end_reason=Effect.EndReason.ERASED,
        **_NO_LEASE,
    )
    return keys


def remove_reports(subject: Subject, cause: str) -> None:
    """Let the reports be removed that the portal attached in Lever, where the person is to be forgotten there too.

    Who was deleted in Lever has none left there; retention is about the portal's own rows.
    """
    if cause not in FORGOTTEN_IN_LEVER:
        return
    attached = Invitation.objects.filter(
        **subject.own,
        effects__kind=Effect.Kind.ATTACH_REPORT,
        effects__attempt_started_at__isnull=False,
    )
    for invitation in attached.select_related("organization").distinct():
        enqueue_report_removal(invitation)


def take_back_deliveries(subject: Subject, deciding: Delivery | None) -> None:
    """Take away the leases on deliveries: they are decided again, by what is known now; so are those given up."""
    rows = Delivery.objects.filter(**subject.own)
    if deciding is not None:
        rows = rows.exclude(pk=deciding.pk)
    rows.filter(leased_until__isnull=False).update(**_NO_LEASE)
    rows.filter(STUCK).update(due_at=Now())


def emails_of_nobody(subject: Subject) -> list[int]:
    """Return the keys of the e-mails that belong to no candidate and mention the person; reads all of these e-mails.

    One that waits and only goes to the person's address is none of them.
    """
    rows: EffectQuerySet = Effect.objects.filter(
        organization=subject.organization_id, opportunity_id="", kind=Effect.Kind.SEND_EMAIL
    )
    found = containing(rows, ["payload"], subject).values_list("pk", "state", "payload")
    return [
        pk
        for pk, state, payload in found.iterator()
        if subject.is_mentioned(
            EmailPayload.from_json(payload).texts if state == Effect.State.DUE else payload
        )
    ]


def waiting_emails(subject: Subject) -> list[int]:
    """Return the keys of the opportunity's own e-mails that aren't sent yet."""
    rows = Effect.objects.filter(**subject.own, kind=Effect.Kind.SEND_EMAIL, state=Effect.State.DUE)
    return list(rows.values_list("pk", flat=True))


def erase_emails(keys: list[int]) -> set[int]:
    """Empty these e-mails, and cancel those that aren't sent yet; return their keys.

    A worker that is sending one loses its lease, so that it can't write the text back.
    """
    rows = Effect.objects.filter(pk__in=keys)
    rows.filter(state=Effect.State.DUE).update(
        state=Effect.State.CANCELLED, due_at=None, end_reason=Effect.EndReason.ERASED, **_NO_LEASE
    )
    rows.update(payload=EMPTY_EMAIL, last_error="", traceback="", **_NO_LEASE)
    return set(keys)
