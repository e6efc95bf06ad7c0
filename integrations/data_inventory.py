"""The data inventory: for each table, what in it is about a person, why, and how long it lives.

The portal's own tables say it on their models and columns (`store/personal.py`), those of Django and of the packages
here. What a person may ask besides their data (GDPR, Art. 15(1)) stands here too: why, which kinds, who gets it, from
where, rights; and the page of the documentation, which is written from the declarations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import Model

from integrations.store.personal import WITH_ACCOUNT, Holds, personal

#: A candidate's data comes in the order of the candidate's way; other tables follow by their names.
_FIRST = ("Candidate", "Invitation", "Result", "Delivery", "Verdict", "Effect", "ApiCall", "AuditEntry")


@dataclass(frozen=True)
class Table:
    """What one table holds about people: the columns with texts that are about candidates, about users, harmless."""

    model: type[Model]
    holds: str
    lives: str
    candidate: Mapping[str, str]
    user: Mapping[str, str]
    harmless: frozenset[str]
    #: The lookup from a row to the id of its opportunity; empty where rows belong to none.
    opportunity: str = ""


@cache
def inventory() -> tuple[Table, ...]:
    """Return every table that holds texts or is about a person; only once all models are loaded."""
    own = [
        _declared(model)
        for model in apps.get_app_config("integrations").get_models()
        if hasattr(model, "HOLDS")
    ]
    order = {name: place for place, name in enumerate(_FIRST)}
    own.sort(key=lambda table: (order.get(table.model.__name__, len(order)), table.model.__name__))
    return (*own, *_tables_of_packages())


@cache
def candidate_tables() -> tuple[Table, ...]:
    """Return the tables with candidates' data. Erasure empties the columns about them; the others stay as evidence."""
    return tuple(table for table in inventory() if table.candidate)


def _declared(model: type[Model]) -> Table:
    said = {column.name: it for column in model._meta.local_fields if (it := personal(column))}
    holds: Holds = model.HOLDS  # type: ignore[attr-defined]
    return Table(
        model,
        holds.what,
        holds.lives,
        {name: it.candidate for name, it in said.items() if it.candidate},
        {name: it.user for name, it in said.items() if it.user},
        frozenset(name for name, it in said.items() if not (it.candidate or it.user)),
        holds.opportunity,
    )


def _table(label: str, holds: str, lives: str, *harmless: str, **user: str) -> Table:
    return Table(apps.get_model(label), holds, lives, {}, user, frozenset(harmless))


def _tables_of_packages() -> tuple[Table, ...]:
    return (
        _table(
            "auth.User",
            "the people who sign in",
            WITH_ACCOUNT,
            username="the name they sign in with",
            first_name="their first name",
            last_name="their last name",
            email="their address",
            password="the hash of the password",  # noqa: S106 - says what the column is
        ),
        _table(
            "sessions.Session",
            "who is signed in; what a page says once, which names no candidate",
            "until the session ends; ended ones are removed daily",
            "session_key",
            session_data="who is signed in",
        ),
        _table(
            "admin.LogEntry",
            "Django's log of changes in the admin; the portal's own is the audit log",
            "for ever",
            "object_id",
            object_repr="the row's name",
            change_message="which columns were changed",
        ),
        _table(
            "social_django.UserSocialAuth",
            "which account elsewhere a person signs in or connects with",
            WITH_ACCOUNT,
            "provider",
            "id_key",
            uid="the id there",
            extra_data="what the provider sent",
        ),
        _table(
            "social_django.Partial",
            "a sign-in that isn't finished",
            "two days",
            "token",
            "backend",
            data="what is known so far",
        ),
        _table(
            "social_django.Code",
            "codes sent to an address; unused",
            "two days",
            "code",
            email="the address",
        ),
        _table(
            "social_django.Nonce",
            "the state of a sign-in by a provider",
            "until the sign-in ends, else a day",
            *("server_url", "salt"),
        ),
        _table(
            "social_django.Association",
            "the nonce of a sign-in by a provider",
            "until the sign-in ends, else a day",
            *("server_url", "handle", "secret", "assoc_type"),
        ),
        _table(
            "django_q.Task",
            "nothing: what tasks return isn't stored",
            "for ever",
            *("id", "name", "func", "hook", "group", "cluster", "args", "kwargs", "result"),
        ),
        _table(
            "django_q.OrmQ",
            "tasks that wake the workers; they say nothing but that, and concern nobody",
            "until a worker has done them, at most a day",
            *("key", "payload"),
        ),
        _table(
            "django_q.Schedule",
            "nothing: no schedule is stored or read",
            "for ever",
            *("name", "func", "hook", "args", "kwargs", "cron", "task", "cluster", "intended_date_kwarg"),
        ),
        _table("auth.Permission", "Django's permissions", "for ever", "name", "codename"),
        _table("auth.Group", "unused", "for ever", "name"),
        _table("contenttypes.ContentType", "the tables' names", "for ever", "app_label", "model"),
    )


# What a person may ask besides their data.


PURPOSES = (
    "to invite candidates to assessments in CodeScreen when a recruiter moves them in Lever, and to write back results",
    "to show the organization's recruiters what was done and why, and to prove it afterwards",
)
CATEGORIES = (
    "name and e-mail addresses, as Lever has them",
    "the application: role, stage, tags that begin with CodeScreen, who is on it in Lever",
    "the assessment: invitation, times, score, result, its reason, the address of the report",
    "what was decided and sent about it, and what the organization's people did",
)
#: Who gets something, and what. Copies there aren't erased by the portal.
RECIPIENTS = (
    "CodeScreen: name and e-mail address, to send the invitation",
    "Lever: tags, notes, feedback and the report, without name and address unless the report is to hold the first name",
    "the organization's people who get the portal's e-mails, in their mailboxes: name and result",
    "the organization's people who look at the portal or take lists and evidence from it",
    "the operator of this portal, its database, backups and logs; the logs hold no names and addresses",
)
SOURCES = (
    "Lever, the organization's applicant tracking system, where the person or a recruiter entered the data",
    "CodeScreen: progress and results of the assessment that the person took",
)
RIGHTS = (
    "to have wrong data corrected: in Lever, from which the portal reads it again",
    "to have the data erased, or its processing restricted, and to object to it",
    "to get the data in a form that programs read: this file",
    "to complain to a data protection authority",
)
DECISIONS = (
    "Nothing is decided about a person by a program alone: the portal invites by rules that the organization's people "
    "set, and writes down what CodeScreen states."
)


# The page of the documentation.


_HEAD = """# Data inventory

What the portal stores about people, table by table. This page is written from what the models say and from
`integrations/data_inventory.py`, and a test fails when they differ or when a column of text is missing. To write it
anew: `python3 manage.py shell -v 0 -c "from integrations.data_inventory import page; print(page(), end='')"`.

*About candidates*: erased when the candidate is deleted or anonymized in Lever, when Lever no longer has them, by
`manage.py forget`, and after `retention_days` ([erasure](erasure.md)). *About people who use the portal*: as long as
their account. Everything else in a table is ids, codes, times, counts, scores, secrets (encrypted), and the names of
the customer's own roles, stages and assessments.

"""


_PROCESSING = (
    ("Why candidates' data is processed", PURPOSES),
    ("Who gets it, and keeps it when the portal erases", RECIPIENTS),
    ("Where it comes from", SOURCES),
)


def page() -> str:
    """Return the page as Markdown."""
    with_people = [table for table in inventory() if table.candidate or table.user]
    without = [table for table in inventory() if not (table.candidate or table.user)]
    parts = [_HEAD]
    for heading, sentences in _PROCESSING:
        parts += [f"## {heading}\n\n", *(f"- {sentence}\n" for sentence in sentences), "\n"]
    parts += ["## Tables with personal data\n"]
    parts += [_section(table) for table in with_people]
    parts += ["\n## Tables without personal data\n\n| table | holds | how long |\n|---|---|---|\n"]
    parts += [f"| `{table.model._meta.label}` | {table.holds} | {table.lives} |\n" for table in without]
    return "".join(parts)


def _section(table: Table) -> str:
    lines = [f"\n### {table.model._meta.label}\n\nHolds {table.holds}. How long: {table.lives}.\n\n"]
    lines += ["| column | about | what |\n|---|---|---|\n"]
    for about, columns in (("candidates", table.candidate), ("people who use the portal", table.user)):
        lines += [f"| `{name}` | {about} | {what} |\n" for name, what in columns.items()]
    return "".join(lines)
