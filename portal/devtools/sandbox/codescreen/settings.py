"""The settings of an account in the pretend CodeScreen."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.runtime_settings import RuntimeSettings


@dataclass
class CodeScreenSettings(RuntimeSettings):
    """The extensions an account has beyond the three published calls, and how its webhooks behave.

    With everything off, an account answers exactly what CodeScreen publishes.
    """

    metadata: bool = True  # result, reason, attempt and times inside `metadata`
    idempotency: bool = False  # Idempotency-Key is honoured
    conflict_409: bool = False  # a second live invitation is refused
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_previous_secret: str = ""  # signs too, while a rotation is under way
    webhooks_enabled: bool = True
    webhook_retry_delays: list[float] = field(
        default_factory=lambda: [5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0]
    )
    webhook_loss: float = 0.0
    webhook_duplicates: int = 0
    webhook_shuffle_ms: int = 0
