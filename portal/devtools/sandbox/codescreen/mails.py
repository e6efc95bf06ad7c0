"""The e-mails CodeScreen sends candidates, as far as they matter here; nothing leaves this process."""

from datetime import UTC, datetime

from portal.devtools.sandbox.codescreen.state import Instance, Mail
from portal.devtools.sandbox.ids import now_ms

BEGIN = "Begin Assessment"
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
    "Assessment Details": (
        "Details of your {assessmentTitle} assessment",
        (
            "You have started the {assessmentTitle} assessment for {companyName}. You have {timeAllowed}.\n\n"
            "Your link: {candidateLinkUrl}"
        ),
    ),
    "Acknowledgement": (
        "We received your {assessmentTitle} solution",
        "Thank you for completing the {assessmentTitle} assessment for {companyName}.",
    ),
    "Request Changes": (
        "Changes requested on your {assessmentTitle} solution",
        (
            "{companyName} asks you to improve your solution to the {assessmentTitle} assessment.\n\n"
            "Continue here: {candidateLinkUrl}"
        ),
    ),
}


def write(template: str, instance: Instance, company: str, base_url: str) -> Mail:
    """Return an e-mail of a template for a candidate."""
    subject, body = TEMPLATES[template]
    values = {
        "firstName": instance.first_name,
        "assessmentTitle": instance.assessment.name,
        "companyName": company,
        "candidateLinkUrl": f"{base_url}/candidate/{instance.id}",
        "startBy": _moment(instance.start_by),
        "timeAllowed": _span(instance.assessment.days_to_finish),
    }
    return Mail(now_ms(), template, _fill(subject, values), _fill(body, values))


def _fill(text: str, values: dict[str, str]) -> str:
    # Not str.format: a name may hold braces, and so may a company's own wording.
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%-d %B at %H:%M (UTC)")


def _span(days: float) -> str:
    if days < 1:
        return f"{max(1, round(days * 24))} hours"
    return "1 day" if days == 1 else f"{days:g} days"
