"""Role mappings as the rules read them: which of them name a role, and which fit Lever's categories of a posting."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.core.rules.names import is_named, normalize
from integrations.core.vocabulary import Approval, Category

#: Categories of a posting, or those that a mapping asks for. A posting in several places has several locations.
type Categories = frozenset[tuple[Category, str]]


@dataclass(frozen=True)
class MappingRule:
    """One role mapping as it was written: for a role, or for every posting that has all of its categories.

    Role, stage and assessment are names or ids; an empty stage means any CodeScreen stage. `id` is the stored mapping.
    """

    role: str
    stage: str
    assessment: str
    categories: Categories = frozenset()
    approval: Approval = Approval.ABOVE_LIMIT
    id: int | None = None
    #: Its other own rules, in which two mappings with the same assessment may differ.
    own_rules: tuple[object, ...] = ()

    @property
    def subject(self) -> str:
        """What it holds for, in words: the role as it was written, or the categories."""
        return self.role or describe_categories(self.categories)

    @property
    def is_for_any_stage(self) -> bool:
        return not self.stage.strip()

    def names_stage(self, stage_id: str, stage_name: str) -> bool:
        return is_named(self.stage, stage_id, stage_name)

    @property
    def precision(self) -> tuple[int, bool]:
        """How closely it describes its postings: by more categories, then by a stage of its own."""
        return len(self.categories), not self.is_for_any_stage


def named_categories(values: Iterable[str]) -> Categories:
    """Return the categories that have a value; `values` has one for each Category, in its order."""
    return frozenset(
        (category, value) for category, value in zip(Category, values, strict=True) if value.strip()
    )


def describe_categories(categories: Categories) -> str:
    """Return categories in words, in the order of Category: “Department Engineering · Location Berlin”."""
    order = list(Category)
    ordered = sorted(categories, key=lambda pair: (order.index(pair[0]), pair[1]))
    return " · ".join(f"{category.label} {value}" for category, value in ordered)


def comparable(categories: Categories) -> Categories:
    """Return categories for comparing, whatever their case and spaces."""
    return frozenset((category, normalize(value)) for category, value in categories)


class MappingIndex:
    """The rules of one organization, indexed so that thousands of roles can be looked up at once."""

    def __init__(self, rules: Iterable[MappingRule] = ()) -> None:
        self.rules = tuple(rules)
        self.stages = frozenset(rule.stage.strip() for rule in self.rules if not rule.is_for_any_stage)
        self._by_categories = [(comparable(rule.categories), rule) for rule in self.rules if rule.categories]
        self._by_role_id: dict[str, list[int]] = defaultdict(list)
        self._by_role_title: dict[str, list[int]] = defaultdict(list)
        for position, rule in enumerate(self.rules):
            if rule.role.strip():
                self._by_role_id[rule.role.strip()].append(position)
                self._by_role_title[normalize(rule.role)].append(position)

    def for_role(self, role_id: str, role_title: str) -> list[MappingRule]:
        """Return the rules that name this role by id or title, in their order."""
        positions = {
            *self._by_role_id.get(role_id, ()),
            *self._by_role_title.get(normalize(role_title), ()),
        }
        return [self.rules[position] for position in sorted(positions)]

    def for_posting(self, role_id: str, role_title: str, categories: Categories) -> list[MappingRule]:
        """Return the rules that name this role, then those whose categories it has."""
        return [*self.for_role(role_id, role_title), *self.for_categories(categories)]

    def for_categories(self, categories: Categories) -> list[MappingRule]:
        """Return the rules whose categories a posting with these has, all of them, in their order."""
        shown = comparable(categories) if self._by_categories else categories
        return [rule for asked, rule in self._by_categories if asked <= shown]
