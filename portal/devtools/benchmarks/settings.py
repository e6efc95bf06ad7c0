"""The portal's settings with the baseline view's address added; for `manage.py bench` alone."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "portal.devtools.benchmarks.urls"
