"""Pages of an organization with 100,000 invitations need no more queries than with 80, and hardly more time."""

import io
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.accounts.models.sessions import UserSession
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.catalog.models.platform_lists import Assessment, Role, Stage
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from tests.support import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

ROWS = 100_000
TEMPLATES = 40  # one every nine days for a year, in different states
FEW = 2  # copies of each template in the small organization
ROLES = 2_000
#: A page may take this many times as long as a trivial page, measured in the same run.
MAX_RATIO = 60

PAGES = [
    "/",
    "/activity/",
    "/activity/?page=2",
    "/activity/?view=attention",
    "/activity/?view=held",
    "/activity/?view=not_invited",
    "/activity/?view=in_progress",
    "/activity/?view=passed",
    "/activity/?role=Role+1",
    "/activity/?view=not_invited&reason=no_email",
    "/activity/?view=not_invited&reason=entered_before",
    "/candidates/bulk/?act=retry",
    "/activity/?page=-1",
    "/activity/?q={candidate}",
    "/activity/{candidate}/",
    "/mappings/",
    "/mappings/?show=unmapped",
    "/mappings/?q=Role+1",
    "/what-if/",
    "/health/",
    "/settings/",
    "/settings/notifications/",
    "/settings/notifications/team/",
    "/audit/",
    *(
        f"/admin/integrations/{model}/{query}"
        for model in ("delivery", "verdict", "apicall", "effect", "invitation", "result", "auditentry")
        for query in ("", "?p=2", "?p=-1")
    ),
    "/admin/",
    "/admin/log/",
    "/admin/integrations/invitation/?q={candidate}",
    "/admin/integrations/invitation/?invited=again&period=quarter",
    "/admin/integrations/effect/?on=lever&period=week",
    "/admin/integrations/delivery/{delivery}/change/",
]
PARTS = {"/": ["overview"], "/activity/": ["list"], "/health/": ["health"]}


class SizedOrganization:
    """An organization with the same forty candidates, each copied `copies` times."""

    def __init__(self, slug: str, copies: int, roles: int) -> None:
        self.organization = factories.OrganizationFactory.create(slug=slug, name=slug.title())
        self.owner: User = User.objects.create_user(f"owner-{slug}", is_staff=True)
        Membership.objects.create(user=self.owner, organization=self.organization, role="super_admin")
        now = timezone.now()
        factories.LeverConnectionFactory.create(organization=self.organization)
        factories.LeverWebhookFactory.create(organization=self.organization, last_received_at=now)
        factories.CodeScreenConnectionFactory.create(organization=self.organization, verified_at=now)
        own = {"organization": self.organization}
        Stage.objects.create(**own, external_id="stage-1", name="CodeScreen Assessment")
        Assessment.objects.create(**own, external_id="assessment-backend", name="Backend")
        Role.objects.bulk_create(
            Role(**own, external_id=f"role-{number}", title=f"Role {number}", state="published")
            for number in range(roles)
        )
        RoleMapping.objects.bulk_create(
            RoleMapping(**own, role=f"Role {number}", assessment="Backend") for number in range(0, roles, 4)
        )
        for number in range(TEMPLATES):
            self._candidate(number, copies)
        target = AuditTarget(TargetKind.ORGANIZATION, self.organization.pk, self.organization.name)
        audit(target, self.owner, AuditAction.CHANGE_POLICIES, organization=self.organization)
        multiply(AuditEntry, AuditEntry.objects.latest("pk"), copies, {})

    def _candidate(self, number: int, copies: int) -> None:
        """Create a candidate with an invitation, a delivery, an effect, a call and a result, and the copies of them."""
        at = timezone.now() - timedelta(days=9 * number, minutes=5)
        status = ("completed", "completed", "invited", "in_progress", "submitted", "held", "uncertain")[
            number % 7
        ]
        own = {"organization": self.organization, "opportunity_id": f"o-{number}-0"}
        invitation = factories.InvitationFactory.create(
            **own,
            status=status,
            instance_id=f"i-{number}-0",
            role_title=f"Role {number}",
            created_at=at,
            changed_at=at + timedelta(minutes=4),
            invited_at=at + timedelta(seconds=3),
            completed_at=at + timedelta(minutes=4) if status == "completed" else None,
        )
        delivery = factories.DeliveryFactory.create(
            **own, invitation=invitation, verdict="invite", received_at=at, decided_at=at, due_at=None
        )
        candidate = factories.CandidateFactory.create(
            **own,
            delivery=delivery,
            invitation=invitation if number % 5 else None,
            outcome="Passed" if status == "completed" and number % 5 else "",
            entered_at=at,
        )
        effect = factories.EffectFactory.create(
            **own,
            invitation=invitation,
            delivery=delivery,
            state="failed" if number % 40 == 0 else "done",
            due_at=None,
            created_at=at,
        )
        call = ApiCall.objects.create(
            **own,
            platform="lever",
            method="GET",
            path="/opportunities/x",
            status=200,
            duration_ms=5,
            correlation_id="c" * 32,
            delivery=delivery,
            effect=effect,
            at=at,
        )
        new = f"'o-{number}-' || n"
        invitations = multiply(
            Invitation,
            invitation,
            copies,
            {
                "opportunity_id": new,
                "contact_id": new,
                "instance_id": f"'i-{number}-' || n",
                "reference": f"'r{self.organization.pk}-{number}-' || n",
            },
        )
        same = f"{invitations} + n"
        deliveries = multiply(
            Delivery, delivery, copies, {"opportunity_id": new, "dedupe_key": new, "invitation_id": same}
        )
        same_delivery = {"delivery_id": f"{deliveries} + n", "invitation_id": same}
        multiply(Verdict, delivery.verdicts.get(), copies, same_delivery)
        earlier = factories.VerdictFactory.create(delivery=delivery, code="paused", is_current=False)
        multiply(Verdict, earlier, copies, {**same_delivery, "invitation_id": "null"})
        invited = {} if candidate.invitation is None else {"invitation_id": same}
        multiply(
            Candidate,
            candidate,
            copies,
            {"opportunity_id": new, "delivery_id": f"{deliveries} + n", **invited},
        )
        effects = multiply(
            Effect,
            effect,
            copies,
            {"opportunity_id": new, "key": new, "invitation_id": same, "delivery_id": f"{deliveries} + n"},
        )
        multiply(
            ApiCall,
            call,
            copies,
            {"opportunity_id": new, "delivery_id": f"{deliveries} + n", "effect_id": f"{effects} + n"},
        )
        if status == "completed":
            result = Result.objects.create(invitation=invitation, outcome="Passed", score=82, created_at=at)
            multiply(Result, result, copies, {"invitation_id": same})

    def client(self) -> Client:
        """Return a client that is signed in as the Super Admin."""
        client = Client()
        client.force_login(self.owner, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def addresses(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield each page's name, its address, and the headers that request a part of it."""
        delivery = Delivery.objects.filter(organization=self.organization).latest("pk")
        for page in PAGES:
            url = page.format(candidate=delivery.opportunity_id, delivery=delivery.pk)
            yield page, url, {}
            for part in PARTS.get(page, []):
                yield f"{page} ({part})", url, {"X-Live-Part": part}


def multiply(model: Any, row: Any, copies: int, changes: dict[str, str]) -> int:
    """Copy a row by SQL; `changes` are the expressions of `n` for columns that differ. Return the id before copy 1."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        base = int(cursor.fetchone()[0])
        changes = {"id": f"{base} + n", **changes}
        if any(column.name == "position" for column in model._meta.local_concrete_fields):
            changes.setdefault("position", f"1000000 + {base} + n")  # its place in the chain
        names = [column.column for column in model._meta.local_concrete_fields]
        wanted = ", ".join(changes.get(name, f'original."{name}"') for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        cursor.execute(
            f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {copies - 1}) "
            f"INSERT INTO {table} ({quoted}) SELECT {wanted} FROM {table} original, series WHERE original.id = {row.pk}"
        )
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    return base


@pytest.fixture
def organizations(db: None) -> tuple[SizedOrganization, SizedOrganization]:
    """A small and a large organization in one database."""
    both = SizedOrganization("small", FEW, 60), SizedOrganization("large", ROWS // TEMPLATES, ROLES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return both


def shortest_time(action: Callable[[], Any], times: int) -> float:
    """Return the shortest duration of several runs, in seconds."""
    durations = []
    for _ in range(times):
        started_at = time.perf_counter()
        action()
        durations.append(time.perf_counter() - started_at)
    return min(durations)


USE_OF_SESSION = f'UPDATE "{UserSession._meta.db_table}"'


def queries(client: Client, url: str, header: dict[str, str]) -> tuple[list[dict[str, str]], Any]:
    """Return the queries that a page needed, and the answer.

    Without the note that the session was used: it is written once a minute, whatever the page.
    """
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, headers=header)
    assert answer.status_code == 200, url
    needed = [one for one in captured.captured_queries if not one["sql"].startswith(USE_OF_SESSION)]
    return needed, answer


def test_pages_are_fast_when_there_is_much_data(
    organizations: tuple[SizedOrganization, SizedOrganization],
) -> None:
    small, large = organizations
    assert Invitation.objects.filter(organization=large.organization).count() == ROWS
    few, many = small.client(), large.client()
    trivial = shortest_time(partial(many.get, "/notifications/"), 5)
    wrong, report = [], []
    for (name, short, header), (_, long, _) in zip(small.addresses(), large.addresses(), strict=True):
        few.get(short, headers=header)  # fills shared caches, such as templates
        little, _ = queries(few, short, header)
        much, answer = queries(many, long, header)
        ratio = shortest_time(partial(many.get, long, headers=header), 3) / trivial
        report.append(
            f"{name:60} {len(little):3} {len(much):3} queries  {ratio:6.1f} ×  {len(answer.content):7} bytes"
        )
        if len(much) > len(little) or ratio > MAX_RATIO or len(answer.content) > 400_000:
            slowest = sorted(much, key=lambda query: float(query["time"]))[-3:]
            wrong.append(
                "\n    ".join([report[-1], *(f"{one['time']} s: {one['sql'][:500]}" for one in slowest)])
            )
    sys.stdout.write("\n".join([f"trivial page {trivial * 1000:.1f} ms", *report, ""]))
    assert wrong == [], "\n".join(wrong)


class _LineCounter(io.TextIOBase):
    """A file that counts lines and keeps nothing."""

    lines = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return len(text)


def test_exports_are_streamed(organizations: tuple[SizedOrganization, SizedOrganization]) -> None:
    small, large = organizations
    kinds = ("deliveries", "verdicts", "invitations", "results", "effects", "calls")
    for kind in kinds:
        call_command("export", kind, small.organization.slug, stdout=_LineCounter())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in kinds:
        out = _LineCounter()
        call_command("export", kind, large.organization.slug, stdout=out)
        assert out.lines > ROWS / 5, kind
    answer: Any = large.client().get("/audit/export/")
    assert len([None for _ in answer.streaming_content]) > ROWS / TEMPLATES
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sys.stdout.write(f"exports of {ROWS} rows grew the process by {growth:.0f} MB\n")
    assert growth < 60
