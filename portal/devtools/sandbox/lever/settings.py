"""The settings of an account in the pretend Lever; the defaults are a well-behaved Lever."""

from dataclasses import dataclass, field

from portal.devtools.sandbox.runtime_settings import RuntimeSettings


@dataclass
class LeverSettings(RuntimeSettings):
    """Limits, lifetimes, and the points that Lever's documentation leaves open."""

    rate_limit: float = 10.0  # requests a second; 0 turns the limit off
    rate_burst: int = 20
    retry_after: bool = False  # whether a 429 carries Retry-After
    access_token_seconds: int = 3600
    refresh_idle_days: int = 90
    refresh_days: int = 365
    refresh_grace_seconds: float = 0.0  # how long the previous refresh token still works
    strict_perform_as: bool = False  # every write needs it, and the user has to be active
    late_posting_tags: bool = True  # a tag put on a posting later reaches its active opportunities
    stage_event_on_create: bool = False
    list_deleted_feedback: bool = True
    ignores_unknown_fields: bool = False  # values of feedback for field ids that the template doesn't have
    text_file_numbers: bool = False  # files' size and time as strings, as the documentation prints them
    file_status: str = "processed"  # what Lever says of files: also processing, unsupported, error
    verify_event: str = "candidateHired"  # the event a test request names; empty: the webhook's own
    webhooks_enabled: bool = True  # off: nothing is sent, as if every webhook were lost
    webhook_retry_delays: list[float] = field(default_factory=lambda: [1.0, 5.0, 30.0, 120.0, 600.0])
    webhook_loss: float = 0.0  # the share of webhooks that are never sent
    webhook_duplicates: int = 0  # further copies of each webhook
    webhook_shuffle_ms: int = 0  # each webhook waits a random time up to this: out of order
    webhook_without_id: bool = False
