"""The product imports no private part of its dependencies. Ruff's SLF001 is about what an object is asked for."""

import ast
from collections.abc import Iterator

from tests.support.product import modules

#: Parts of Django, requests and urllib3 without an underscore that their documentation leaves out.
UNDOCUMENTED = {
    "ConnectionCls",
    "InsertQuery",
    "UpdateQuery",
    "co_stacksize",
    "get_compiler",
    "get_converters",
    "get_related_populators",
    "klass_info",
}
#: What is still used, by module. Nothing may come; what goes is removed here.
STILL_USED = {"integrations/store/columns.py": {"get_compiler"}}


def used_names(tree: ast.Module) -> Iterator[str]:
    """Yield each part of the names that a module imports from others' packages, and what it asks objects for."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                if module.partition(".")[0] not in {"integrations", "portal"}:
                    yield from (*module.split("."), *(one.name for one in names))
            case ast.Import(names=names):
                yield from (part for one in names for part in one.name.split("."))
            case ast.Attribute(attr=name) if name in UNDOCUMENTED:
                yield name


def test_no_module_uses_a_private_or_undocumented_part_of_a_dependency():
    names = {path: set(used_names(tree)) for path, tree in modules().items()}
    found = {
        path: {one for one in used if one in UNDOCUMENTED or is_private(one)} for path, used in names.items()
    }
    assert {path: used for path, used in found.items() if used} == STILL_USED


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")
