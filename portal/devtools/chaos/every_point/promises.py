"""Compares the pretend platforms' books with the promises, and looks for rows that were left without an end."""

from collections.abc import Iterator

from django.db.models.functions import Now

from integrations.audit.models.chain import PORTAL_CHAIN
from integrations.audit.verification import verify_chain
from integrations.core.vocabulary import Platform, ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import DutyRun
from portal.devtools.chaos.every_point.faults import LOSES_ANSWER
from portal.devtools.chaos.every_point.jobs.job import FAILED_TAG, PASSED_TAG
from portal.devtools.chaos.every_point.world import Expected, World, email, opportunity_id
from portal.devtools.sandbox.values import JsonObject

OUR_TAGS = frozenset({*ProgressTag, PASSED_TAG, FAILED_TAG})


def broken_promises(world: World) -> Iterator[str]:
    """Yield a sentence for each promise that the books or the rows show broken."""
    lever, codescreen = world.platforms.ledgers()
    for word, expected in world.expected.items():
        entry = lever["opportunities"][opportunity_id(word)]
        invitations = [item for item in codescreen["invitations"] if item["email"] == email(word)]
        yield from (f"{word}: {what}" for what in _of_candidate(world, word, expected, entry, invitations))
    yield from world.violations
    for promise in world.promises:
        yield from promise()
    yield from _of_rows()
    yield from _of_chains(world)
    yield from _of_lost_answers(world)


def _of_candidate(
    world: World, word: str, expected: Expected, entry: JsonObject, invitations: list[JsonObject]
) -> Iterator[str]:
    deliveries = Delivery.objects.filter(opportunity_id=opportunity_id(word), platform=Platform.LEVER)
    verdicts = sorted(deliveries.values_list("verdict", flat=True))
    if expected.verdicts is not None and verdicts != sorted(map(str, expected.verdicts)):
        yield f"the verdicts are {', '.join(verdicts) or 'none'}, not {', '.join(expected.verdicts)}"
    emails = sum(item["emails_sent"] for item in invitations)
    if emails != expected.emails:
        yield f"CodeScreen sent {emails} invitations, not {expected.emails}"
    rows = Invitation.objects.filter(opportunity_id=opportunity_id(word)).order_by("round", "pk")
    statuses = tuple(rows.values_list("status", flat=True))
    if expected.statuses is not None and statuses != tuple(map(str, expected.statuses)):
        yield f"the portal's invitations are {', '.join(statuses) or 'none'}"
    tags = OUR_TAGS & set(entry["tags"])
    if tags != expected.tags or len(entry["tags"]) != len(set(entry["tags"])):
        yield f"Lever's tags are {sorted(tags)}"
    if len(entry["note_texts"]) not in expected.notes:
        yield f"Lever has {len(entry['note_texts'])} notes"
    if entry["stage"] != world.platforms.stage_id(expected.stage):
        yield f"the candidate isn't in {expected.stage}"
    if expected.alerts is not None and len(world.platforms.alerts) != expected.alerts:
        yield f"{len(world.platforms.alerts)} different alerts arrived, not {expected.alerts}"
    yield from _of_feedback(expected, entry)
    yield from _of_files(expected, entry)


def _of_feedback(expected: Expected, entry: JsonObject) -> Iterator[str]:
    forms = entry["feedback"]
    if len(forms) != (expected.forms if expected.feedback is not None else 0):
        yield f"Lever has {len(forms)} feedback forms"
        return
    if expected.feedback is None or expected.forms > 1:
        return
    fields = forms[0]["fields"]
    for name, value in expected.feedback.items():
        shown = str(fields.get(name) or "")
        if not (shown.startswith(value) if name == "Rating" else shown == value):
            yield f"the feedback's {name} is {shown!r}, not {value!r}"
    link = fields.get("Report link")
    if not link or entry["links"].count(link) != 1:
        yield f"the report link {link!r} is {entry['links'].count(link)} times among Lever's links"


def _of_files(expected: Expected, entry: JsonObject) -> Iterator[str]:
    """One report for each candidate with a result, however often it changed."""
    files = expected.feedback is not None if expected.files is None else expected.files
    if len(entry["files"]) != files:
        yield f"Lever has {len(entry['files'])} reports"


def _of_rows() -> Iterator[str]:
    for delivery in Delivery.objects.filter(verdict=""):
        yield f"delivery {delivery.pk} has no verdict: {delivery.last_error}"
    for effect in Effect.objects.exclude(state__in=[Effect.State.DONE, Effect.State.CANCELLED]):
        yield f"effect {effect.pk} ({effect.kind}) is {effect.state}: {effect.last_error}"
    for effect in Effect.objects.filter(state=Effect.State.CANCELLED, last_error="", end_reason=""):
        yield f"effect {effect.pk} ({effect.kind}) was cancelled without a reason"
    for model in (Delivery, Effect, DutyRun):
        for row in model.objects.filter(leased_until__gt=Now()):
            yield f"{row} is still leased, though nobody works on it"


def _of_chains(world: World) -> Iterator[str]:
    """Audit entries and verdicts are all there, as they were written, also beside erasures."""
    for chain in (PORTAL_CHAIN, world.organization.pk):
        faults: list[str] = []
        verify_chain(chain, faults.append)
        yield from (f"chain {chain}: {fault}" for fault in faults)


def _of_lost_answers(world: World) -> Iterator[str]:
    """An invitation may be uncertain only if CodeScreen's answer really was lost, and never with a key.

    Likewise Lever's grant ends only if the answer to a refresh was lost: a refresh token is used once.
    """
    lost = [one for one in world.injector.happened if one.fault.kind in LOSES_ANSWER]
    if not any(one.was_in_flight for one in lost):
        for word in world.uncertain:
            yield f"{word}: the invitation was uncertain although CodeScreen's answer wasn't lost"
    if world.lost_grants > sum(one.was_refreshing for one in lost):
        yield "Lever's grant was lost"
