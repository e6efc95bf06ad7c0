"""An organization's role mappings and trigger stages, as a decision looks them up."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from integrations.core.rules.names import is_named, normalize

# An organization's role mappings, found by the role and the stage that they name.


@dataclass(frozen=True)
class MappingRule:
    """One role mapping as it was written: each part a name or an id; an empty stage means any CodeScreen stage."""

    role: str
    stage: str
    assessment: str

    @property
    def is_for_any_stage(self) -> bool:
        """Whether the mapping holds for every CodeScreen stage."""
        return not self.stage.strip()

    def names_stage(self, stage_id: str, stage_name: str) -> bool:
        """Whether the mapping is for this stage, by id or name."""
        return is_named(self.stage, stage_id, stage_name)


class MappingIndex:
    """The rules of one organization, indexed so that thousands of roles can be looked up at once."""

    def __init__(self, rules: Iterable[MappingRule] = ()) -> None:
        self.rules = tuple(rules)
        self.stages = frozenset(rule.stage.strip() for rule in self.rules if not rule.is_for_any_stage)
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


# Which stages are trigger stages: entering one may lead to an invitation.


@dataclass(frozen=True)
class TriggerPolicy:
    """An organization's stage prefix, and the stages that its role mappings name by name or id."""

    prefix: str
    mapped_stages: frozenset[str] = frozenset()

    def has_prefix(self, stage_name: str) -> bool:
        """Whether a stage's name begins with the prefix; an empty prefix matches nothing."""
        prefix = normalize(self.prefix)
        return bool(prefix) and normalize(stage_name).startswith(prefix)

    def is_trigger(self, stage_id: str, stage_name: str) -> bool:
        """Whether entering the stage may lead to an invitation."""
        return self.has_prefix(stage_name) or any(
            is_named(written, stage_id, stage_name) for written in self.mapped_stages
        )
