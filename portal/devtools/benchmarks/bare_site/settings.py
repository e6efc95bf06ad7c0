"""As little as Django runs with: one app, no middleware, a database connection that stays open."""

import os

import environ

SECRET_KEY = "only for the yardstick of a benchmark"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["portal.devtools.benchmarks.bare_site"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "portal.devtools.benchmarks.bare_site.urls"
USE_TZ = True
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": None}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # as durable as the portal's
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {}}
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None}
