"""The tables of Django and of the packages, and the portal's own of the same kind: accounts, sessions, cache, queue."""

from integrations.data_inventory.table import Table

WITH_ACCOUNT = "as long as the account"

FRAMEWORK_TABLES = (
    Table(
        "auth.User",
        "the people who sign in",
        WITH_ACCOUNT,
        people={
            "username": "the name they sign in with",
            "first_name": "their first name",
            "last_name": "their last name",
            "email": "their address",
            "password": "the hash of the password",
        },
        organization="",
    ),
    Table(
        "sessions.Session",
        "who is signed in; what a page says once, which names no candidate",
        "until the session ends; ended ones are removed daily",
        people={"session_data": "who is signed in"},
        harmless=frozenset({"session_key"}),
        organization="",
    ),
    Table(
        "admin.LogEntry",
        "Django's log of changes in the admin; the portal's own is the audit log",
        "for ever",
        people={"object_repr": "the row's name", "change_message": "which columns were changed"},
        harmless=frozenset({"object_id"}),
        organization="",
    ),
    Table(
        "social_django.UserSocialAuth",
        "which account elsewhere a person signs in or connects with",
        WITH_ACCOUNT,
        people={"uid": "the id there", "extra_data": "what the provider sent"},
        harmless=frozenset({"provider", "id_key"}),
        organization="",
    ),
    Table(
        "social_django.Partial",
        "a sign-in that isn't finished",
        "two days",
        people={"data": "what is known so far"},
        harmless=frozenset({"token", "backend"}),
        organization="",
    ),
    Table(
        "social_django.Code",
        "codes sent to an address; unused",
        "two days",
        people={"email": "the address"},
        harmless=frozenset({"code"}),
        organization="",
    ),
    Table(
        "social_django.Nonce",
        "the state of a sign-in by a provider",
        "until the sign-in ends, else a day",
        harmless=frozenset({"server_url", "salt"}),
        organization="",
    ),
    Table(
        "social_django.Association",
        "the nonce of a sign-in by a provider",
        "until the sign-in ends, else a day",
        harmless=frozenset({"server_url", "handle", "secret", "assoc_type"}),
        organization="",
    ),
    Table(
        "django_q.Task",
        "nothing: what tasks return isn't stored",
        "for ever",
        harmless=frozenset({"id", "name", "func", "hook", "group", "cluster", "args", "kwargs", "result"}),
        organization="",
    ),
    Table(
        "django_q.OrmQ",
        "tasks that wake the workers; they say nothing but that, and concern nobody",
        "until a worker has done them, at most a day",
        harmless=frozenset({"key", "payload"}),
        organization="",
    ),
    Table(
        "django_q.Schedule",
        "nothing: no schedule is stored or read",
        "for ever",
        harmless=frozenset(
            {"name", "func", "hook", "args", "kwargs", "cron", "task", "cluster", "intended_date_kwarg"}
        ),
        organization="",
    ),
    Table(
        "integrations.PortalDuty",
        "what the portal does by the clock, and how it went",
        "for ever",
        harmless=frozenset({"last_error"}),
        organization="",
    ),
    Table(
        "integrations.CacheEntry",
        "what was read or counted a moment ago, as JSON; with `REDIS_URL` in Redis instead, in keys that begin with "
        "`:1:`: `lever-user-address:…`, `single-sign-on:…`, `report:…`, `lists-asked-…`",
        "a day at most; removed daily",
        people={"value": "under `lever-user-address:…` the address of a customer's Lever user, for a day"},
        harmless=frozenset({"key"}),
        organization="",
    ),
    Table("auth.Permission", "Django's permissions", "for ever", harmless=frozenset({"name", "codename"})),
    Table("auth.Group", "unused", "for ever", harmless=frozenset({"name"})),
    Table(
        "contenttypes.ContentType",
        "the tables' names",
        "for ever",
        harmless=frozenset({"app_label", "model"}),
    ),
)
