"""The invitation alone: few places, so that every pair of faults can be tried."""

from portal.devtools.chaos.every_point.jobs.job import Job
from portal.devtools.chaos.every_point.jobs.main import INVITATION

JOB = Job("invitation", (INVITATION,))
