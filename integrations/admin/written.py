"""What an effect writes: the words of a note, the values of a feedback form, a tag, a stage, a link, a file.

They are the portal's own words, which name nobody. What an e-mail says isn't shown.
"""

from collections.abc import Mapping

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.display import NOTHING
from integrations.http.json_types import JsonObject
from integrations.models import Effect, Result
from integrations.workflow.effects.feedback_values import field_texts
from integrations.workflow.outbox.intended import intended_tags
from integrations.workflow.outbox.written import FeedbackWritten, FileWritten, TagsWritten

LONGEST = 160
_Kind = Effect.Kind
_TAGS = (_Kind.SET_PROGRESS_TAG, _Kind.SET_RESULT_TAG)
#: By kind, the key of the payload that is written and what it is called.
_WRITTEN: Mapping[str, tuple[str, str]] = {
    _Kind.LEAVE_NOTE: ("text", "Note"),
    _Kind.MOVE_STAGE: ("stage", "Stage"),
    _Kind.ADD_REPORT_LINK: ("url", "Link"),
    _Kind.ATTACH_REPORT: ("name", "File"),
}


def written_values(effect: Effect, result: Result | None) -> dict[str, str]:
    """Return what it wrote, or would write, by name; empty where nothing is written or it was erased.

    `result` is the one that it writes into a feedback form, if it does.
    """
    if effect.written:
        return _kept(effect.written)
    if effect.kind in _TAGS:
        return _named("Tags", intended_tags(effect))
    if result is not None:
        texts = {str(name): text for name, text in field_texts(result.invitation, result).items() if text}
        return {"Rating": f"{result.rating} of 4", **texts} if result.rating else texts
    key, name = _WRITTEN.get(effect.kind, ("", ""))
    return {name: str(effect.payload[key])} if effect.payload.get(key) else {}


def _kept(written: JsonObject) -> dict[str, str]:
    """Return what was kept of the words that an effect wrote."""
    if "values" in written:
        return {str(name): value for name, value in FeedbackWritten.from_json(written).values}
    if "file_id" in written:
        file = FileWritten.from_json(written)
        return {"File": file.name, "Id in Lever": file.file_id, "Bytes": str(file.size)}
    tags = TagsWritten.from_json(written)
    return {**_named("Tags added", tags.added), **_named("Tags removed", tags.removed)}


def _named(name: str, tags: list[str]) -> dict[str, str]:
    return {name: ", ".join(tags)} if tags else {}


def written_line(effect: Effect, result: Result | None) -> str:
    """Return what it writes on one line."""
    values = written_values(effect, result)
    line = (
        next(iter(values.values()))
        if len(values) == 1
        else " · ".join(f"{k}: {v}" for k, v in values.items())
    )
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def written_table(effect: Effect, result: Result | None) -> str | SafeString:
    """Return what it writes as a table."""
    values = written_values(effect, result)
    if not values:
        return NOTHING
    rows = format_html_join("", '<tr><th scope="row">{}</th><td class="written">{}</td></tr>', values.items())
    return format_html("<table><tbody>{}</tbody></table>", rows)
