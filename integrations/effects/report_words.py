"""What is said of a result in Lever: in the feedback form, and in the report as a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.dateformat import format as in_words

from integrations.catalog.feedback_template import INSTRUCTIONS, TEMPLATE_NAME, TEXT_FIELDS, FeedbackField
from integrations.codescreen.details import detail_lines
from integrations.core.time_zones import zone_of
from integrations.core.vocabulary import NOT_STATED
from integrations.effects.kind import Words, may_be_written_of
from integrations.http.json_values import JsonObject
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.payloads import FeedbackForm
from integrations.notifications.notify import first_name
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect

#: What follows a comparison with the bar.
OWN_BAR = "CodeScreen states no Passed or Failed; this is your organization's own bar."


@dataclass(frozen=True)
class ReportWords(Payload):
    """Every text of a report; the same words give the same bytes. What isn't known is empty.

    `candidate` is a first name, empty where the organization leaves it out. `outcome` is CodeScreen's word and decides
    the colour alone; `result` is what the report says of it. `dates` has a text for each date that is known, in the
    time zone that `zone` names; `details` are a key and a text each. `made_at` is the time of the result, in ISO 8601.
    """

    organization: str = ""
    candidate: str = ""
    assessment: str = ""
    role: str = ""
    outcome: str = ""
    result: str = ""
    score: str = ""
    rating: str = ""
    reason: str = ""
    report_url: str = ""
    dates: list[list[str]] = field(default_factory=list)
    details: list[list[str]] = field(default_factory=list)
    zone: str = ""
    reference: str = ""
    made_at: str = ""

    @property
    def moment(self) -> datetime:
        """The time of the result; without one, the beginning of 1970, so that the bytes stay the same."""
        return datetime.fromisoformat(self.made_at) if self.made_at else datetime.fromtimestamp(0, UTC)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The facts below the result, each with its label, in order; none without a text."""
        facts = [
            ("Candidate", self.candidate),
            ("Role", self.role),
            ("Failure reason", self.reason),
            *((label, text) for label, text in self.dates),
        ]
        return [(label, text) for label, text in facts if text]

    @property
    def values(self) -> list[tuple[str, str]]:
        """Everything that the report says, each with its label, in order; none without a text."""
        said = [
            ("Result", self.result),
            ("Score", self.score),
            ("Rating", self.rating),
            ("Assessment", self.assessment),
            *self.lines,
            ("Times are in", self.zone if self.dates else ""),
            ("Report in CodeScreen", self.report_url),
            *((key, text) for key, text in self.details),
        ]
        return [(label, text) for label, text in said if text]


def report_file_name(invitation: Invitation, number: int) -> str:
    """Return the name of an invitation's file in Lever; `number` differs for each that is attached."""
    return f"{_stem(invitation)}{number}.pdf"


def is_report_of(invitation: Invitation, name: str) -> bool:
    """Whether a file in Lever is a report that was attached for this invitation."""
    return _stem(invitation) in name


def _stem(invitation: Invitation) -> str:
    return f"codescreen-report-{invitation.reference}-"


def report_words(invitation: Invitation, result: Result) -> ReportWords:
    """Return the words of a report on a result, as the rules of the organization want it now."""
    organization = invitation.organization
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return ReportWords(
        organization=organization.name,
        candidate=_candidate(invitation),
        assessment=f"{invitation.assessment_name}{attempt}",
        role=invitation.role_title,
        outcome=result.outcome,
        result=result.headline if result.said else NOT_STATED,
        score=f"{result.score_text} of 100" if result.score_text else "",
        rating=f"{result.rating} of 4" if result.rating else "",
        reason=result.failure_reason,
        report_url=result.report_url,
        dates=[[label, text] for label, text in _dates(invitation)],
        details=[[key, text] for key, text in detail_lines(result.details)],
        zone=organization.time_zone,
        reference=invitation.reference,
        made_at=(invitation.completed_at or result.created_at).astimezone(UTC).isoformat(),
    )


def _candidate(invitation: Invitation) -> str:
    """Return the first name where the organization wants it; empty where there is none, or no font shows it."""
    name = invitation.candidate_name.strip()
    if not name or not invitation.organization.report_names_candidate:
        return ""
    # the PDF library is loaded only where a report is made
    from integrations.effects.report_pdf import is_printable  # noqa: PLC0415

    first = first_name(name)
    return first if is_printable(first) else ""


def _dates(invitation: Invitation) -> Iterator[tuple[str, str]]:
    zone = zone_of(invitation.organization.time_zone)
    for label, moment in (
        ("Invited", invitation.invited_at),
        ("Started", invitation.started_at),
        ("Submitted", invitation.submitted_at),
        ("Completed", invitation.completed_at),
    ):
        if moment is not None:
            yield label, in_words(moment.astimezone(zone), "j M Y, H:i")


@dataclass(frozen=True)
class FeedbackWords:
    """What a form says: the text of each text field, by the field's name in Lever, and the rating, if any."""

    texts: dict[str, str]
    rating: int | None


def feedback_words(invitation: Invitation, result: Result) -> FeedbackWords:
    """Return what a form says of a result."""
    return FeedbackWords(field_texts(invitation, result), result.rating)


def field_texts(invitation: Invitation, result: Result) -> dict[str, str]:
    """Return what each text field holds, by the text that Lever shows beside it."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return {
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
        FeedbackField.SCORE: result.score_text,
        FeedbackField.RESULT: _result(result),
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.DETAILS: "\n".join(map(": ".join, detail_lines(result.details))),
        FeedbackField.REFERENCE: invitation.reference,
    }


def _result(result: Result) -> str:
    """Return what was said of the result; a comparison with the bar isn't taken for a statement of CodeScreen."""
    if result.said is None:
        return NOT_STATED
    return result.headline if result.outcome else f"{result.headline}. {OWN_BAR}"


def unwritten_values(form: FeedbackForm, words: FeedbackWords) -> list[JsonObject]:
    """Return the values that the form should have and hasn't; an empty text may be null in Lever."""
    present = {field.id: _comparable(field.value) for field in form.fields}
    return [
        value for value in field_values(form, words) if _comparable(value["value"]) != present[value["id"]]
    ]


def feedback_written(form: FeedbackForm, words: FeedbackWords) -> Words:
    """Return what Lever was given for the form: each field's text and its value, empty ones included."""
    texts = {field.id: field.text for field in form.fields}
    fields = [
        (texts[str(value["id"])], "" if value["value"] is None else str(value["value"]))
        for value in field_values(form, words)
    ]
    return Words(fields=fields, is_kept=True)


def _comparable(value: object) -> object:
    return value.strip() if isinstance(value, str) else value or ""


def field_values(form: FeedbackForm, words: FeedbackWords) -> list[JsonObject]:
    """Return the values for the fields that the form has; a field a customer removed is left out.

    A result without a rating empties the one that an earlier attempt left in the form.
    """
    values: list[JsonObject] = []
    for item in form.fields:
        if item.is_rating:
            option = item.rating_value(words.rating) if words.rating else None
            if option is not None or item.value is not None:
                values.append({"id": item.id, "value": option})
        elif item.text in words.texts:
            values.append({"id": item.id, "value": words.texts[item.text]})
    return values


def existing_feedback(lever: LeverClient, invitation: Invitation, template_id: str) -> Iterator[str]:
    """Yield the ids of feedback that may exist: the stored one, then one whose id was never stored, or is lost.

    `template_id` is our template's, empty when none is stored.
    """
    if invitation.feedback_id:
        yield invitation.feedback_id
    if may_be_written_of(invitation, Effect.Kind.WRITE_FEEDBACK):
        feedback_id = _find_unstored(lever, invitation, template_id)
        if feedback_id and feedback_id != invitation.feedback_id:
            yield feedback_id


def _find_unstored(lever: LeverClient, invitation: Invitation, template_id: str) -> str:
    """Return the id of the feedback of this invitation, empty when Lever has none.

    Its reference tells. Where a customer removed that field, a form of our template tells by its report link, or
    by all that it says of one of the invitation's results. One that is completely empty was filled in by field ids
    that the template no longer had.
    """
    forms = [form for form in lever.feedback_list(invitation.opportunity_id) if not form.is_deleted]
    for form in forms:
        if _texts_in(form).get(FeedbackField.REFERENCE) == invitation.reference:
            return form.id
    others = Invitation.objects.filter(
        organization=invitation.organization_id, feedback_id__in=[form.id for form in forms]
    )
    taken = set(others.exclude(pk=invitation.pk).values_list("feedback_id", flat=True))
    for form in forms:
        is_of_our_template = form.template_id == template_id or (form.text, form.instructions) == (
            TEMPLATE_NAME,
            INSTRUCTIONS,
        )
        if (
            is_of_our_template
            and form.id not in taken
            and (not any(field.value for field in form.fields) or _says_the_same(form, invitation))
        ):
            return form.id
    return ""


def _says_the_same(form: FeedbackForm, invitation: Invitation) -> bool:
    """Whether a form without a reference has the report link, or every text, of one of the invitation's results."""
    present = _texts_in(form)
    present.pop(FeedbackField.DETAILS, None)  # CodeScreen may have said more of the same result since
    if not present or FeedbackField.REFERENCE in present:  # another invitation's
        return False
    for result in invitation.results.all():
        texts = field_texts(invitation, result)
        if result.report_url and present.get(FeedbackField.REPORT) == result.report_url:
            return True
        if all(texts[name] == value for name, value in present.items()):
            return True
    return False


def _texts_in(form: FeedbackForm) -> dict[FeedbackField, str]:
    """Return the values of the portal's text fields that the form has; an empty one may be null in Lever."""
    return {
        FeedbackField(field.text): field.value if isinstance(field.value, str) else ""
        for field in form.fields
        if field.text in TEXT_FIELDS and not field.is_rating
    }
