"""Post results and problems to the organization's chat room in Slack or Teams: what the e-mail about the same says."""

import re
from urllib.parse import urlsplit

import requests
from django.core.exceptions import ValidationError

from integrations.clients.limits import require_time_for_calls
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError, retry_after
from integrations.notifications.models.email_kind import Fact, Line, Link
from integrations.notifications.rendering import RenderedEmail

SLACK = "hooks.slack.com"
#: Below these are the webhooks of Teams: its workflows run in Power Automate.
TEAMS = (".logic.azure.com", ".api.powerplatform.com")
#: Of other characters, such as a backslash, programs don't agree which host they name.
_HOST = re.compile(r"[A-Za-z0-9.-]+")
LONGEST_URL = 2000
NO_WEBHOOK = (
    "This isn't a webhook of Slack or Teams. In Slack it begins with https://hooks.slack.com/; in Teams its host ends "
    "with .api.powerplatform.com or .logic.azure.com."
)
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
_TEMPORARY = frozenset({408, 425, 429})


def check_chat_url(url: str) -> None:
    """Raise ValidationError unless this is the address of a webhook of Slack or Teams."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.port in {None, 443} and "@" not in parts.netloc
    except ValueError:
        is_plain = False
    host = host_of(url)
    is_known = bool(_HOST.fullmatch(host)) and (host == SLACK or host.endswith(TEAMS))
    if not is_plain or len(url) > LONGEST_URL or not is_known:
        raise ValidationError(NO_WEBHOOK)


def host_of(url: str) -> str:
    """Return the host of an address, the only part of it that is shown; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def post(url: str, message: RenderedEmail) -> None:
    """Post a message to a chat room. Raises PlatformError, without the address: it is a secret."""
    require_time_for_calls()
    host = host_of(url)
    body = _for_slack(message) if host == SLACK else _for_teams(message)
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    try:
        with requests.post(url, json=body, timeout=timeout, allow_redirects=False, stream=True) as answer:
            status, headers = answer.status_code, answer.headers
    except requests.RequestException as error:
        raise PlatformError(f"{host} did not answer: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise PlatformError(
            f"{host} answered {status}",
            status=status,
            permanent=status < 500 and status not in _TEMPORARY,
            retry_after=retry_after(headers),
        )


def _for_slack(message: RenderedEmail) -> JsonObject:
    lines = [_slack_line(line) for paragraph in message.paragraphs for line in paragraph]
    return {"text": "\n".join([f"*{_escaped(message.subject)}*", *lines])}


def _slack_line(line: Line) -> str:
    if isinstance(line, Link):
        return f"<{_escaped(line.url)}|{_escaped(line.label)}>"
    return _escaped(_text_of(line))


def _escaped(text: str) -> str:
    """Return a text in which Slack finds no markup, person or channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _for_teams(message: RenderedEmail) -> JsonObject:
    """Return the message as an Adaptive Card; Teams reads no markup in its text runs."""
    lines = [line for paragraph in message.paragraphs for line in paragraph]
    texts = [_text_of(line) for line in lines if not isinstance(line, Link)]
    runs: list[JsonObject] = [
        {"text": message.subject, "weight": "bolder"},
        *({"text": text} for text in texts),
    ]
    card: JsonObject = {
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run}]} for run in runs],
        "actions": [
            {"type": "Action.OpenUrl", "title": line.label, "url": line.url}
            for line in lines
            if isinstance(line, Link)
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _text_of(line: str | Fact) -> str:
    return f"{line.label}: {line.value}" if isinstance(line, Fact) else line
