"""What an alert says: as a message in a chat room, and as JSON for a program."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from integrations.http.json_types import JsonObject, number
from integrations.models import AlertAddress, AlertTopic, EmailKind, Invitation, Organization
from integrations.vocabulary import ResultOutcome
from integrations.workflow.email.alerts.payload import AlertPayload
from integrations.workflow.email.links import settings_link
from integrations.workflow.email.names import UNNAMED, first_name
from integrations.workflow.email.rendering import VARIABLE, without_links
from integrations.workflow.email.wording import current_wording

TEST = "test"
TEST_TEXT = "This is a test. Alerts of the CodeScreen–Lever portal arrive here."


@dataclass(frozen=True)
class Alert:
    """One alert, written in both ways."""

    text: str
    link: str
    data: JsonObject
    type: str
    at: datetime
    organization: str

    def body(self, kind: str) -> JsonObject:
        """Return what is posted to an address of this kind."""
        if kind == AlertAddress.Kind.SLACK:
            return {
                "text": f"{_escaped(without_links(self.text))}\n<{_escaped(self.link)}|Open in the portal>"
            }
        return {
            "type": self.type,
            "timestamp": self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "organization": self.organization,
            "data": {**self.data, "text": self.text, "url": self.link},
        }


def alert_of(
    organization: Organization, payload: AlertPayload, invitation: Invitation | None, at: datetime
) -> Alert:
    """Return the alert as it is written now; what it says of a candidate is read now."""
    if payload.type == AlertTopic.RESULT and invitation is not None:
        text, data = _result(organization, payload, invitation)
    else:
        text, data = _problem(payload, invitation)
    return Alert(text, payload.link, data, payload.type, at, organization.slug)


def sample_alert(organization: Organization, at: datetime) -> Alert:
    """Return the alert that shows whether an address works."""
    return Alert(TEST_TEXT, settings_link(), {}, TEST, at, organization.slug)


def name_in_alerts(organization: Organization, invitation: Invitation) -> str:
    """Return what the organization's e-mails about results call the candidate; empty where they name nobody."""
    wording = current_wording(organization, EmailKind.RESULT)
    used = set(VARIABLE.findall(f"{wording.subject}\n{wording.body}"))
    if "candidate" in used:
        return invitation.candidate_name or UNNAMED
    return first_name(invitation.candidate_name) if "first_name" in used else ""


def _result(
    organization: Organization, payload: AlertPayload, invitation: Invitation
) -> tuple[str, JsonObject]:
    name = name_in_alerts(organization, invitation)
    role = f", for the role {invitation.role_title}" if invitation.role_title else ""
    text = f"{name or UNNAMED}: {payload.result} ({invitation.assessment_name}){role}."
    data: JsonObject = {
        "opportunity_id": invitation.opportunity_id,
        "role": invitation.role_title,
        "assessment": invitation.assessment_name,
        "outcome": payload.outcome if payload.outcome in ResultOutcome else None,
        "score": number(Decimal(payload.score) if payload.score else None),
    }
    return text, {**data, "candidate": name} if name else data


def _problem(payload: AlertPayload, invitation: Invitation | None) -> tuple[str, JsonObject]:
    sentence = payload.subject if payload.subject.endswith(".") else f"{payload.subject}."
    text = "\n".join([sentence, *payload.lines])
    data: JsonObject = {"phase": payload.phase, "title": payload.subject}
    if invitation is not None:
        data |= {"opportunity_id": invitation.opportunity_id, "role": invitation.role_title}
    return text, data


def _escaped(text: str) -> str:
    """Return a text in which Slack finds no markup, person or channel; Slack-compatible rooms read a plain @ too."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", "@\u200b")
