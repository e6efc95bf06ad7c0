"""The parts of a proof: which job, of what account, with one fault each or two, in which processes."""

from dataclasses import dataclass

from portal.devtools.chaos.every_point.jobs import JOBS


@dataclass(frozen=True)
class Part:
    """One part: a job with one fault at each place, or every pair of two, or a sample of kills in real processes."""

    job: str
    is_idempotent: bool = False
    has_pairs: bool = False
    is_real: bool = False

    def __str__(self) -> str:
        """The options that choose this part."""
        return self.job_options + (" --pairs" if self.has_pairs else "")

    @property
    def job_options(self) -> str:
        """The options that choose its job, for the repetition of one run."""
        flags = [("--idempotency", self.is_idempotent), ("--real", self.is_real)]
        return " ".join([f"--job {self.job}", *(name for name, is_set in flags if is_set)])

    @property
    def has_processes(self) -> bool:
        """Whether the portal's processes are real ones, which reach the platforms over sockets."""
        return self.is_real or JOBS[self.job].in_drains


#: Every job with one fault at each place of it.
ALL_JOBS = tuple(map(Part, JOBS))
NIGHTLY = (
    *ALL_JOBS,
    Part("invitation", is_idempotent=True),
    Part("codescreen-webhooks", is_idempotent=True),
    Part("invitation", has_pairs=True),
    Part("main", is_real=True),
)
