"""A delivery's payload as the pages show it."""

import json

from integrations.http.redaction import redact


def redacted_json(payload: object) -> str:
    """Return a payload as indented JSON without personal data and secrets."""
    return json.dumps(redact(payload), indent=2, ensure_ascii=False, sort_keys=True)
