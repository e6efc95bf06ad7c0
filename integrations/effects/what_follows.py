"""What comes next after a result, in the words of its feedback in Lever.

It is read from the rows as they are now, each time that the feedback is written.
"""

from collections.abc import Iterator
from datetime import timedelta

from integrations.catalog.lists import stage_name_in_copy
from integrations.core.invitation_status import ON_THE_WAY
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.send_window import zone_of
from integrations.core.verdict_code import NO_TEST, VerdictCode
from integrations.core.vocabulary import DeliveryEvent, ReentryPolicy, ResultOutcome
from integrations.effects.further import (
    are_passed,
    awaits_next,
    first_of,
    is_last,
    latest_following,
    open_beside,
    sent_next,
)
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.invitations.rules import role_rules_of
from integrations.notifications.links import timeline_link

SENT_AGAIN = (
    "It was sent to the candidate again after this result. The progress tag now shows that later round. Its result "
    "comes in its own feedback."
)
AFTER_OTHERS = "Another assessment follows once the candidate has passed all that were sent together."
SENT_AUTOMATICALLY = "Another assessment follows: it is sent automatically."
NOTHING_MORE = "Nothing more is sent. Your team decides in Lever what comes next."


def what_follows(invitation: Invitation, result: Result) -> str:
    """Return what comes next, in sentences that name nobody."""
    if invitation.has_later_round_sent():
        return SENT_AGAIN
    return " ".join(_sentences(invitation, result))


def _sentences(invitation: Invitation, result: Result) -> Iterator[str]:
    following = sent_next(invitation)
    if following is not None:
        if following.status in ON_THE_WAY:
            yield _next(invitation)
        else:
            yield (
                f"“{following.assessment_name}” was sent to the candidate after this one. The progress tag now shows "
                "that one. Its result comes in its own feedback."
            )
        if not result.counts_as_pass:
            yield "Then this result changed: your team decides whether that one still counts."
        return
    others = [f"“{other.assessment_name}”" for other, _tag in open_beside(invitation)]
    if others:
        yield f"The candidate also has {' and '.join(others)}. The progress tag is about that."
    if result.counts_as_pass:
        yield _after_pass(invitation)
        return
    yield NOTHING_MORE
    is_failed = result.counts_as_pass is False  # None where neither Passed nor Failed is stated
    if is_failed and role_rules_of(invitation).hold_failed:
        yield "Somebody of your team then says in the CodeScreen integration what was decided."
    yield _how_to_invite_again(invitation, result)


def _after_pass(invitation: Invitation) -> str:
    if awaits_next(invitation):
        if are_passed(invitation):
            return _next(invitation)
        return AFTER_OTHERS
    stage = role_rules_of(invitation).stage_on_pass.strip()
    if not is_last(invitation) or not stage:
        return NOTHING_MORE
    name = stage_name_in_copy(invitation.organization, stage) or stage  # the rules may have its id
    return f"The candidate is moved to the stage “{name}”, unless somebody has moved them before."


def _next(invitation: Invitation) -> str:
    """Return what is said of the next assessment, which wasn't sent yet."""
    following = latest_following(invitation)
    if following is None:
        return _not_yet_invited(invitation)
    if following.status in {Status.PENDING, Status.SENDING}:
        return SENT_AUTOMATICALLY
    name = following.assessment_name
    if following.status == Status.WITHDRAWN:
        again = "It is sent when the candidate is moved into the stage again."
        return f"“{name}” would follow, but was cancelled. {again}"
    return f"“{name}” follows, but is {following.words.phrase}. {following.words.next_step}"


def _not_yet_invited(invitation: Invitation) -> str:
    """Return what is said of the next assessment while the candidate has no invitation to it."""
    decided = Delivery.objects.filter(after=first_of(invitation), event=DeliveryEvent.NEXT).first()
    if decided is None or decided.verdict not in NO_TEST:
        return SENT_AUTOMATICALLY
    verdict = VerdictCode(decided.verdict).record
    return f"Another assessment follows, but wasn't sent: {verdict.phrase}. {verdict.next_step}"


def _how_to_invite_again(invitation: Invitation, result: Result) -> str:
    """Return how the candidate gets the assessment again, by the rules for who enters the stage again."""
    rules = role_rules_of(invitation)
    stage = f"“{invitation.stage_name}”" if invitation.stage_name else "the stage"
    move_again = f"move them out of {stage} and back in."
    page = timeline_link(invitation.opportunity_id)
    ask_admin = f"an Admin chooses “Send again…” in the CodeScreen integration: {page}"
    if rules.reentry == ReentryPolicy.AFTER_EXPIRY and result.outcome == ResultOutcome.EXPIRED:
        return f"To invite the candidate again, {move_again}"
    if rules.reentry == ReentryPolicy.AFTER_DAYS and invitation.completed_at is not None:
        first_time = invitation.completed_at + timedelta(days=rules.reentry_days)
        day = first_time.astimezone(zone_of(invitation.organization.time_zone))
        return f"To invite the candidate again from {day:%-d %B %Y} on, {move_again} Before that, {ask_admin}"
    return f"To invite the candidate again, {ask_admin}"
