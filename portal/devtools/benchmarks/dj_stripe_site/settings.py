"""As little as dj-stripe runs with: no middleware, a database connection that stays open, no processing of events."""

from portal.devtools.benchmarks.bare_site.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]
ROOT_URLCONF = "portal.devtools.benchmarks.dj_stripe_site.urls"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_EVENT_CALLBACK = "portal.devtools.benchmarks.dj_stripe_site.callback.do_nothing"
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_benchmark"
