"""Which stages are trigger stages: entering one may lead to an invitation."""

from dataclasses import dataclass

from integrations.workflow.rules.naming import is_named, normalize


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
