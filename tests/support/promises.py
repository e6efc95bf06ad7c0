"""What people were promised, compared with what the pretend platforms hold and with the rows, after any history."""

from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

from django.db.models import Q

from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.pages.candidate.card import card_of_candidate
from integrations.pages.candidate.rows import CandidateRows
from integrations.privacy.models import Erasure
from portal.devtools.chaos.every_point.platforms import ACCOUNT
from portal.devtools.sandbox.codescreen.state import Instance, Phase
from portal.devtools.sandbox.lever.records import Opportunity
from portal.devtools.sandbox.values import stable_id
from tests.privacy.traces import traces
from tests.support.history import HOLD_TAG, ONE, OTHER, ROLES, STAGE, TAKE_HOME, History, own


def why_not_to_send(history: History, instance: Instance) -> str:
    """Return why this wasn't to be sent, by what Lever and the rules say now; empty when it was."""
    rows = own(Invitation).filter(Q(instance_id=instance.id) | Q(status=Invitation.Status.UNCERTAIN))
    row = rows.filter(assessment_id=instance.assessment.id).order_by("instance_id").last()
    found = history.lever.opportunities.get(row.opportunity_id) if row else None
    name = instance.assessment.name
    if row is None or found is None or found.archived:
        return f"{name} was sent to somebody archived, or gone"
    if Erasure.objects.forbids(row.organization_id, found.id):
        return f"{name} was sent to somebody erased"
    if row.is_chosen or row.is_fixed:
        return ""
    stages = {stable_id(ACCOUNT, "stage", one): one for one in (STAGE, TAKE_HOME)}
    if found.stage not in stages:
        return f"{name} was sent to somebody who had left the stage"
    if HOLD_TAG in found.tags and "extra_time" not in row.held_for:
        return f"{name} was sent without the extra time"
    role = next(one for one in ROLES if stable_id(ACCOUNT, "posting", one) == found.posting_id)
    mapped = dict(row.organization.role_mappings.filter(role=role).values_list("stage", "assessment"))
    is_named = row.held_for or any(tag.startswith("CodeScreen ") for tag in found.tags)
    if not is_named and mapped.get(stages[found.stage], mapped.get("")) != name:
        return f"{name} was sent, and the mappings say {mapped}"
    return ""


def check(history: History) -> None:
    """Raise an AssertionError that names each promise that is broken; called when all is at rest."""
    broken = [*history.wrongly_sent, *history.elsewhere.changes(), *of_rows(history), *of_person(history)]
    for word in (ONE, OTHER):
        found = history.lever.opportunities.get(history.id_of(word))
        if found is not None and not own(Erasure).filter(opportunity_id=found.id).exists():
            broken += [f"{word}: {what}" for what in of_candidacy(history, found)]
    assert not broken, "\n".join(broken)


def of_rows(history: History) -> Iterator[str]:
    """Nothing is lost: each row has its end, or waits with a reason."""
    erased = set(own(Erasure).values_list("opportunity_id", flat=True))
    for one in own(Delivery):
        is_explained = one.explanation or one.opportunity_id in erased
        if not one.verdict or not is_explained or one.due_at or one.verdict in {"paused", "disconnected"}:
            yield f"delivery {one.pk} ({one.event}) is {one.verdict or 'undecided'}: {one.last_error}"
    for effect in own(Effect).exclude(state="done"):
        is_expected = effect.state in {"failed", "uncertain"} and effect.kind == "send_invitation"
        is_explained = effect.reason or effect.opportunity_id in erased  # an erasure takes the reason too
        if (effect.state != "cancelled" and not is_expected) or not is_explained:
            yield f"effect {effect.pk} ({effect.kind}) is {effect.state}: {effect.reason}"
    for row in own(Invitation):
        if row.status in {"pending", "sending"}:
            yield f"invitation {row.pk} is {row.status} for good"
        needs_reason = row.status in {"held", "uncertain", "failed", "withdrawn"} and not row.erased_at
        if needs_reason and not row.status_reason:
            yield f"invitation {row.pk} is {row.status} without a reason"


def of_person(history: History) -> Iterator[str]:
    """Nobody is invited twice, unless somebody or a rule asked for it; of erased people nothing is left."""
    sent = Counter(one.assessment.id for one in history.sent())
    for assessment_id, times in sent.items():
        if times > 1 + history.asked.get(assessment_id, 0):
            yield f"{history.codescreen.assessments[assessment_id].name} was sent {times} times"
    if kept := own(Invitation).filter(erased_at__isnull=False).exclude(candidate_name="", email=""):
        yield f"of the erased person are kept {list(kept)}"
    ids = [history.id_of(word) for word in (ONE, OTHER)]
    is_erased = own(Erasure).filter(opportunity_id__in=ids).count() == len(ids)
    if is_erased and (places := traces("Candidate Tamarack", *history.addresses)):
        yield f"the erased person is still in {', '.join(places)}"


def of_candidacy(history: History, found: Opportunity) -> Iterator[str]:
    """Lever shows what is so, each thing once, and the portal says where the candidate stands."""
    rows = list(
        own(Invitation).filter(opportunity_id=found.id).exclude(instance_id="").order_by("invited_at")
    )
    instances = {row.pk: history.codescreen.instances[row.instance_id] for row in rows}
    tags = {tag for tag in found.tags if tag in set(ProgressTag)}
    if len(found.tags) != len(set(found.tags)):
        yield f"a tag is there twice: {found.tags}"
    allowed = expected_tags(history, rows, instances)
    if rows and (len(tags) != 1 or not tags <= allowed):
        yield f"the progress tags are {sorted(tags)}, not one of {sorted(allowed)}"
    moves = found.writes.get("stage", 0)
    passed = {row.assessment_id for row in rows for one in row.results.all() if _as_pass(one)}
    if moves > len(passed):
        yield f"moved {moves} times, after {len(passed)} assessments were passed"
    yield from of_results(history, found, rows, instances)
    candidate = own(Candidate).filter(opportunity_id=found.id).first()
    if candidate is None and own(Invitation).filter(opportunity_id=found.id).exists():
        yield "not in the list of candidates"
    if candidate is not None:
        card = card_of_candidate(CandidateRows(history.organization, found.id))
        if not card.title or not (card.next_step or card.result):
            yield f"isn't told what is next: {card}"


def expected_tags(
    history: History, rows: list[Invitation], instances: dict[int, Instance]
) -> set[ProgressTag]:
    """Return the progress tags of which the candidate has one: by the latest that is open, else that is over.

    Of an assessment the last round counts, also where CodeScreen opens an earlier one again.
    """
    latest = {
        row.assessment_id: row for row in sorted(rows, key=attrgetter("round")) if row.status != "withdrawn"
    }
    live = [row for row in rows if row in latest.values()]
    known = set(own(Invitation).values_list("instance_id", flat=True))
    is_lost = history.lost and any(one.id not in known for one in history.sent())
    if not live or is_lost:
        return set(
            ProgressTag
        )  # what was cancelled leaves its tag, and so does a sending that a restore lost
    is_open = [row for row in live if instances[row.pk].phase is not Phase.COMPLETE]
    row = (is_open or live)[-1]
    match instances[row.pk].phase:
        case Phase.COMPLETE if instances[row.pk].result == "Expired":
            return {ProgressTag.EXPIRED}
        case Phase.COMPLETE:
            return {ProgressTag.COMPLETED}
        case Phase.NOT_STARTED:
            days = (history.clock.now() - row.followed_since).days
            return {ProgressTag.NOT_STARTED_YET if days >= 3 else ProgressTag.INVITED}
    return {ProgressTag.IN_PROGRESS}


def _as_pass(result: Result) -> bool | None:
    """Return whether CodeScreen stated Passed or Failed, or stated nothing and the score meets the bar or not."""
    if result.outcome in {"Passed", "Failed"}:
        return result.outcome == "Passed"
    if result.outcome or result.bar is None or result.score is None:
        return None
    return result.score >= result.bar


def of_results(
    history: History, found: Opportunity, rows: list[Invitation], instances: dict[int, Instance]
) -> Iterator[str]:
    """Each latest result stands in Lever once: as feedback, link, file and tag."""
    forms = [form for form in found.feedback.values() if form.deleted_at is None]
    fields = [{field["text"]: field["value"] or "" for field in form.fields} for form in forms]
    links = history.lever.contact_of(found).links
    for row in rows:
        latest, instance = row.results.order_by("attempt").last(), instances[row.pk]
        name = f"{row.assessment_name}, round {row.round}"
        own = [one for one in fields if one.get("Reference") == row.reference]
        files = [file for file in found.files.values() if row.reference in file.name]
        # of a result that a restore lost the feedback stands, also when CodeScreen no longer states it
        allowed = (
            {0, 1}
            if latest is None and (found.id, row.assessment_id) in history.lost
            else {latest is not None}
        )
        if len(own) not in allowed or len(files) > 1:
            yield f"{name}: {len(own)} feedback forms, {len(files)} files"
        if latest is None or len(own) != 1:
            continue
        is_complete, is_followed = instance.phase is Phase.COMPLETE, row.status != "withdrawn"
        if (
            is_followed
            and is_complete
            and (latest.score, latest.outcome) != (instance.score, instance.result or "")
        ):
            yield f"{name}: CodeScreen's result wasn't recorded"
        score = "" if latest.score is None else f"{float(latest.score):g}"
        if not own[0]["CodeScreen score"].startswith(score) or latest.outcome not in own[0]["Result"]:
            yield f"{name}: the feedback says {own[0]}, not {latest}"
        if links.count(own[0]["Report link"]) != 1:
            yield f"{name}: the report's link is there {links.count(own[0]['Report link'])} times"
        if not files and "attach_report" not in history.changed_rules:
            yield f"{name}: no report is attached"
    said = {row.assessment_name: result for row in rows if (result := row.results.order_by("attempt").last())}
    # of a result that a restore lost, and nobody reads again, the tag stands as the feedback does
    lost = {row.assessment_name for row in rows if (found.id, row.assessment_id) in history.lost}
    for name in {row.assessment_name for row in rows} - (lost - said.keys()):
        counts = _as_pass(said[name]) if name in said else None
        shown = (f"{name}: passed" in found.tags, f"{name}: failed" in found.tags)
        if shown != (counts is True, counts is False):
            yield f"{name}: the tags (passed, failed) are {shown}, and it counts as passed: {counts}"
