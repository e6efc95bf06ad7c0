"""The data inventory: for each table, what in it is about a person, why, and how long it lives.

The portal's own tables say it on their models and columns (`store/columns.py`), those of Django and of the packages
here. And what else a person may ask (GDPR, Art. 15(1)): why, which kinds, who gets it, from where, rights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import Model

from integrations.store.columns import WITH_ACCOUNT, Holds, personal

#: What a person may know besides their data, by its heading.
PROCESSING: dict[str, tuple[str, ...]] = {
    "Why it is processed": (
        "to invite candidates to assessments in CodeScreen when a recruiter moves them in Lever",
        "to write the results back to Lever",
        "to show the organization's recruiters what was done and why, and to prove it afterwards",
    ),
    "Where it comes from": (
        "Lever, the organization's applicant tracking system, where the person or a recruiter entered the data",
        "CodeScreen: progress and results of the assessment that the person took",
    ),
    "Who gets it, and keeps it after an erasure": (
        "CodeScreen: name and e-mail address, to send the invitation",
        "Lever: tags, notes, feedback and the report, without name and address",
        "the organization's people who get the portal's e-mails, in their mailboxes: name and result",
        "the organization's people who look at the portal or take lists from it",
        "the operator of this portal, its database, backups and logs; the logs hold no names and addresses",
    ),
    "What the person may ask for": (
        "to have wrong data corrected: in Lever, from which the portal reads it again",
        "to have the data erased, or its processing restricted, and to object to it",
        "to get the data in a form that programs read: every record as a file",
        "to complain to a data protection authority",
    ),
    "Who decides": (
        "the organization's people: the portal invites by their rules, and writes down what CodeScreen states",
        "by CodeScreen's result or their passing score it may tag who passed or failed, and move who passed",
        "it rejects nobody",
    ),
}


#: A candidate's data comes in the order of the candidate's way; other tables follow by their names.
_FIRST = ("Candidate", "Invitation", "Result", "Delivery", "Verdict", "Effect", "ApiCall", "AuditEntry")


_UNTIL_SIGNED_OUT = "until the session ends; ended ones are removed daily"


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
    """Return the tables with candidates' data. Erasure empties the columns about them; the others stay."""
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


def _table(label: str, holds: str, lives: str, **user: str) -> Table:
    """Return a table of Django or a package; columns that aren't named are harmless."""
    model = apps.get_model(label)
    return Table(
        model, holds, lives, {}, user, frozenset(f.name for f in model._meta.local_fields) - user.keys()
    )


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
            "who is signed in",
            _UNTIL_SIGNED_OUT,
            session_data="who is signed in",
        ),
        _table(
            "usersessions.UserSession",
            "people's sessions: when each began and was last used, and from where",
            _UNTIL_SIGNED_OUT,
            ip="the client's address",
            user_agent="the browser",
            session_key="who is signed in",
            data="nothing",
        ),
        _table(
            "mfa.Authenticator",
            "people's second factors",
            "until its person removes it, or as long as the account",
            data="the secret or the public key; secrets are encrypted",
        ),
        _table(
            "account.EmailAddress",
            "the address of each person, and whether they proved it",
            WITH_ACCOUNT,
            email="the address",
        ),
        _table("account.EmailConfirmation", "nothing: addresses are proven by the invitation", "for ever"),
        _table(
            "socialaccount.SocialApp",
            "the providers of single sign-on that the operator entered; the secrets are in `integrations.SingleSignOn`",
            "until the operator deletes it",
        ),
        _table(
            "socialaccount.SocialAccount",
            "who a person is at a provider of single sign-on",
            WITH_ACCOUNT,
            provider="which provider",
            uid="the provider's own name of the person",
            extra_data="nothing",
        ),
        _table("socialaccount.SocialToken", "nothing: tokens of providers aren't kept", "for ever"),
        _table(
            "admin.LogEntry",
            "changes of accounts in the admin; all others are in the audit log",
            "for ever",
            object_repr="what was changed",
            change_message="which columns were changed",
        ),
        _table(
            "social_django.UserSocialAuth",
            "nothing: Lever's grant is in `integrations.LeverConnection`",
            WITH_ACCOUNT,
            uid="nothing",
            extra_data="nothing",
        ),
        _table("social_django.Partial", "nothing: no consent stops half-way", "two days", data="nothing"),
        _table("social_django.Code", "nothing: no address is sent a code", "two days", email="nothing"),
        _table(
            "social_django.Nonce", "the state of a consent at Lever", "until the consent ends, else two days"
        ),
        _table("social_django.Association", "nothing: no provider speaks OpenID 2", "two days"),
        _table("django_q.Task", "nothing: what tasks return isn't stored", "for ever"),
        _table(
            "django_q.OrmQ",
            "tasks that wake the workers; they say nothing but that, and concern nobody",
            "until a worker has done them, at most a day",
        ),
        _table("django_q.Schedule", "nothing: no schedule is stored or read", "for ever"),
        _table("auth.Permission", "Django's permissions", "for ever"),
        _table("auth.Group", "unused", "for ever"),
        _table("contenttypes.ContentType", "the tables' names", "for ever"),
    )
