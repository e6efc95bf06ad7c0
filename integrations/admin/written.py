"""What an effect writes: the words of a note, the values of a feedback form, a tag, a stage, a link.

They are the portal's own words, which name nobody. What an e-mail says isn't shown.
"""

from collections.abc import Iterable, Mapping

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.display import NOTHING
from integrations.http.json_types import JsonObject
from integrations.models import Effect, Result
from integrations.workflow.effects.feedback_values import field_texts
from integrations.workflow.outbox.written import FeedbackWritten, TagsWritten

LONGEST = 160
_Kind = Effect.Kind
#: By kind, the keys of the payload that are written and what each is called.
_WRITTEN: Mapping[str, Mapping[str, str]] = {
    _Kind.LEAVE_NOTE: {"text": "Note"},
    _Kind.SET_PROGRESS_TAG: {"tag": "Tag"},
    _Kind.SET_RESULT_TAG: {"tag": "Tag"},
    _Kind.MOVE_STAGE: {"stage": "Stage"},
    _Kind.ADD_REPORT_LINK: {"url": "Link"},
}


def results_of(effects: Iterable[Effect]) -> dict[int, Result]:
    """Return the results that these effects write into feedback forms, by their keys; one query."""
    keys = {key for effect in effects if not effect.written and (key := _result_key(effect)) is not None}
    if not keys:
        return {}
    return {row.pk: row for row in Result.objects.filter(pk__in=keys).select_related("invitation")}


def written_values(effect: Effect, results: Mapping[int, Result]) -> dict[str, str]:
    """Return what it wrote, or would write, by name; empty where nothing is written or it was erased."""
    if effect.written:
        return _kept(effect.written)
    result = results.get(_result_key(effect) or 0)
    if result is not None:
        texts = {str(name): text for name, text in field_texts(result.invitation, result).items() if text}
        return {"Rating": f"{result.rating} of 4", **texts} if result.rating else texts
    named = _WRITTEN.get(effect.kind, {})
    return {name: str(effect.payload[key]) for key, name in named.items() if effect.payload.get(key)}


def _kept(written: JsonObject) -> dict[str, str]:
    """Return what was kept of the words that an effect wrote."""
    if "values" in written:
        return {str(name): value for name, value in FeedbackWritten.from_json(written).values}
    tags = TagsWritten.from_json(written)
    listed = {"Tags added": ", ".join(tags.added), "Tags removed": ", ".join(tags.removed)}
    return {name: value for name, value in listed.items() if value}


def written_line(effect: Effect, results: Mapping[int, Result]) -> str:
    """Return what it writes on one line."""
    values = written_values(effect, results)
    line = (
        next(iter(values.values()))
        if len(values) == 1
        else " · ".join(f"{k}: {v}" for k, v in values.items())
    )
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def written_table(effect: Effect, results: Mapping[int, Result]) -> str | SafeString:
    """Return what it writes as a table."""
    values = written_values(effect, results)
    if not values:
        return NOTHING
    rows = format_html_join("", '<tr><th scope="row">{}</th><td class="written">{}</td></tr>', values.items())
    return format_html("<table><tbody>{}</tbody></table>", rows)


def _result_key(effect: Effect) -> int | None:
    key = effect.payload.get("result") if effect.kind == _Kind.WRITE_FEEDBACK else None
    return key if isinstance(key, int) else None
