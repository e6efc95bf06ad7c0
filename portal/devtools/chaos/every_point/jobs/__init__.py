"""The jobs, by name."""

from collections.abc import Mapping

from portal.devtools.chaos.every_point.jobs import (
    bulk,
    codescreen_webhooks,
    erasure,
    main,
    restore,
    results,
    settings,
    undo,
    waiting,
)
from portal.devtools.chaos.every_point.jobs.job import Job

JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        main.JOB,
        main.INVITATION_JOB,
        results.JOB,
        waiting.JOB,
        bulk.JOB,
        bulk.DRAINS_JOB,
        undo.JOB,
        erasure.JOB,
        restore.JOB,
        settings.JOB,
        codescreen_webhooks.JOB,
    )
}
