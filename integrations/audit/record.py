"""Record what somebody did to a row: the kind and the name under which the audit log knows each table's rows."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet

from integrations.api.models import ApiToken
from integrations.audit.models.chain import PORTAL_CHAIN
from integrations.audit.models.entry import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditEntryQuerySet,
    AuditTarget,
    Changes,
    TargetKind,
    masked,
)
from integrations.catalog.models import RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from integrations.single_sign_on.models import SingleSignOn

#: A candidate: the organization's id and Lever's id of the opportunity.
type CandidateKey = tuple[int, str]

_AUDITED: dict[type[models.Model], tuple[TargetKind, Callable[[Any], object]]] = {
    Organization: (TargetKind.ORGANIZATION, lambda row: row.name),
    Membership: (TargetKind.MEMBER, lambda row: row.user),
    User: (TargetKind.ACCOUNT, str),
    PendingMembership: (TargetKind.PENDING_MEMBERSHIP, lambda row: row.email),
    SingleSignOn: (TargetKind.SINGLE_SIGN_ON, str),
    RoleMapping: (TargetKind.MAPPING, str),
    LeverConnection: (TargetKind.LEVER_CONNECTION, lambda _: "Lever"),
    LeverWebhook: (TargetKind.LEVER_WEBHOOK, lambda _: "Lever webhook"),
    CodeScreenConnection: (TargetKind.CODESCREEN_CONNECTION, lambda _: "CodeScreen connection"),
    ApiToken: (TargetKind.API_TOKEN, lambda row: row.name),
    Invitation: (TargetKind.INVITATION, lambda row: f"invitation {row.pk}"),
    Effect: (TargetKind.EFFECT, str),
    Delivery: (TargetKind.DELIVERY, str),
    Erasure: (TargetKind.ERASURE, lambda row: f"opportunity {row.opportunity_id}"),
}

#: The model of the row that an entry of the portal's own tables is about, by kind.
MODELS: dict[str, type[models.Model]] = {
    kind: model for model, (kind, _) in _AUDITED.items() if model is not User
}


def target_of(row: models.Model | None) -> AuditTarget:
    """Return the row as an audit entry names it; None stands for the portal as a whole.

    Call it before the row is deleted, where an entry about that follows.
    """
    if row is None:
        return AuditTarget(TargetKind.ORGANIZATION, PORTAL_CHAIN, "the portal")
    kind, name = next(_AUDITED[model] for model in row.__class__.__mro__ if model in _AUDITED)
    organization_id = row.pk if kind == TargetKind.ORGANIZATION else getattr(row, "organization_id", None)
    return AuditTarget(kind, row.pk, str(name(row)), organization_id)


def audit(
    about: models.Model | AuditTarget | None,
    actor: Actor,
    action: AuditAction,
    changes: Changes | None = None,
    reason: str = "",
    *,
    name: str = "",
    organization: Organization | None = None,
) -> None:
    """Append one entry about a row, or about the portal as a whole; secrets in `changes` are masked by their names.

    `name` stands for the row's own. The entry is in the log of the row's organization; `organization` says whose
    where the row belongs to none. Call it last in the transaction: it locks the head of the log's chain until the end.
    """
    target = about if isinstance(about, AuditTarget) else target_of(about)
    AuditEntry.objects.create(
        organization_id=organization.pk if organization else target.organization_id,
        actor=actor if isinstance(actor, User) else None,
        actor_name=str(actor)[:200],
        action=action,
        target_kind=target.kind,
        target_id=target.id,
        target=(name or target.name)[:300],
        changes=masked(changes or {}),
        reason=reason,
    )


def candidates_of(entries: Iterable[AuditEntry]) -> dict[int, CandidateKey]:
    """Return which candidate each entry is about, by the entry's key; a query for each kind of row among them."""
    found: dict[int, CandidateKey] = {}
    rows: dict[str, dict[int, list[AuditEntry]]] = {}
    for entry in entries:
        if (told := entry.changes.get("opportunity_id")) and entry.organization_id:
            found[entry.pk] = entry.organization_id, str(told[1])
        elif entry.target_kind in _OF_CANDIDATES and entry.target_id:
            rows.setdefault(entry.target_kind, {}).setdefault(entry.target_id, []).append(entry)
    for kind, about in rows.items():
        keys = MODELS[kind]._default_manager.filter(pk__in=about)
        for key, organization_id, opportunity_id in keys.values_list("pk", "organization", "opportunity_id"):
            found |= {entry.pk: (organization_id, opportunity_id) for entry in about[key] if opportunity_id}
    return found


# Which audit entries are about a candidate: one answer for the candidate's page and erasure.

_OF_CANDIDATES = (TargetKind.INVITATION, TargetKind.DELIVERY, TargetKind.EFFECT, TargetKind.ERASURE)


def audit_entries_about(organization_id: int, opportunity_id: str) -> AuditEntryQuerySet:
    """Return the entries about a row of the opportunity."""
    own = {"organization": organization_id, "opportunity_id": opportunity_id}
    keys = {
        kind: MODELS[kind]._default_manager.filter(**own).values_list("pk", flat=True)
        for kind in _OF_CANDIDATES
    }
    return AuditEntry.objects.filter(organization=organization_id).about(keys)


def names_of(candidates: Iterable[CandidateKey]) -> dict[CandidateKey, str]:
    """Return the names of those candidates whose names are known, by a query or two."""
    wanted = {key for key in candidates if key[1]}
    if not wanted:
        return {}
    names = _names(Candidate.objects.exclude(name=""), "name", wanted)
    if missing := wanted - names.keys():  # who was invited again by hand, or before candidates were kept
        names |= _names(Invitation.objects.exclude(candidate_name=""), "candidate_name", missing)
    return names


def _names(rows: QuerySet[Any], column: str, wanted: set[CandidateKey]) -> dict[CandidateKey, str]:
    own = rows.filter(
        opportunity_id__in={opportunity_id for _, opportunity_id in wanted},
        organization__in={organization_id for organization_id, _ in wanted},
    )
    found = own.order_by("pk").values_list("organization_id", "opportunity_id", column)
    return {(organization, one): name for organization, one, name in found if (organization, one) in wanted}
