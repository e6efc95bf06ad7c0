"""The wording of e-mails: the portal's own, the customer's where there is one, and how variables are filled in.

A line whose variables are all empty is left out, so that one template serves results with and without a report.
"""

import base64
import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.loader import render_to_string

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    EmailKind,
    EmailTemplate,
    Organization,
    TargetKind,
)

LONGEST_SUBJECT, LONGEST_BODY = 200, 5000
_VARIABLE = re.compile(r"\{([^{}\n]{0,60})\}")


@dataclass(frozen=True)
class EmailWording:
    """A subject and a body with variables in them."""

    subject: str
    body: str


@dataclass(frozen=True)
class RenderedEmail:
    """A subject and a body as they are sent."""

    subject: str
    body: str


@dataclass(frozen=True)
class EmailType:
    """What one kind of e-mail may say: its variables with what they mean and a sample, and the portal's wording."""

    purpose: str
    default: EmailWording
    variables: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_ORGANIZATION = {"organization": ("the organization's name", "Acme")}
_MESSAGE = {
    "problem": ("what it is about, in a few words", "An invitation could not be sent"),
    "details": (
        "what happened and what to do",
        "CodeScreen refused the e-mail address. Correct it in Lever.",
    ),
    "settings_link": ("the address of the settings", "https://portal.example/settings/"),
}
_CANDIDATE = {
    "assessment": ("the assessment's name", "Backend"),
    "role": ("the role's title", "Backend Engineer"),
    "timeline_link": ("the candidate's timeline", "https://portal.example/activity/opportunity-1/"),
}

EMAIL_TYPES: dict[str, EmailType] = {
    EmailKind.RESULT: EmailType(
        "Tells the team what CodeScreen says of a candidate.",
        EmailWording(
            "CodeScreen result: {assessment}",
            "{candidate} · {role}\n\nResult: {outcome}\nScore: {score}\nReason: {reason}\n\n"
            "Report: {report_link}\nTimeline: {timeline_link}",
        ),
        {
            **_CANDIDATE,
            "candidate": ("the candidate's name", "Candidate Alder"),
            "outcome": ("Passed, Failed, Expired, or that CodeScreen doesn't state it", "Failed"),
            "score": ("0 to 100; empty when there is none", "41"),
            "reason": ("why it wasn't passed; empty when it was", "Tests failed"),
            "report_link": (
                "CodeScreen's report; empty when there is none",
                "https://codescreen.example/report/1",
            ),
            **_ORGANIZATION,
        },
    ),
    EmailKind.TROUBLE: EmailType(
        "Says that something waits for a person: an uncertain, failed or held invitation, a bounce, a connection that "
        "broke, a refused key, a platform that doesn't answer, candidates whom no webhook told of.",
        EmailWording("{problem}", "{details}"),
        {**_MESSAGE, **_CANDIDATE, **_ORGANIZATION},
    ),
    EmailKind.FORECAST: EmailType(
        "Says 30, 7 and 1 days ahead that Lever must be reconnected.",
        EmailWording("{problem}", "{details}"),
        {
            **_MESSAGE,
            "end_date": ("the day on which Lever ends the connection", "24 November 2027"),
            "days_left": ("how many days are left", "7"),
            **_ORGANIZATION,
        },
    ),
    EmailKind.ALL_CLEAR: EmailType(
        "Says that what was broken works again.",
        EmailWording("{problem}", "{details}"),
        {**_MESSAGE, **_ORGANIZATION},
    ),
}
_FORECAST_SAMPLE = {
    "problem": "Lever must be reconnected by 24 November 2027",
    "details": "Lever ends every connection a year after it was made. Reconnecting takes a minute and loses nothing.",
}
_ALL_CLEAR_SAMPLE = {
    "problem": "Lever is connected again",
    "details": "What arrived meanwhile is being decided now.",
}


def sample(kind: str, organization: Organization) -> dict[str, str]:
    """Return made-up values for every variable of a kind."""
    values = {name: example for name, (_, example) in EMAIL_TYPES[kind].variables.items()}
    special = {EmailKind.FORECAST: _FORECAST_SAMPLE, EmailKind.ALL_CLEAR: _ALL_CLEAR_SAMPLE}
    return {**values, **special.get(EmailKind(kind), {}), "organization": organization.name}


def stored_wording(organization: Organization, kind: str) -> EmailTemplate | None:
    """Return the customer's own wording, or None where the portal's holds."""
    return EmailTemplate.objects.filter(organization=organization, kind=kind).first()


def current_wording(organization: Organization, kind: str) -> EmailWording:
    """Return the wording that holds now."""
    own = stored_wording(organization, kind)
    return EmailWording(own.subject, own.body) if own else EMAIL_TYPES[kind].default


def unknown_variables(kind: str, text: str) -> list[str]:
    """Return a sentence for every variable in the text that the kind doesn't have."""
    known = EMAIL_TYPES[kind].variables
    said = []
    for name in dict.fromkeys(_VARIABLE.findall(text)):
        if name in known:
            continue
        near = difflib.get_close_matches(name.strip().casefold(), known, n=1, cutoff=0.5)
        hint = f"Did you mean {{{near[0]}}}?" if near else "The list beside it has the ones there are."
        said.append(f"There is no variable {{{name}}}. {hint}")
    return said


def check(kind: str, subject: str, body: str) -> EmailWording:
    """Return the wording, its line ends made alike. Raises ValidationError by field."""
    errors: dict[str, list[str]] = {}
    subject, body = " ".join(subject.split()), body.replace("\r\n", "\n").strip()
    for name, text, longest in (("subject", subject, LONGEST_SUBJECT), ("body", body, LONGEST_BODY)):
        if not text:
            errors[name] = ["Write something, or reset it to the portal's wording."]
        elif len(text) > longest:
            errors[name] = [f"At most {longest} characters; these are {len(text)}."]
        else:
            errors[name] = unknown_variables(kind, text)
    if any(errors.values()):
        raise ValidationError({name: said for name, said in errors.items() if said})
    return EmailWording(subject, body)


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in; a line whose variables are all empty is left out."""
    lines = []
    for line in text.split("\n"):
        names = [name for name in _VARIABLE.findall(line) if name in values]
        if names and not any(values[name] for name in names):
            continue
        lines.append(_VARIABLE.sub(lambda found: values.get(found[1], found[0]), line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def render(chosen: EmailWording, values: Mapping[str, str]) -> RenderedEmail:
    """Return what is sent: a subject of one line and a plain text."""
    return RenderedEmail(
        " ".join(fill_in(chosen.subject, values).split())[:300], fill_in(chosen.body, values)
    )


def signature(organization: Organization) -> str:
    """Return what stands below every e-mail."""
    return organization.brand_signature.strip() or f"{organization.name}, CodeScreen–Lever portal"


def as_text(letter: RenderedEmail, organization: Organization, unsubscribe: str = "") -> str:
    """Return the plain text with the signature and the way out."""
    parts = [letter.body, f"— {signature(organization)}"]
    if unsubscribe:
        parts.append(f"Don't want these e-mails? {unsubscribe}")
    return "\n\n".join(parts)


#: Lets the letter shrink with the screen, and long links break; a program that reads no styles keeps its 600 pixels.
STYLE = (
    ".letter{width:100%;max-width:600px}.letter td{overflow-wrap:anywhere;word-break:break-word}"
    ".letter img{max-width:100%}"
)


def style_source() -> str:
    """Return what a content security policy has to allow for the letter's own style, and for no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


def as_html(letter: RenderedEmail, organization: Organization, unsubscribe: str = "") -> str:
    """Return the same as HTML in the organization's colours; made from the text, so nothing in it is markup."""
    context = {
        "letter": letter,
        "organization": organization,
        "signature": signature(organization),
        "style": STYLE,
        "unsubscribe": unsubscribe,
        "portal": settings.PORTAL_URL,
    }
    return render_to_string("email/message.html", context)


def logo_origin(organization: Organization) -> str:
    """Return where the logo comes from, for the preview's policy; empty without one."""
    parts = urlsplit(organization.brand_logo_url)
    return f"https://{parts.netloc}" if parts.scheme == "https" and parts.netloc else ""


def save(organization: Organization, kind: str, chosen: EmailWording, actor: Actor) -> bool:
    """Store the customer's wording; whether it differs from what held."""
    before = current_wording(organization, kind)
    if before == chosen:
        return False
    with transaction.atomic():
        own, _ = EmailTemplate.objects.update_or_create(
            organization=organization, kind=kind, defaults={"subject": chosen.subject, "body": chosen.body}
        )
        changes = {"subject": (before.subject, chosen.subject), "body": (before.body, chosen.body)}
        changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
        AuditEntry.record(organization, actor, AuditAction.CHANGE_EMAIL, _audited(own), changed)
    return True


def reset(organization: Organization, kind: str, actor: Actor) -> bool:
    """Let the portal's own wording hold again; whether it didn't."""
    own = stored_wording(organization, kind)
    if own is None:
        return False
    default = EMAIL_TYPES[kind].default
    changes = {"subject": (own.subject, default.subject), "body": (own.body, default.body)}
    with transaction.atomic():
        AuditEntry.record(organization, actor, AuditAction.RESET_EMAIL, _audited(own), changes)
        own.delete()
    return True


def _audited(template: EmailTemplate) -> AuditTarget:
    return AuditTarget(TargetKind.EMAIL_TEMPLATE, template.pk, template.get_kind_display())
