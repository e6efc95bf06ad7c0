"""The Django settings. The environment is read here and nowhere else, by `portal.environment`."""

import os
import socket
import sys
import tomllib
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from portal.database_settings import SQLITE_BACKEND, database_settings
from portal.environment import Environment, is_delivering
from portal.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
_PROJECT = BASE_DIR / "pyproject.toml"
VERSION: str = tomllib.loads(_PROJECT.read_text())["project"]["version"] if _PROJECT.is_file() else ""

env = Environment(os.environ.get("PORTAL_ENV_FILE", str(BASE_DIR / ".env")))
#: Missing and malformed variables; portal.checks reports them as numbered checks.
CONFIGURATION_ERRORS = env.errors
#: Values that are a warning on one's own machine, and an error anywhere else.
UNSAFE_VALUES = env.unsafe

# Core

DEBUG = env.flag("DEBUG", "E007")
#: The stand-in lets the checks run; portal.checks refuses to serve with it.
SECRET_KEY = env.secret_key("SECRET_KEY", "E001", stand_in="unset-" + os.urandom(32).hex())
FIELD_ENCRYPTION_KEYS = env.texts("FIELD_ENCRYPTION_KEYS")

PORTAL_URL = env.origin("PORTAL_URL", "E002", "http://127.0.0.1:8000")
_portal = urlsplit(PORTAL_URL)
IS_HTTPS = _portal.scheme == "https"
if DEBUG and IS_HTTPS:
    env.refuse("DEBUG", "must be False with an HTTPS PORTAL_URL: error pages show settings and people's data")
_host = _portal.hostname or "127.0.0.1"
ALLOWED_HOSTS = [*env.hosts("ALLOWED_HOSTS", "E020"), f"[{_host}]" if ":" in _host else _host]
CSRF_TRUSTED_ORIGINS = [f"{_portal.scheme}://{_portal.netloc}"]
#: How many proxies in front are ours; see portal.accounts.limits.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", "E023", 0, least=0, most=9)
#: Whether the portal is for this machine alone.
IS_LOCAL = not IS_HTTPS and _host in {"127.0.0.1", "localhost", "::1"}
if IS_LOCAL:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]

#: The developer tools aren't deployed: the portal runs without their folder.
DEVELOPER_TOOLS = ["portal.devtools"] if (BASE_DIR / "portal" / "devtools" / "management").is_dir() else []
INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    *DEVELOPER_TOOLS,
    "integrations.apps.IntegrationsConfig",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "social_django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "portal.middleware.RequestIdMiddleware",
    "portal.metrics.RequestTimesMiddleware",
    "portal.middleware.ResponseHeadersMiddleware",
    "portal.middleware.DatabaseUnavailableMiddleware",
    "portal.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.WebhookMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "portal.middleware.FormMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.middleware.SlotsMiddleware",
    "portal.accounts.middleware.SessionLimitsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.middleware.TimeZoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.accounts.oauth.OAuthFailureMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.accounts.middleware.ProofMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["portal.templatetags.parts"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.site_context",
            ],
        },
    }
]

# Database

_default_database = f"sqlite:///{BASE_DIR / 'portal.sqlite3'}"
DATABASES = {"default": database_settings(env.database("DATABASE_URL", "E003", _default_database, BASE_DIR))}
IS_SQLITE = DATABASES["default"]["ENGINE"] == SQLITE_BACKEND
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache, queue

REDIS_URL = env.redis("REDIS_URL", "E014")
#: Nobody waits long for a Redis that has fallen silent: the database does what it does.
REDIS_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 3, "health_check_interval": 10}
_REDIS_WITH_OPTIONS = f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}{urlencode(REDIS_OPTIONS)}"
#: Of the default cache everything may be forgotten, and anything in it may come from who can write to Redis.
CACHES = {
    "default": {
        "BACKEND": "portal.django_parts.ForgetfulRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "portal.django_parts.JsonSerializer", **REDIS_OPTIONS},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # what nobody else may put in, or change: each process has its own
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "memory"},
    # where django-q2 keeps what tasks returned and how its processes are: nowhere
    "nowhere": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

#: The node that this process belongs to: `serve` names it for what it starts.
NODE = os.environ.get("PORTAL_NODE") or socket.gethostname()
#: Whether `serve --web` started this web server: the workers are on other nodes.
IS_WEB_ALONE = bool(os.environ.get("PORTAL_WEB_ALONE"))

MOST_WORKERS = 64
_cores = os.cpu_count() or 1
WEB_WORKERS = env.integer("WEB_WORKERS", "E005", min(_cores, 8), most=MOST_WORKERS)
#: Of each process of the web server; each keeps its database connection.
WEB_THREADS = 8
Q_WORKERS = env.integer("Q_WORKERS", "E006", min(_cores, 4), most=MOST_WORKERS)

#: Steps at once in a worker process: 10 calls a second to a slow platform need threads that wait, not processes.
STEP_THREADS = 4 if IS_SQLITE else 6
#: Concurrent duties per worker process, besides. They wait for platforms most of their time too.
DUTY_THREADS = 1 if IS_SQLITE else 6

#: Where django-q2's tasks wait. SQLite's file is asked for them again and again.
_QUEUE: dict[str, Any]
if REDIS_URL:
    _QUEUE = {"redis": _REDIS_WITH_OPTIONS}
elif IS_SQLITE:
    _QUEUE = {"orm": "default", "poll": 0.05}
else:
    _QUEUE = {"broker_class": "integrations.queue.broker.NotificationBroker"}
# django-q2 runs one task, which performs what is due: the work is in the portal's own rows.
Q_CLUSTER: dict[str, Any] = {
    # of the queue too: each node has its own, so that its tasks show whether its own workers live
    "name": NODE,
    **_QUEUE,
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,
    # a task takes 5 s, a duty or a slow step more; rows are begun beside these for at most two minutes, and the last
    # of these may still make calls for a minute, whose outcome a kill would make unknown
    "timeout": 240,
    "retry": 300,
    "max_attempts": 1,
    "ack_failures": True,
    "recycle": 2000,
    # its table of results would hold pickles, which are executed when they are read
    "save_limit": -1,
    "cached": 1,
    "cache": "nowhere",
    # a row of its schedules names any function, which would be run
    "scheduler": False,
    "label": "Queue",
    "time_zone": "UTC",
}

# Sign-in

AUTHENTICATION_BACKENDS = [
    "portal.accounts.backend.PasswordBackend",
    "integrations.lever.oauth.LeverOAuth2",
]
PASSWORD_HASHERS = ["portal.accounts.backend.BoundedPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = LOGOUT_REDIRECT_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
#: A link's own time is shorter; see integrations.notifications.link_emails.
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600

#: After how many hours without use a session ends, and after how many in any case.
SESSION_IDLE_HOURS, SESSION_MAX_HOURS = 12, 7 * 24
SESSION_COOKIE_AGE = SESSION_MAX_HOURS * 3600

ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_FORMS = {
    "login": "portal.accounts.forms.LoginForm",
    "reset_password": "portal.accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "portal.accounts.forms.ChoosePasswordForm",
    "user_token": "portal.accounts.forms.LinkForm",
    "change_password": "portal.accounts.forms.ChangePasswordForm",
    "reauthenticate": "portal.accounts.forms.ProofForm",
}
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
USERSESSIONS_ADAPTER = "portal.accounts.adapter.SessionsAdapter"
MFA_ADAPTER = "portal.accounts.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "portal.accounts.second_factor.CodeForm",
    "reauthenticate": "portal.accounts.second_factor.FreshCodeForm",
    "add_webauthn": "portal.accounts.second_factor.PasskeyForm",
    "login_webauthn": "portal.accounts.second_factor.PasskeySignInForm",
    "authenticate_webauthn": "portal.accounts.second_factor.PasskeyCodeForm",
    "reauthenticate_webauthn": "portal.accounts.second_factor.FreshPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "CodeScreen–Lever portal"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
#: A passkey asks for the device's own PIN, finger or face: alone it is two factors.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL

SOCIALACCOUNT_ADAPTER = "portal.accounts.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": env.single_sign_on("OIDC_URL", "E040"),
        "SCOPE": ["openid", "email"],
        "OAUTH_PKCE_ENABLED": True,
    }
}

# Lever and CodeScreen

LEVER_CLIENT_ID = env.text("LEVER_CLIENT_ID")
LEVER_CLIENT_SECRET = env.text("LEVER_CLIENT_SECRET")
#: Of each Lever environment: where people consent, and the API.
LEVER_ENVIRONMENTS = {
    "worldwide": ("https://auth.lever.co", "https://api.lever.co/v1"),
    "eu": ("https://auth.lever.co", "https://api.eu.lever.co/v1"),
    "sandbox": ("https://sandbox-lever.auth0.com", "https://api.sandbox.lever.co/v1"),
}
_auth_url, _api_url = LEVER_ENVIRONMENTS[
    env.choice("LEVER_ENVIRONMENT", "E011", "worldwide", LEVER_ENVIRONMENTS)
]
LEVER_AUTH_URL = env.address("LEVER_AUTH_URL", "E008", _auth_url)
LEVER_API_URL = env.address("LEVER_API_URL", "E009", _api_url)
LEVER_AUDIENCE = f"{env.address('LEVER_AUDIENCE', 'E037', LEVER_API_URL)}/"
#: Of the organizations that say that their Lever is in the EU: people consent at the same address, by Lever's word.
LEVER_EU_AUTH_URL = env.address("LEVER_EU_AUTH_URL", "E041", LEVER_AUTH_URL)
LEVER_EU_API_URL = env.address(
    "LEVER_EU_API_URL", "E042", LEVER_API_URL.replace("//api.lever.co/", "//api.eu.lever.co/")
)
CODESCREEN_API_URL = env.address("CODESCREEN_API_URL", "E010", "https://app.codescreen.com/api")

#: Lever allows each account 10 requests a second and bursts of 20; a little less avoids stray 429 answers.
LEVER_RATE, LEVER_BURST = 9.9, 18

#: How long an answer may take before it counts as lost; with the time to connect it must be shorter than a lease, and
#: than the supervisor waits for calls in flight.
PLATFORM_READ_SECONDS = 15.0

#: How often CodeScreen is polled about an invitation.
POLL_NOT_STARTED_SECONDS, POLL_IN_PROGRESS_SECONDS = 3600, 600

SOCIAL_AUTH_URL_NAMESPACE = "social"
SOCIAL_AUTH_LEVER_ASSOCIATION_ONLY = True
SOCIAL_AUTH_FIELDS_STORED_IN_SESSION: list[str] = []
SOCIAL_AUTH_RAISE_EXCEPTIONS = False
SOCIAL_AUTH_LOGIN_REDIRECT_URL = "/settings/"
SOCIAL_AUTH_LEVER_NEW_ASSOCIATION_REDIRECT_URL = "/settings/"
SOCIAL_AUTH_REDIRECT_IS_HTTPS = IS_HTTPS
SOCIAL_AUTH_PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "portal.accounts.oauth.save_connection",
]

# Mail

DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", "E022", "portal@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
_email = env.email("EMAIL_URL", "E004", "consolemail://")
#: Whether people outside use the portal while its e-mails, with their links to choose a password, go to nobody.
IS_MAIL_UNSENT = IS_HTTPS and not is_delivering(_email["EMAIL_BACKEND"])
#: Whether they come from an address of no domain, which mail servers refuse.
IS_SENDER_UNKNOWN = IS_HTTPS and parseaddr(DEFAULT_FROM_EMAIL)[1].endswith("@localhost")
MAILERS = {
    "default": {
        "BACKEND": "portal.django_parts.RefusingEmailBackend" if IS_MAIL_UNSENT else _email["EMAIL_BACKEND"],
        "OPTIONS": {
            "host": _email["EMAIL_HOST"],
            "port": _email["EMAIL_PORT"] or 25,
            "username": _email["EMAIL_HOST_USER"] or "",
            "password": _email["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": bool(_email.get("EMAIL_USE_TLS")),
            "use_ssl": bool(_email.get("EMAIL_USE_SSL")),
            "timeout": 10,
        }
        if _email["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
        else {},
    }
}

# Static files, language, time

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / ".static"
_IS_TEST = "pytest" in sys.modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or _IS_TEST
        else "portal.django_parts.StaticFilesStorage"
    },
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG or _IS_TEST
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "portal.formats"

# Security

CSP_SELF = "'self'"
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": [CSP_SELF],
    "style-src": [CSP_SELF],
    "img-src": [CSP_SELF, "data:"],
    "font-src": [CSP_SELF],
    "connect-src": [CSP_SELF],
    "form-action": [CSP_SELF],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "manifest-src": [CSP_SELF],
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_HTTPS
#: Superusers read every customer's candidates: a password alone opens the admin only where nobody else reaches it.
OPERATORS_NEED_SECOND_FACTOR = IS_HTTPS
# browsers take a cookie of such a name only over HTTPS, for this host alone and from nobody else: no other host of the
# domain can plant one
_COOKIE_PREFIX = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
MESSAGE_STORAGE = "portal.django_parts.MessageStorage"
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
# `serve` speaks HTTP alone: with an HTTPS address a proxy ends TLS, however many proxies are declared as ours
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS or TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
#: The largest body of a request; the largest webhook is half as large, and nothing uploads files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
#: What somebody sends nevertheless is in memory for as long as the request: no file is written.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# Programs of organizations: /api/v1/

#: Every parameter of an address is checked; `format` would be one that isn't.
REST_FRAMEWORK: dict[str, object] = {
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PERMISSION_CLASSES": [],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CodeScreen–Lever portal",
    "DESCRIPTION": "What programs read of an organization's candidates, and where Lever and CodeScreen post webhooks.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
}

# Logging

LOG_LEVEL = env.choice("LOG_LEVEL", "E012", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice("LOG_FORMAT", "E013", "text", ("text", "json"))
LOGGING = logging_settings(LOG_LEVEL, "json" if LOG_FORMAT == "json" else "text")

SENTRY_DSN = env.sentry("SENTRY_DSN", "E021")
if SENTRY_DSN:
    from portal.error_reporting import start_reporting

    start_reporting(SENTRY_DSN, VERSION)

METRICS_TOKEN = env.token("METRICS_TOKEN", "E036")

#: Who else may read the .env file; portal.checks tells of it.
ENV_FILE_MODE = env.file_mode()

SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # HSTS preload is the operator's decision for their whole domain
    "security.W005",  # and so are its subdomains
]
