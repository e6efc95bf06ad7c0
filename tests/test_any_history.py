"""Whatever happens to a candidate, in whatever order: people get what they were promised.

HISTORIES in the environment says how many histories are played, such as 10000; the fast suite plays a few.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.pages.candidate.card import card_of_candidate
from integrations.pages.candidate.rows import CandidateRows
from integrations.privacy.models import Erasure
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.faults import FaultKind
from portal.devtools.chaos.every_point.platforms import Platforms
from portal.devtools.sandbox.codescreen.state import Instance
from portal.devtools.sandbox.codescreen.state import Phase as Standing
from portal.devtools.sandbox.lever.records import Opportunity
from tests.privacy.traces import traces
from tests.support.history import (
    AFTER_PASS,
    HOLD_TAG,
    ONE,
    OTHER,
    OUTSIDE,
    REFUSALS,
    STAGE,
    TAKE_HOME,
    History,
    Wire,
    undone,
)

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = int(os.environ.get("HISTORIES", "0"))
FEW = 15


def event(name: str, *arguments: Any, **more: Any) -> st.SearchStrategy[Any]:
    """Return the events of a name: each argument is one value, or a list of which one is drawn."""
    drawn = [st.sampled_from(one) if isinstance(one, list) else st.just(one) for one in arguments]
    named = {key: st.sampled_from(one) for key, one in more.items()}
    return st.tuples(st.just(name), st.tuples(*drawn), st.fixed_dictionaries(named))


WORDS = [ONE, ONE, OTHER]
ROLES, ASSESSMENTS = ["Backend Engineer", "Frontend Engineer"], ["Backend", "Frontend Developer"]
FAULTS = [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.TOO_MANY, FaultKind.ERROR, 404]
ENTERS = event("move", WORDS, [STAGE, STAGE, TAKE_HOME])
CANDIDATE = event("codescreen_does", [0, 1], ["start", "submit", "expire", "reopen", "bounce"])
RESULTS = [None, "Passed", "Failed"]
FINISH = event("finish", [0, 1], [90, 40, None], RESULTS)
REGRADE = event("codescreen_does", [0, 1], "regrade", score=[90, 40, None], result=RESULTS)
WORK = event("work")
EVENTS = st.one_of(
    *[WORK] * 8,  # first: the shortest history is full of what is first here
    *[ENTERS] * 6,
    *[event("move", WORDS, [OUTSIDE, AFTER_PASS])] * 3,
    *[CANDIDATE] * 6,
    *[FINISH] * 4,
    *[REGRADE] * 2,
    event("rest"),
    event("pass_time", [timedelta(minutes=5), timedelta(hours=2), timedelta(days=2), timedelta(days=8)]),
    st.one_of(
        event("change_posting", WORDS, ROLES),
        event("tag", WORDS, [HOLD_TAG, "CodeScreen Frontend Developer"]),
        event("untag", WORDS, [HOLD_TAG, "CodeScreen Backend"]),
        event("correct_email", "tamarack.new@candidates.example"),
        event("archive", WORDS),
        event("unarchive", WORDS),
        event("lose_webhooks"),
        event("sweep"),
    ),
    st.one_of(
        event("map_role", ROLES, ["", TAKE_HOME], ASSESSMENTS),
        event("unmap_role", ROLES, ["", TAKE_HOME]),
        event("approve_each", ROLES, ["always", ""]),
        event("set_rule", "stage_on_pass", [AFTER_PASS, TAKE_HOME, ""]),
        event("set_rule", ["note_on_skip", "attach_report", "paused"], [True, False]),
        event("set_rule", "passing_score", [70, None]),
        event("set_rule", "reentry_days", [1, 0]),
        event("disconnect"),
        event("reconnect"),
    ),
    st.one_of(
        *[event(act, WORDS) for act in ("approve", "cancel", "resolve", "send_again", "invite_again")],
        event("choose", WORDS, ["", *ASSESSMENTS]),
    ),
    event("fail", ["Lever", "CodeScreen"], ["read", "write"], FAULTS),
    st.one_of(event("back_up"), event("restore")),
    st.one_of(event("anonymize"), event("delete", WORDS), event("forget_person", WORDS)),
)
type Event = tuple[str, tuple[Any, ...], dict[str, Any]]
MOVED: Event = ("move", (ONE, STAGE), {})
WORKED: Event = ("work", (), {})
STARTED: Event = ("codescreen_does", (0, "start"), {})
PASSED: Event = ("finish", (0, 90, "Passed"), {})
#: Most histories begin where a candidate was invited: else little happens in them.
BEGINNINGS = st.sampled_from(
    [
        [],
        [MOVED],
        [MOVED, WORKED],
        [MOVED, WORKED, STARTED],
        [MOVED, WORKED, PASSED],
        [MOVED, WORKED, PASSED, WORKED],
    ]
)


@pytest.fixture
def new_history(settings) -> Iterator[Callable[[], History]]:
    """Return what begins a history, each with platforms and rows of its own."""
    clock = PretendClock()
    wire = Wire(clock)
    platforms = Platforms(0, 0, clock)
    settings.LEVER_AUTH_URL = platforms.lever.url
    settings.LEVER_API_URL = f"{platforms.lever.url}/v1"
    settings.LEVER_AUDIENCE = f"{platforms.lever.url}/v1/"
    settings.CODESCREEN_API_URL = f"{platforms.codescreen.url}/api"
    settings.LEVER_RATE, settings.LEVER_BURST = 1000.0, 1_000_000
    logging.disable()  # of what the faults lead to
    with undone(), platforms.reachable(wire):
        yield lambda: History(platforms, clock, wire)
    logging.disable(logging.NOTSET)
    for server in (platforms.lever, platforms.codescreen):
        server.stop()


def test_any_history_keeps_the_promises(new_history) -> None:
    @given(BEGINNINGS, st.lists(EVENTS, min_size=4, max_size=14))
    @settings(
        max_examples=HISTORIES or FEW,
        deadline=None,
        database=None,
        derandomize=not HISTORIES,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    def play(beginning: list[Any], events: list[Any]) -> None:
        with new_history() as history:
            try:
                for name, arguments, more in [*beginning, *events, ("rest", (), {})]:
                    happen(history, name, arguments, more)
                    if name == "rest":
                        check(history)
            finally:
                note("\n".join(["What happened:", *history.lines]))

    play()


def happen(history: History, name: str, arguments: tuple[Any, ...], more: dict[str, Any]) -> None:
    """Let an event happen, if it can."""
    told = [*(getattr(one, "value", one) for one in arguments), *more.items()]
    history.lines.append(f"{name.replace('_', ' ')} {', '.join(map(str, told))}".strip())
    try:
        getattr(history, name)(*arguments, **more)
    except REFUSALS as error:
        history.lines[-1] += f" (can't: {str(error)[:80]})"


def check(history: History) -> None:
    """Compare what the platforms hold, and the rows, with the promises; called when all is at rest."""
    broken = [*of_rows(history), *of_person(history)]
    for word in (ONE, OTHER):
        found = history.lever.opportunities.get(history.id_of(word))
        if found is not None and not Erasure.objects.filter(opportunity_id=found.id).exists():
            broken += [f"{word}: {what}" for what in of_candidacy(history, found)]
    broken += of_repetition(history)
    assert not broken, "\n".join(broken)


def of_rows(history: History) -> Iterator[str]:
    """Nothing is lost: each row has its end, or waits with a reason."""
    erased = set(Erasure.objects.values_list("opportunity_id", flat=True))
    for one in Delivery.objects.all():
        is_explained = one.explanation or one.opportunity_id in erased
        if not one.verdict or not is_explained or one.due_at or one.verdict in {"paused", "disconnected"}:
            yield f"delivery {one.pk} ({one.event}) is {one.verdict or 'undecided'}: {one.last_error}"
    for effect in Effect.objects.exclude(state="done"):
        is_expected = effect.state in {"failed", "uncertain"} and effect.kind == "send_invitation"
        is_explained = effect.reason or effect.opportunity_id in erased  # an erasure takes the reason too
        if (effect.state != "cancelled" and not is_expected) or not is_explained:
            yield f"effect {effect.pk} ({effect.kind}) is {effect.state}: {effect.reason}"
    for row in Invitation.objects.all():
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
    ids = [history.id_of(word) for word in (ONE, OTHER)]
    is_erased = Erasure.objects.filter(opportunity_id__in=ids).count() == len(ids)
    if is_erased and (places := traces("Candidate Tamarack", *history.addresses)):
        yield f"the erased person is still in {', '.join(places)}"


def of_candidacy(history: History, found: Opportunity) -> Iterator[str]:
    """Lever shows what is so, each thing once, and the portal says where the candidate stands."""
    rows = list(
        Invitation.objects.filter(opportunity_id=found.id).exclude(instance_id="").order_by("invited_at")
    )
    instances = {row.pk: history.codescreen.instances[row.instance_id] for row in rows}
    tags = {tag for tag in found.tags if tag in set(ProgressTag)}
    if len(found.tags) != len(set(found.tags)):
        yield f"a tag is there twice: {found.tags}"
    allowed = expected_tags(history, rows, instances)
    if rows and (len(tags) != 1 or not tags <= allowed):
        yield f"the progress tags are {sorted(tags)}, not one of {sorted(allowed)}"
    moves = found.writes.get("stage", 0)
    passed = {row.assessment_id for row in rows for one in row.results.all() if has_passed(one)}
    if moves > len(passed):
        yield f"moved {moves} times, after {len(passed)} assessments were passed"
    yield from of_results(history, found, rows, instances)
    candidate = Candidate.objects.filter(opportunity_id=found.id).first()
    if candidate is None and Invitation.objects.filter(opportunity_id=found.id).exists():
        yield "not in the list of candidates"
    if candidate is not None:
        card = card_of_candidate(CandidateRows(history.organization, found.id))
        if not card.title or not (card.next_step or card.result):
            yield f"isn't told what is next: {card}"


def expected_tags(
    history: History, rows: list[Invitation], instances: dict[int, Instance]
) -> set[ProgressTag]:
    """Return the progress tags of which the candidate has one: by the latest that is open, else that is over."""
    live = [row for row in rows if row.status != "withdrawn"]
    if not live:
        return set(ProgressTag)  # what was cancelled leaves its tag
    is_open = [row for row in live if instances[row.pk].phase is not Standing.COMPLETE]
    row = (is_open or live)[-1]
    match instances[row.pk].phase:
        case Standing.COMPLETE if instances[row.pk].result == "Expired":
            return {ProgressTag.EXPIRED}
        case Standing.COMPLETE:
            return {ProgressTag.COMPLETED}
        case Standing.NOT_STARTED:
            days = (history.clock.now() - row.followed_since).days
            return {ProgressTag.NOT_STARTED_YET if days >= 3 else ProgressTag.INVITED}
    return {ProgressTag.IN_PROGRESS}


def has_passed(result: Any) -> bool:
    """Whether CodeScreen stated Passed, or stated nothing and the score meets the bar."""
    meets_bar = result.bar is not None and result.score is not None and result.score >= result.bar
    return result.outcome == "Passed" or (not result.outcome and meets_bar)


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
        if len(own) != (latest is not None) or len(files) > 1:
            yield f"{name}: {len(own)} feedback forms, {len(files)} files"
        if latest is None or len(own) != 1:
            continue
        is_complete, is_followed = instance.phase is Standing.COMPLETE, row.status != "withdrawn"
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
    for assessment_id in {row.assessment_id for row in rows}:
        results = [
            row.results.order_by("attempt").last() for row in rows if row.assessment_id == assessment_id
        ]
        said = [one for one in results if one is not None]
        passed = bool(said) and has_passed(said[-1])
        name = history.codescreen.assessments[assessment_id].name
        is_barred = bool(said) and not said[-1].outcome and said[-1].bar is not None
        failed = bool(said) and (said[-1].outcome == "Failed" or (is_barred and not passed))
        shown = (f"{name}: passed" in found.tags, f"{name}: failed" in found.tags)
        if shown != (passed, failed):
            yield f"{name}: the tags (passed, failed) are {shown}, not {(passed, failed)}"


def of_repetition(history: History) -> Iterator[str]:
    """What is done again at rest writes nothing to the platforms."""
    before = len(history.wire.writes)
    history.do_by_the_clock()
    history.reconcile()
    history.reconcile()
    history.work()
    if written := history.wire.writes[before:]:
        yield f"done again at rest, {', '.join(written)}"
