"""The facts of a decision as they are stored with it, so that it can be made again without asking a platform.

Kept is what the platforms showed and what the portal's rows said then. Left out are the organization's rules, which the
decision is made again under, and everything personal: of the addresses only whether one is usable, of the tags only
those that name an assessment, of extra time only whether the rule of then applied. Of the list of assessments, those
that the names meant are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.facts import (
    CandidateSnapshot,
    Decision,
    EnteredBefore,
    ExistingInvitation,
    Facts,
    Next,
    NoCandidate,
    Together,
    first_usable_email,
)
from integrations.core.rules.names import KnownAssessment, naming_tags
from integrations.core.vocabulary import Category, Origin, ResultOutcome

VERSION = 1
#: Stands for a usable address, which isn't kept.
SOME_ADDRESS = "kept@nowhere.invalid"

type Stored = dict[str, object]


@dataclass(frozen=True)
class PastFacts:
    """Stored facts, read again. `facts` has no rules of the organization.

    `names` are those that named an assessment then, and `found` the assessments that they meant. `recent_minutes` is
    how long `facts.recently_invited` looked back; None when nothing was counted. `extra_time` is the digest of the rule
    that the candidate was looked at by.
    """

    facts: Facts
    is_stage_known: bool
    names: tuple[str, ...] = ()
    found: tuple[KnownAssessment, ...] = ()
    recent_minutes: int | None = None
    extra_time: str = ""


def stored_facts(facts: Facts, decision: Decision) -> Stored:
    """Return what is stored of the facts of a decision, as JSON."""
    stored: Stored = {"version": VERSION}
    stored |= _stored_further(facts.further)
    stored |= _flags(
        test=facts.is_test,
        paused=facts.is_paused,
        disconnected=bool(facts.disconnected_reason),
        erased=facts.is_erased,
    )
    if not decision.verdict.record.knows_stage:
        return stored
    stored["stage"] = [facts.stage_id, facts.stage_name]
    if isinstance(facts.candidate, CandidateSnapshot):
        stored["candidate"] = _stored_candidate(facts, facts.candidate)
        if facts.entered_before is not None:
            stored["entered_before"] = facts.entered_before.value
    elif facts.candidate is not NoCandidate.UNREAD:
        stored["candidate"] = facts.candidate.name.lower()
    if facts.chosen_assessment:
        stored["chosen"] = facts.chosen_assessment
    opportunities: dict[str, int] = {}
    for name, rows in (("here", facts.invitations_here), ("elsewhere", facts.invitations_elsewhere)):
        if rows:
            stored[name] = [_stored_invitation(row, opportunities) for row in rows]
    if facts.extra_time.digest:
        stored["extra_time"] = facts.extra_time.digest
    if facts.bulk_limit:
        stored["recent"] = [facts.recently_invited, facts.bulk_window]
    if decision.names:
        stored["names"] = list(decision.names)
        stored["found"] = [[assessment.id, assessment.name] for assessment in decision.found]
    return stored


def _stored_further(further: Together | Next | None) -> Stored:
    match further:
        case Together(written):
            return {"together": written}
        case Next(before, mapping_id, is_passed):
            return {"next": [before, mapping_id, is_passed]}
    return {}


def _flags(**flags: bool) -> Stored:
    return {name: True for name, is_set in flags.items() if is_set}


def _stored_candidate(facts: Facts, candidate: CandidateSnapshot) -> Stored:
    stored: Stored = {"role": [candidate.role_id, candidate.role_title]}
    if candidate.stage_id != facts.stage_id:
        stored["stage"] = [candidate.stage_id, candidate.stage_name]
    if tags := naming_tags(candidate.tags):
        stored["tags"] = list(tags)
    if candidate.categories:
        stored["categories"] = [[category.value, value] for category, value in sorted(candidate.categories)]
    if candidate.origin is not None:
        stored["origin"] = candidate.origin.value
    return stored | _flags(
        email=bool(first_usable_email(candidate.emails)),
        archived=candidate.is_archived,
        anonymized=candidate.is_anonymized,
        no_contact=not candidate.may_contact,
        extra_time=candidate.needs_extra_time,
    )


def _stored_invitation(row: ExistingInvitation, opportunities: dict[str, int]) -> Stored:
    """Return an invitation; its opportunity is a number that only tells those of one decision apart."""
    stored: Stored = {"id": row.id, "assessment": row.assessment_id, "status": row.status.value}
    if number := opportunities.setdefault(row.opportunity_id, len(opportunities)):
        stored["opportunity"] = number
    if row.round != 1:
        stored["round"] = row.round
    if row.outcome is not None:
        stored["outcome"] = row.outcome.value
    if row.days_since_completion is not None:
        stored["days"] = row.days_since_completion
    return stored | _flags(
        sent=row.was_sent, reentered=row.was_reentered, cancelled=row.is_cancelled_by_person
    )


def read_facts(stored: object, event: str) -> PastFacts | None:
    """Return stored facts of a delivery of this event; None when there are none or they can't be read."""
    try:
        return _read(_typed(dict, stored), event)
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None


def _read(stored: Mapping[str, object], event: str) -> PastFacts:
    if _number(stored["version"]) != VERSION:
        raise ValueError("another version")
    stage = stored.get("stage")
    stage_id, stage_name = _pair(stage) if stage is not None else ("", "")
    recent, entered_before = stored.get("recent"), stored.get("entered_before")
    count, minutes = map(_number, _list(recent)) if recent is not None else (0, None)
    facts = Facts(
        event=event,
        further=_read_further(stored),
        is_test=_flag(stored, "test"),
        is_paused=_flag(stored, "paused"),
        disconnected_reason="A connection didn't work." if _flag(stored, "disconnected") else "",
        is_erased=_flag(stored, "erased"),
        stage_id=stage_id,
        stage_name=stage_name,
        candidate=_read_candidate(stored.get("candidate"), stage_id, stage_name),
        entered_before=EnteredBefore(_text(entered_before)) if entered_before is not None else None,
        chosen_assessment=_text(stored.get("chosen", "")),
        invitations_here=_read_invitations(stored.get("here", [])),
        invitations_elsewhere=_read_invitations(stored.get("elsewhere", [])),
        recently_invited=count,
    )
    return PastFacts(
        facts,
        is_stage_known=stage is not None,
        names=_texts(stored.get("names", [])),
        found=tuple(KnownAssessment(*_pair(pair)) for pair in _list(stored.get("found", []))),
        recent_minutes=minutes,
        extra_time=_text(stored.get("extra_time", "")),
    )


def _read_further(stored: Mapping[str, object]) -> Together | Next | None:
    if "together" in stored:
        return Together(_text(stored["together"]))
    if "next" not in stored:
        return None
    before, mapping_id, is_passed = _list(stored["next"])
    return Next(_text(before), None if mapping_id is None else _number(mapping_id), is_passed is True)


def _read_candidate(stored: object, stage_id: str, stage_name: str) -> CandidateSnapshot | NoCandidate:
    if stored is None:
        return NoCandidate.UNREAD
    if isinstance(stored, str):
        return NoCandidate[stored.upper()]
    candidate = _typed(dict, stored)
    role_id, role_title = _pair(candidate["role"])
    now_in = _pair(candidate["stage"]) if "stage" in candidate else (stage_id, stage_name)
    origin = candidate.get("origin")
    return CandidateSnapshot(
        *now_in,
        role_id=role_id,
        role_title=role_title,
        categories=frozenset(
            (Category(code), value) for code, value in map(_pair, _list(candidate.get("categories", [])))
        ),
        tags=_texts(candidate.get("tags", [])),
        emails=(SOME_ADDRESS,) if _flag(candidate, "email") else (),
        is_archived=_flag(candidate, "archived"),
        is_anonymized=_flag(candidate, "anonymized"),
        may_contact=not _flag(candidate, "no_contact"),
        origin=Origin(_text(origin)) if origin is not None else None,
        needs_extra_time=_flag(candidate, "extra_time"),
    )


def _read_invitations(stored: object) -> tuple[ExistingInvitation, ...]:
    return tuple(_read_invitation(_typed(dict, row)) for row in _list(stored))


def _read_invitation(stored: Mapping[str, object]) -> ExistingInvitation:
    outcome, days = stored.get("outcome"), stored.get("days")
    return ExistingInvitation(
        id=_number(stored["id"]),
        assessment_id=_text(stored["assessment"]),
        status=InvitationStatus(_text(stored["status"])),
        standing="there",
        was_sent=_flag(stored, "sent"),
        opportunity_id=str(_number(stored.get("opportunity", 0))),
        round=_number(stored.get("round", 1)),
        outcome=ResultOutcome(_text(outcome)) if outcome is not None else None,
        days_since_completion=_days(days) if days is not None else None,
        was_reentered=_flag(stored, "reentered"),
        is_cancelled_by_person=_flag(stored, "cancelled"),
    )


def _typed[Kind](kind: type[Kind], value: object) -> Kind:
    if not isinstance(value, kind) or type(value) is not kind:  # true and false are no numbers
        raise TypeError(f"no {kind.__name__}")
    return value


def _text(value: object) -> str:
    return _typed(str, value)


def _number(value: object) -> int:
    return _typed(int, value)


def _list(value: object) -> list[object]:
    return _typed(list, value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _pair(value: object) -> tuple[str, str]:
    first, second = _texts(value)
    return first, second


def _days(value: object) -> float:
    return value if isinstance(value, float) else float(_number(value))


def _flag(stored: Mapping[str, object], name: str) -> bool:
    return _typed(bool, stored.get(name, False))
