"""The product uses what its dependencies document, and no private part of them."""

import ast
from collections.abc import Iterator

from tests.support.product import modules

#: What Python and Django document in spite of its underscore.
DOCUMENTED = {
    "_asdict",
    "_base_manager",
    "_default_manager",
    "_exit",
    "_fields",
    "_meta",
    "_replace",
    "_state",
    "_value_",
}
#: Parts of Django, requests and urllib3 without an underscore that their documentation leaves out.
UNDOCUMENTED = {
    "ConnectionCls",
    "UpdateQuery",
    "InsertQuery",
    "co_stacksize",
    "get_compiler",
    "get_converters",
    "get_related_populators",
    "klass_info",
}
#: What is still used, by module. Nothing may come; what goes is removed here.
STILL_USED = {"integrations/store/columns.py": {"get_compiler"}}


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.Module) -> Iterator[str]:
    """Yield the private names that a module defines: functions, classes, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def used_names(tree: ast.Module) -> Iterator[str]:
    """Yield the private and undocumented names that a module imports from others' packages, or asks an object for."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                if module.partition(".")[0] not in {"integrations", "portal"}:
                    yield from (part for part in module.split(".") if is_private(part))
                    yield from (one.name for one in names if is_private(one.name) or one.name in UNDOCUMENTED)
            case ast.Import(names=names):
                yield from (part for one in names for part in one.name.split(".") if is_private(part))
            case ast.Attribute(attr=name) if is_private(name) or name in UNDOCUMENTED:
                yield name


def test_no_module_uses_a_private_part_of_a_dependency():
    own = {name for tree in modules().values() for name in own_names(tree)}
    found = {path: set(used_names(tree)) - own - DOCUMENTED for path, tree in modules().items()}
    more = {path: names - STILL_USED.get(path, set()) for path, names in found.items()}
    assert {path: names for path, names in more.items() if names} == {}
