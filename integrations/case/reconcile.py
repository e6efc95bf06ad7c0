"""Change a candidate's invitations, and make the effects fit what Lever is to show then."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models.functions import Now

from integrations.case.case import Case
from integrations.case.wanted import Message, Want, Wanted, wait_of, wanted
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.notify import notify_members
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import enqueue
from integrations.store import database

#: Why an effect that waits isn't performed any more, by its kind.
NO_LONGER_WANTED: dict[str, str] = {
    Effect.Kind.SET_PROGRESS_TAG: "A later status replaced this one.",
    Effect.Kind.SET_RESULT_TAG: "A later result replaced this one.",
    Effect.Kind.WRITE_FEEDBACK: "A later result replaced this one.",
    Effect.Kind.ATTACH_REPORT: "A later result replaced this one.",
    Effect.Kind.MOVE_STAGE: "The result has changed since. It no longer leads to the next stage.",
    Effect.Kind.LEAVE_NOTE: "The candidate no longer waited for this.",
}
BY_A_PERSON = "A person cancelled the invitation."
#: What stays as it is in Lever where nothing else takes its place.
STAYS = frozenset(
    {
        Effect.Kind.SET_PROGRESS_TAG,
        Effect.Kind.SET_RESULT_TAG,
        Effect.Kind.WRITE_FEEDBACK,
        Effect.Kind.ATTACH_REPORT,
    }
)
#: The effects of a cancelled invitation that no worker may begin any more.
_UNSENT_STATES = [Effect.State.DUE, Effect.State.UNCERTAIN, Effect.State.FAILED]


@contextmanager
def changing(organization: Organization, opportunity_id: str, *, has_rows: bool = True) -> Iterator[Case]:
    """Read a candidate's rows and lock them; what follows from the changes made within is enqueued at the end.

    Nothing else changes where an invitation stands. An act that locks the organization too locks that first.
    With `has_rows` false no rows are read: the holder of the organization's lock has just found none.
    """
    with transaction.atomic(savepoint=False):
        if has_rows:
            case = Case.read(organization, opportunity_id, is_locked=True)
        else:
            case = Case(organization, opportunity_id, database.now())
        before, stated = wanted(case), _stated(case)
        yield case
        reconcile(case, before)
        for invitation in case.invitations:
            if (outcome := _stated(case)[invitation.pk]) != stated.get(invitation.pk, ""):
                Candidate.objects.record_outcome(invitation, outcome)


def reconcile(case: Case, before: Wanted | None = None) -> None:
    """Make the effects fit what is wanted: enqueue, cancel, make due again. A second time nothing is written.

    `before` is what was wanted before the present change; without it, nothing has happened just now.
    """
    after = wanted(case)
    former = after if before is None else before
    known = {want.identity for want in former.effects}
    for invitation in case.invitations:
        _fit_sending(case, invitation)
    for want in after.effects:
        if not (want.is_event and want.identity in known):
            _fit(case, want)
    _cancel_unwanted(case, after)
    told = {message.identity for message in former.messages}
    for message in after.messages:
        if message.identity not in told:
            _tell(case, message)


def is_replaced(effect: Effect) -> bool:
    """Whether an effect that is about to be performed has been replaced by a later one about the same.

    One that a worker holds isn't cancelled by a change, and may be tried again later: so its step asks here.
    """
    is_later = "organization_id = %s AND opportunity_id = %s AND kind = %s AND about = %s AND id > %s"
    own = effect.organization_id, effect.opportunity_id, effect.kind, effect.about, effect.pk
    return effect.about != "" and database.is_there(Effect, is_later, *own)


def _fit(case: Case, want: Want) -> None:
    """Enqueue what is wanted, unless the latest effect about the same says it already."""
    earlier = case.effects_about(want.kind, want.about)
    last = earlier[-1] if earlier else None
    if last is not None and last.version == want.version:
        # by a step too: it asks everything again, so that what a recruiter decided still holds
        is_cancelled = last.state == Effect.State.CANCELLED and last.end_reason != Effect.EndReason.ERASED
        if is_cancelled and not want.once:
            Effect.objects.filter(pk=last.pk).make_due()
        return
    number = want.version if want.once else str(len(earlier) + 1)
    enqueue(
        case.organization.pk,
        want.kind,
        f"{case.opportunity_id}:{want.about}:{number}",
        want.payload,
        want.priority,
        about=want.about,
        version=want.version,
        opportunity_id=case.opportunity_id,
        invitation=want.invitation,
        delivery=want.delivery or (case.decided.delivery if case.decided else None),
    )


def _cancel_unwanted(case: Case, after: Wanted) -> None:
    """Cancel effects that wait and are no longer wanted.

    Of those that stay in Lever only what a newer version replaces is cancelled; of notes only those about a wait.
    """
    identities = {want.identity for want in after.effects}
    replaced = {want.identity[:2] for want in after.effects}
    waits = {wait_of(invitation) for invitation in case.invitations}
    unwanted = [
        effect
        for effect in case.effects
        if effect.waits_untried
        and effect.kind in NO_LONGER_WANTED
        and (effect.kind, effect.about, effect.version) not in identities
        and (effect.kind not in STAYS or (effect.kind, effect.about) in replaced)
        and (effect.kind != Effect.Kind.LEAVE_NOTE or effect.about in waits)
        and effect.about
    ]
    for effect in unwanted:
        _cancel(effect, NO_LONGER_WANTED[effect.kind])


def _fit_sending(case: Case, invitation: Invitation) -> None:
    """Let the one effect that sends an invitation be due while it is to be sent, and end when it isn't."""
    own = [
        effect
        for effect in case.effects
        if effect.kind == Effect.Kind.SEND_INVITATION and effect.invitation_id == invitation.pk
    ]
    if not own:
        if invitation.status == Status.PENDING:
            enqueue(
                case.organization.pk,
                Effect.Kind.SEND_INVITATION,
                str(invitation.pk),
                invitation=invitation,
                delivery=case.decided.delivery if case.decided else None,
            )
        return
    effect = own[-1]
    if invitation.status == Status.PENDING:
        if effect.state != Effect.State.DUE:
            Effect.objects.filter(pk=effect.pk).make_due(attempt_started_at=None)
    elif invitation.status in {Status.WITHDRAWN, Status.HELD} and effect.state in _UNSENT_STATES:
        # a call that was refused has certainly not sent it
        was_refused = effect.state == Effect.State.FAILED and invitation.first_call_at is None
        refused = {"attempt_started_at": None} if was_refused else {}
        # a person's own words may name somebody, and exports have an effect's reason
        _cancel(effect, BY_A_PERSON if invitation.stopped_by_user else invitation.status_reason, **refused)
    elif invitation.instance_id and effect.state == Effect.State.UNCERTAIN:
        rows = Effect.objects.filter(pk=effect.pk, state=Effect.State.UNCERTAIN)
        rows.update(state=Effect.State.DONE, done_at=Now(), last_error="")


def _cancel(effect: Effect, reason: str, **changes: object) -> None:
    """Cancel an effect that no worker holds."""
    Effect.objects.filter(pk=effect.pk, leased_until__isnull=True).update(
        state=Effect.State.CANCELLED,
        due_at=None,
        last_error=reason,
        end_reason=Effect.EndReason.NOT_WANTED,
        **changes,
    )


def _tell(case: Case, message: Message) -> None:
    notify_members(
        case.organization,
        message.topic,
        f"{message.invitation.pk}:{message.version}:{case.now.isoformat()}",
        subject=message.subject,
        lines=message.lines,
        invitation=message.invitation,
        holds_while=message.holds_while,
        at_most_every=message.at_most_every,
    )


def _stated(case: Case) -> dict[int, str]:
    """Return what CodeScreen states of each invitation that is completed; empty for the others."""
    return {
        invitation.pk: case.results[invitation.pk].outcome
        if invitation.status == Status.COMPLETED and invitation.pk in case.results
        else ""
        for invitation in case.invitations
    }
