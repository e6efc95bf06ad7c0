"""The environment of the runs: a database, and one organization with its accounts at both platforms."""

import shutil
import sys
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import connections

from integrations.codescreen.acts import save_codescreen_idempotency
from integrations.management.migrating import migrate
from integrations.organizations.models.organization import Organization
from portal.devtools.chaos.every_point import databases
from portal.devtools.chaos.every_point.jobs.job import FAILED_TAG, PASSED_TAG
from portal.devtools.chaos.every_point.options import EveryPointOptions
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.world import ASSESSMENT, EARLIER, PERSON, STAGE, opportunity_id
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import stable_id

WEBHOOK_KEY = "0123456789abcdef0123456789abcdef"
CONFIGURATION = """
[policies]
bulk_limit = 0
default_assessment = "{assessment}"
passed_tag = "{passed_tag}"
attach_report = true
failed_tag = "{failed_tag}"
[lever]
signature_token = "{signature_token}"
[codescreen]
api_key = "{api_key}"
[[mappings]]
role = "Backend Engineer"
assessment = "{assessment}"
[[mappings]]
role = "Frontend Engineer"
assessment = "{assessment}"
"""


def enter(options: EveryPointOptions) -> NoReturn:
    """Make the environment and replace this process by the same command in it. Raises psycopg.Error."""
    environment = DemoEnvironment.create("every-point")
    environment.enter(
        **databases.create(environment, options.database_url),
        EMAIL_URL="memorymail://",
        LEVER_RATE="1000",
        LEVER_BURST="1000000",
        POLL_NOT_STARTED_SECONDS="3600",
        POLL_IN_PROGRESS_SECONDS="600",
        LOG_LEVEL="CRITICAL",
        PYTHONHASHSEED=str(options.seed),
    )


def clear(environment: DemoEnvironment) -> None:
    """Remove what the runs made."""
    databases.clear(environment)
    shutil.rmtree(environment.folder, ignore_errors=True)


def set_up(environment: DemoEnvironment, platforms: Platforms) -> None:
    """Migrate the database, and configure the organization and its accounts at both platforms."""
    migrate(OutputWrapper(sys.stderr))
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    key = stable_id(ACCOUNT, "codescreen-key")
    platforms.lever_does("settings", rate_limit=0.0)
    platforms.lever_does("move", opportunities=[opportunity_id(EARLIER)], stage=STAGE)
    url = f"{environment.portal_url}/webhooks/lever/{WEBHOOK_KEY}/"
    webhook = platforms.lever_does("webhook", event="candidateStageChange", url=url)
    toml = provisioning.organization_toml("Acme", ACCOUNT, "owner") + CONFIGURATION.format(
        assessment=ASSESSMENT,
        passed_tag=PASSED_TAG,
        failed_tag=FAILED_TAG,
        signature_token=webhook["signature_token"],
        api_key=key,
    )
    provisioning.configure(environment.folder, ACCOUNT, toml)
    Organization.objects.filter(slug=ACCOUNT).update(webhook_key=WEBHOOK_KEY)


def honour_keys(platforms: Platforms, *, is_idempotent: bool) -> None:
    """Let CodeScreen's account honour idempotency keys or not, and let the organization say so."""
    platforms.codescreen_does("settings", idempotency=is_idempotent)
    save_codescreen_idempotency(Organization.objects.get(slug=ACCOUNT), is_idempotent, PERSON)
    connections.close_all()
