"""The parts of the whole form: which job, whether the account honours idempotency keys, one fault each or two."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part: a job with one fault at each place, or its first phase with every pair of two."""

    job: str
    is_idempotent: bool = False
    has_pairs: bool = False

    def __str__(self) -> str:
        """The options that choose this part."""
        return self.job_options + (" --pairs" if self.has_pairs else "")

    @property
    def job_options(self) -> str:
        """The options that choose its job, for the repetition of one run."""
        return f"--job {self.job}" + (" --idempotency" if self.is_idempotent else "")


WHOLE = (
    Part("main"),
    Part("invitation", is_idempotent=True),
    Part("invitation", has_pairs=True),
)
