"""A contract of import-linter: the shelves of the house."""

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter.application import output
from importlinter.domain import fields
from importlinter.domain.contract import Contract, ContractCheck


class ShelvesContract(Contract):
    """Each module stands on a shelf and imports only from lower ones, and from its own without a circle of rooms.

    `shelves` are from the top down; each is one or more names of rooms, with ` | ` between them. `*` in a name stands
    for one part of it. A module is of the room whose name has the most parts of those that fit the module's beginning;
    `rooms.*.models` is thus another room than `rooms.*`. A module that fits none breaks the contract.
    """

    type_name = "shelves"
    shelves = fields.ListField(subfield=fields.StringField())

    def validate(self) -> None:
        """Read the names of rooms, shelf by shelf, in parts."""
        self.rooms = [
            [name.strip().split(".") for name in names.split("|")]
            for names in self.contract_options["shelves"]
        ]

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Return whether the imports fit the shelves, with a sentence for each that doesn't."""
        places = {}
        problems = []
        for module in sorted(graph.modules):
            if module.split(".")[0] not in self.session_options["root_packages"]:
                continue  # a library
            if place := self._place(module):
                places[module] = place
            elif "." in module:
                problems.append(f"{module} stands on no shelf.")
        imports_on: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for importer, (shelf, room) in places.items():
            for imported in sorted(graph.find_modules_directly_imported_by(importer) & places.keys()):
                other_shelf, other_room = places[imported]
                if other_shelf < shelf:
                    problems.append(f"{importer} imports {imported}, which stands on a higher shelf.")
                elif other_shelf == shelf and other_room != room:
                    imports_on[shelf][room].add(other_room)
        for imports in imports_on.values():
            try:
                TopologicalSorter(imports).prepare()
            except CycleError as error:
                problems.append(f"Rooms of one shelf import each other: {' ← '.join(error.args[1])}.")
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for problem in check.metadata["problems"]:
            output.print_error(problem)

    def _place(self, module: str) -> tuple[int, str] | None:
        """Return the shelf of the module, counted from the top, and its room."""
        parts = module.split(".")
        found = [
            (len(name), -name.count("*"), shelf)
            for shelf, names in enumerate(self.rooms)
            for name in names
            if len(name) <= len(parts) and all(a in {"*", b} for a, b in zip(name, parts, strict=False))
        ]
        if not found:
            return None
        length, _, shelf = max(found)
        return shelf, ".".join(parts[:length])
