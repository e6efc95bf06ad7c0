"""A past of many candidates in fifty organizations, written by SQL: what the lists and the pages are timed with.

Candidate 1 is the newest; each further one came STEP seconds earlier. So a larger history is the smaller one with older
rows added, and both are as dense.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from django.contrib.auth.models import User
from django.db import DatabaseError, connection, models, transaction
from django.db.models.expressions import DatabaseDefault

from integrations.audit.models.chain import NO_HASH
from integrations.audit.models.entry import AuditEntry, TargetKind
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks import history_columns as columns

ORGANIZATIONS = 50
CALLS = 5  # a candidate's
#: What the candidate with the longest timeline has more than others.
BUSY_DELIVERIES, BUSY_CALLS = 300, 3_000
#: The limited member is on every so-many-th candidate.
ONE_IN = 1_000


@dataclass(frozen=True)
class History:
    """The people who look, the organization with half of the rows, and one of its candidates."""

    superuser: User
    owner: User
    limited: User
    large: Organization

    @classmethod
    def create(cls) -> Self:
        """Create the organizations and the people, without any candidate."""
        organizations = Organization.objects.bulk_create(
            Organization(name=f"Customer {number:02}", slug=f"customer-{number:02}")
            for number in range(ORGANIZATIONS)
        )
        large = organizations[0]
        superuser = User.objects.create_superuser("operator", "operator@example.org")
        owner = User.objects.create_user("owner", "owner@example.org", is_staff=True)
        limited = User.objects.create_user("limited", columns.LIMITED_ADDRESS)
        Membership.objects.create(user=owner, organization=large, role=Membership.Role.SUPER_ADMIN)
        Membership.objects.create(
            user=limited,
            organization=large,
            role=Membership.Role.LIMITED_TEAM_MEMBER,
            address=columns.LIMITED_ADDRESS,
        )
        return cls(superuser, owner, limited, large)

    @property
    def candidate(self) -> str:
        """The opportunity of an ordinary candidate of the large organization."""
        return columns.opportunity_id(4)

    @property
    def limited_candidate(self) -> str:
        """The opportunity of a candidate that the limited member sees."""
        return columns.opportunity_id(2)

    @property
    def busy_candidate(self) -> str:
        """The opportunity of the candidate with the longest timeline."""
        return columns.opportunity_id(2)

    def grow(self, first: int, last: int) -> None:
        """Add the candidates `first` to `last` with all their rows, and bring the planner's statistics up to date."""
        with transaction.atomic():
            _skip_foreign_keys()
            self._candidates(first, last)
            if first == 1:
                self._busy_candidate()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")

    def _candidates(self, first: int, last: int) -> None:
        large = self.large.pk
        _insert(Invitation(organization=self.large), first, last, columns.invitation(large))
        _insert(
            Delivery(organization=self.large, payload=columns.PAYLOAD), first, last, columns.delivery(large)
        )
        _insert(
            Candidate(organization=self.large, stage_name="CodeScreen Assessment"),
            first,
            last,
            columns.candidate(large),
        )
        _insert(
            _unchained(Verdict(organization=self.large)), first, last, columns.verdict(large), columns.DECIDED
        )
        _insert(Effect(organization=self.large), first, last, columns.effect(large))
        _insert(
            Result(organization=self.large, report_url="https://app.codescreen.com/#/report/1"),
            first,
            last,
            columns.result(large),
        )
        calls = ApiCall(
            organization=self.large, request_body=columns.BODY, response_body=columns.BODY, duration_ms=31
        )
        _insert(calls, (first - 1) * CALLS + 1, last * CALLS, columns.call(large, f"((n - 1) / {CALLS} + 1)"))
        entry = AuditEntry(
            organization=self.large,
            action="approve",
            target_kind=TargetKind.INVITATION,
            changes={"status": ["a", "b"]},
        )
        _insert(_unchained(entry), first, last, columns.audit_entry(large), "n % 5 = 0")
        person = OpportunityPerson(organization=self.large, relation="owner")
        _insert(person, first, last, columns.person(large, ONE_IN), f"n % 10 = 0 OR n % {ONE_IN} = 2")

    def _busy_candidate(self) -> None:
        """Give one candidate many more deliveries and calls than people usually cause."""
        own = columns.busy(2)
        deliveries = Delivery(
            organization=self.large,
            platform="lever",
            event="candidateStageChange",
            payload=columns.PAYLOAD,
            verdict="already_invited",
            explanation="This candidate has this assessment already.",
        )
        _insert(deliveries, 1, BUSY_DELIVERIES, {**own, **columns.busy_delivery(2)})
        calls = ApiCall(
            organization=self.large,
            platform="codescreen",
            method="GET",
            path="/assessments/1",
            status=200,
            duration_ms=31,
            request_body=columns.BODY,
            response_body=columns.BODY,
            correlation_id="c" * 32,
        )
        _insert(calls, 1, BUSY_CALLS, {**own, "at": columns.ago("n * 60")})


def _unchained[Row: (Verdict, AuditEntry)](row: Row) -> Row:
    """Return the row with the columns of a chain, but without a link: nothing here reads the chain."""
    row.previous_hash = row.hash = row.text_digest = NO_HASH
    row.text_salt = "0" * 32
    return row


def _skip_foreign_keys() -> None:
    """Have PostgreSQL check no references until the transaction ends, where the role may say so. It changes no plan."""
    if connection.vendor == "postgresql":
        with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")


def _insert(
    row: models.Model, first: int, last: int, changing: Mapping[str, str], where: str = "true"
) -> None:
    """Insert the row for each number n; `changing` holds the SQL of the columns that depend on n."""
    names, values, parameters = [], [], []
    for column in row._meta.local_concrete_fields:
        name = str(column.column)
        if name in changing:
            names.append(name)
            values.append(changing[name].replace("%", "%%"))  # the statement has parameters
        elif not column.primary_key:
            value: Any = getattr(row, column.attname)
            if not isinstance(value, DatabaseDefault):
                names.append(name)
                values.append("%s")
                parameters.append(column.get_db_prep_save(column.pre_save(row, add=True), connection))
    statement = (
        f"WITH RECURSIVE series (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM series WHERE n < {last}) "  # noqa: S608 - all of it is written here
        f"INSERT INTO {row._meta.db_table} ({', '.join(f'"{name}"' for name in names)}) "
        f"SELECT {', '.join(values)} FROM series WHERE {where.replace('%', '%%')}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
