"""The tables of Django and of the packages: accounts, sessions and the queue."""

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
        "tasks of the queue that failed; tasks carry no candidate's data, and erasure looks all the same",
        "django-q2's own limit",
        candidate={
            "args": "what the task was given",
            "kwargs": "what the task was given",
            "result": "the error that ended it",
        },
        harmless=frozenset({"id", "name", "func", "hook", "group", "cluster"}),
        organization="",
    ),
    Table(
        "django_q.OrmQ",
        "tasks that wait, without Redis; they carry no candidate's data, and erasure looks all the same",
        "until they are done",
        candidate={"payload": "what the task was given"},
        harmless=frozenset({"key"}),
        organization="",
    ),
    Table(
        "django_q.Schedule",
        "what the queue does by the clock",
        "as long as the release plans it",
        harmless=frozenset(
            {"name", "func", "hook", "args", "kwargs", "cron", "task", "cluster", "intended_date_kwarg"}
        ),
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
