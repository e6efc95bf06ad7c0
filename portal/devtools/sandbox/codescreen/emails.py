"""The e-mails candidates would get from CodeScreen; they are kept for the pages and never sent."""

from datetime import UTC, datetime

from portal.devtools.sandbox.codescreen.state import Email, Instance
from portal.devtools.sandbox.times import now_ms

BEGIN = "Begin Assessment"
DETAILS = "Assessment Details"
ACKNOWLEDGEMENT = "Acknowledgement"
REQUEST_CHANGES = "Request Changes"
TEMPLATES = {
    BEGIN: (
        "Your {assessmentTitle} assessment for {companyName}",
        (
            "Hi {firstName},\n\n"
            "{companyName} invites you to take the {assessmentTitle} assessment on CodeScreen.\n\n"
            "Please start it before {startBy}. From then on you have {timeAllowed} to complete it.\n\n"
            "Begin here: {candidateLinkUrl}\n\nGood luck!\nThe {companyName} team"
        ),
    ),
    DETAILS: (
        "Details of your {assessmentTitle} assessment",
        (
            "You have started the {assessmentTitle} assessment for {companyName}. You have {timeAllowed}.\n\n"
            "Your link: {candidateLinkUrl}"
        ),
    ),
    ACKNOWLEDGEMENT: (
        "We received your {assessmentTitle} solution",
        "Thank you for completing the {assessmentTitle} assessment for {companyName}.",
    ),
    REQUEST_CHANGES: (
        "Changes requested on your {assessmentTitle} solution",
        (
            "{companyName} asks you to improve your solution to the {assessmentTitle} assessment.\n\n"
            "Continue here: {candidateLinkUrl}"
        ),
    ),
}


def write_email(template: str, instance: Instance, company: str, base_url: str) -> Email:
    """Return the e-mail of a template, written for a candidate."""
    subject, body = TEMPLATES[template]
    values = {
        "firstName": instance.first_name,
        "assessmentTitle": instance.assessment.name,
        "companyName": company,
        "candidateLinkUrl": f"{base_url}/candidate/{instance.id}",
        "startBy": _deadline(instance.start_by),
        "timeAllowed": _duration(instance.assessment.days_to_finish),
    }
    return Email(now_ms(), template, _fill(subject, values), _fill(body, values))


def _fill(text: str, values: dict[str, str]) -> str:
    # Not str.format: a name may hold braces, and so may a company's own wording.
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _deadline(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%-d %B at %H:%M (UTC)")


def _duration(days: float) -> str:
    if days < 1:
        return f"{max(1, round(days * 24))} hours"
    return "1 day" if days == 1 else f"{days:g} days"
