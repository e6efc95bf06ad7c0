"""The jobs, by name."""

from collections.abc import Mapping

from portal.devtools.chaos.every_point.jobs import (
    bulk,
    erasure,
    main,
    results,
    settings,
    unstarted,
    waiting,
)
from portal.devtools.chaos.every_point.jobs.job import Job

JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        main.MAIN,
        main.INVITATION,
        results.RESULTS,
        waiting.WAITING,
        unstarted.UNSTARTED,
        bulk.BULK,
        bulk.CHOOSE,
        erasure.ERASURE,
        erasure.RESTORE,
        settings.SETTINGS,
        settings.CODESCREEN_WEBHOOKS,
    )
}
