"""Where candidates go who pass again and again: from stage to stage by the mappings, and whether that ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.core.rules.facts import TriggerPolicy
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import is_named


@dataclass(frozen=True)
class KnownStage:
    """A stage by its id and its name; one that Lever doesn't list has what was written for both."""

    id: str
    name: str


@dataclass(frozen=True)
class StagesOnPass:
    """The mappings and the general stage on pass, with the stages that Lever lists and those that invite."""

    mappings: MappingIndex
    general: str
    policy: TriggerPolicy
    stages: Sequence[KnownStage]

    def circle_from(self, start: MappingRule) -> tuple[KnownStage, ...]:
        """Return the stages that a candidate of this mapping would come into for ever; nothing where it ends.

        The first one stands at the end again.
        """
        passed = [self._stage(start.stage)] if start.stage.strip() else []
        rule: MappingRule | None = start
        while target := ((rule.stage_on_pass if rule else "") or self.general).strip():
            stage = self._stage(target)
            if not self.policy.is_trigger(stage.id, stage.name):
                return ()
            if stage in passed:
                return (*passed[passed.index(stage) :], stage)
            passed.append(stage)
            rule = self._holding_in(stage, start)
        return ()

    def why_circle(self, start: MappingRule) -> str:
        """Return why who passes by this mapping would be moved in a circle, as a sentence; empty where it ends."""
        path = " → ".join(f"“{stage.name}”" for stage in self.circle_from(start))
        return f"A pass would move candidates in a circle: {path}. Choose another stage." if path else ""

    def _stage(self, written: str) -> KnownStage:
        found = (stage for stage in self.stages if is_named(written, stage.id, stage.name))
        return next(found, KnownStage(written.strip(), written.strip()))

    def _holding_in(self, stage: KnownStage, start: MappingRule) -> MappingRule | None:
        """Return the mapping that holds in the stage for the roles of the first one; None without one."""
        if start.role:
            fitting = self.mappings.for_role(start.role.strip(), start.role)
        else:
            fitting = self.mappings.for_categories(start.categories)
        has_prefix = self.policy.has_prefix(stage.name)
        there = [
            rule
            for rule in fitting
            if rule.names_stage(stage.id, stage.name) or (rule.is_for_any_stage and has_prefix)
        ]
        return max(there, key=lambda rule: rule.precision, default=None)
