"""The product's own modules, without its migrations and the developers' tools: each is read and parsed once."""

import ast
from functools import cache

from django.conf import settings


@cache
def sources() -> dict[str, str]:
    """Return the text of each module by its path."""
    paths = [path for room in ("integrations", "portal") for path in (settings.BASE_DIR / room).rglob("*.py")]
    named = {str(path.relative_to(settings.BASE_DIR)): path for path in sorted(paths)}
    return {
        name: path.read_text()
        for name, path in named.items()
        if not {"migrations", "devtools"} & set(path.parts)
    }


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of each module by its path."""
    return {name: ast.parse(source) for name, source in sources().items()}
