"""What an effect is to write to Lever, as its payload has it; read leniently, since an erased payload is empty."""

from collections.abc import Iterable

from integrations.models import Effect, Result

Kind = Effect.Kind


def intended_tags(effect: Effect) -> list[str]:
    """Return the tags that an effect is to add: the progress tag and the result tag that is set with it, or either."""
    payload = effect.payload if isinstance(effect.payload, dict) else {}
    result_tag = payload.get("result") if effect.kind == Kind.SET_PROGRESS_TAG else None
    tags = [payload.get("tag"), result_tag.get("tag") if isinstance(result_tag, dict) else None]
    return [str(tag) for tag in tags if tag]


def results_of(effects: Iterable[Effect]) -> dict[int, Result]:
    """Return the results that these effects write as feedback, by the effect's id; one query."""
    keys = {effect: key for effect in effects if (key := _result_key(effect)) is not None}
    if not keys:
        return {}
    results = Result.objects.select_related("invitation").defer("metadata").in_bulk(set(keys.values()))
    return {
        effect.pk: result
        for effect, key in keys.items()
        if (result := results.get(key)) and result.organization_id == effect.organization_id
    }


def _result_key(effect: Effect) -> int | None:
    payload = effect.payload if isinstance(effect.payload, dict) else {}
    key = payload.get("result") if effect.kind == Kind.WRITE_FEEDBACK else None
    return key if isinstance(key, int) else None
