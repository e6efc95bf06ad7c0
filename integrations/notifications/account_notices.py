"""E-mails about accounts and members, and members' requests to those who may act."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import get_random_string

from integrations.api.models import ApiToken
from integrations.audit.models.entry import Actor, AuditAction, Changes, masked
from integrations.audit.record import audit, target_of
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.act import Act
from integrations.core.finding_code import (
    API_TOKENS,
    CODESCREEN_SETTINGS,
    LEVER_SETTINGS,
    MAPPINGS,
    NOTIFICATIONS,
    SETTINGS,
    TEAM,
    WEBHOOK_SETTINGS,
    Page,
)
from integrations.core.vocabulary import ActionNotAllowed
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic, Line, Link, page_link, timeline_link
from integrations.notifications.notices import EmailPayload, render_notice
from integrations.notifications.notify import PRIORITY as USUAL_PRIORITY
from integrations.notifications.notify import effect_key, enqueue_email
from integrations.notifications.rendering import OPEN, ComposedEmail, RenderedEmail, without_links
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store import database

INTERVAL = timedelta(days=1)
#: So many of those who may act get a request, and so many of them are named.
MOST_ASKED, MOST_NAMED = 20, 3

SENT_ALREADY = "You asked within the last day. They already have your e-mail."


def who_may(organization: Organization, act: Act) -> list[Membership]:
    """Return all active members who may do an act, by their user names."""
    members = organization.memberships.filter(user__is_active=True).select_related("user")
    found = members.order_by("user__username")
    return [one for one in found if one.may(act.record.needs)]


def askable(organization: Organization, act: Act) -> list[Membership]:
    """Return the members who would get a request for the act: those who may do it and have an address, at most 20."""
    return [one for one in who_may(organization, act) if one.user.email][:MOST_ASKED]


def recent_request(member: Membership, act: Act, opportunity_id: str = "") -> Effect | None:
    """Return the e-mail in which the member asked within the last day; None where it wasn't and won't be sent.

    About a candidate it is one whatever the act, else one for each act.
    """
    emails = Effect.objects.filter(
        member=member,
        email_topic=EmailTopic.REQUEST,
        opportunity_id=opportunity_id,
        created_at__gt=database.now() - INTERVAL,
    ).exclude(state__in=[Effect.State.FAILED, Effect.State.CANCELLED])
    found = emails.order_by("-created_at", "-pk")
    return next((one for one in found if opportunity_id or _requested(one) == act), None)


def asked(email: Effect) -> list[Membership]:
    """Return the members that a request went to, but for those who have left."""
    recipients = EmailPayload.from_json(email.payload).recipients
    members = Membership.objects.filter(organization=email.organization_id, user__email__in=recipients)
    return list(members.select_related("user").order_by("user__username"))


def names_of(members: Sequence[Membership], joint: str) -> str:
    """Return the names of at most three members and how many others there are, joined by “and” or “or”."""
    names = [one.name for one in members[:MOST_NAMED]]
    if others := len(members) - len(names):
        names.append(f"{others} other{'' if others == 1 else 's'}")
    *first, last = names or [""]
    return f"{', '.join(first)} {joint} {last}" if first else last


def _requested(email: Effect) -> str:
    return EmailPayload.from_json(email.payload).requested


def send_request(member: Membership, act: Act, opportunity_id: str = "") -> list[Membership]:
    """Enqueue one e-mail to those who may do the act, about a candidate or none; return who gets it.

    It is recorded in the audit log. Raises ActionNotAllowed with why nobody gets it.
    """
    if not act.record.request:
        raise ActionNotAllowed("Choose what you want to ask for.")
    with transaction.atomic():
        # two clicks at once are one request: the second waits for this lock and then finds the first one's e-mail
        Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=member.pk)
        if member.may(act.record.needs):
            raise ActionNotAllowed("You may do it yourself.")
        recipients = askable(member.organization, act)
        if not recipients:
            raise ActionNotAllowed("Nobody who may do it has an e-mail address here. Please ask in person.")
        if recent_request(member, act, opportunity_id):
            raise ActionNotAllowed(SENT_ALREADY)
        asked_page = MAPPINGS if act.record.needs == "may_configure" else SETTINGS
        asks = f"{member.name} asks you to {act.record.request}"
        where = Link(OPEN, timeline_link(opportunity_id)) if opportunity_id else page_link(asked_page)
        key = f"{member.pk}:{act}:{opportunity_id}:{database.now():%Y-%m-%dT%H:%M:%S.%f}"
        enqueue_email(
            member.organization,
            EmailTopic.REQUEST,
            key,
            EmailPayload(
                recipients=tuple(one.user.email for one in recipients),
                subject=asks,
                lines=(f"{asks}. Their role is {member.get_role_display()}.", where),
                requested=act.value,
            ),
            member=member,
            opportunity_id=opportunity_id,
        )
        email = Effect.objects.get(
            organization=member.organization_id,
            kind=Effect.Kind.SEND_EMAIL,
            key=effect_key(EmailTopic.REQUEST, key),
        )
        audit(email, member.user, AuditAction.ASK, reason=act.record.request)
    return recipients


PRIORITY = 1  # a person who has to stop somebody must know at once


def tell_person(user: User, subject: str, lines: Sequence[Line], *, key: str = "") -> bool:
    """Enqueue an e-mail to the person; return whether there is a way to send one. Call it in the change's transaction.

    E-mails belong to an organization: it goes through the person's first. Without one, or an address, there is none.
    With a key the e-mail is sent once for each person and key.
    """
    member = Membership.objects.filter(user=user).select_related("organization").order_by("pk").first()
    if member is None or not user.email:
        return False
    enqueue_email(
        member.organization,
        EmailTopic.ACCOUNT,
        f"{user.pk}:{key or get_random_string(12)}",
        EmailPayload(recipients=(user.email,), subject=subject, lines=tuple(lines)),
        member=member,
        priority=PRIORITY,
    )
    return True


type Redirecting = Organization | LeverConnection | LeverWebhook | CodeScreenConnection | ApiToken


def _page_about(about: Redirecting, action: AuditAction) -> Page:
    """Return the page that has what was changed."""
    match about:
        case LeverConnection():
            return LEVER_SETTINGS
        case CodeScreenConnection():
            return CODESCREEN_SETTINGS
        case ApiToken():
            return API_TOKENS
    return NOTIFICATIONS if action is AuditAction.CHANGE_CHAT_ROOM else WEBHOOK_SETTINGS


def audit_and_tell(
    about: Redirecting,
    actor: Actor,
    action: AuditAction,
    changes: Changes | None = None,
    *,
    name: str = "",
) -> None:
    """Append the audit entry of an act that decides where candidates' data goes or who reads it, and tell of it.

    The e-mail goes to the Super Admins of this moment, who acted among them. Call it last in the act's transaction.
    """
    organization = about if isinstance(about, Organization) else about.organization
    details = "; ".join(
        f"{column.replace('_', ' ')}: {', '.join(after) if isinstance(after, list) else after}"
        for column, (_, after) in masked(changes or {}).items()
    )
    happened = f"{actor} {action.label}: {name or target_of(about).name}"
    lines = (
        without_links(
            f"{happened}{f' ({details})' if details else ''}, on {database.now():%d %B %Y at %H:%M} UTC."
        ),
        "It decides where candidates' data goes, or who reads it. If that isn't right, change it back.",
        page_link(_page_about(about, action)),
    )
    _tell_super_admins(
        organization, EmailTopic.ACCOUNT, without_links(f"{organization.name}: {happened}"), lines
    )
    audit(about, actor, action, changes, name=name)


def tell_members_changed(
    organization: Organization, who: str, what_happened: str, actor: Actor, *, ended: User | None = None
) -> str:
    """Enqueue an e-mail that says what happened to the membership of `who`, and who did it.

    It goes to the Super Admins of this moment, who may be fewer when it is sent. It names the tokens that the person
    whose access `ended` has made: programs read on with them. Return that sentence, for the log; empty without any.
    """
    tokens = ApiToken.objects.live().filter(organization=organization, made_by=ended) if ended else ()
    names = ", ".join(f"“{token}”" for token in tokens)
    left = (
        f"Programs still read with the tokens that they made: {names}. Revoke what you don't need."
        if names
        else ""
    )
    lines: list[Line] = [
        f"{who}: {what_happened}.",
        f"This was done by {actor}. If that isn't right, check the members.",
    ]
    if left:
        lines.append(without_links(left))
    lines.append(page_link(TEAM))
    topic = EmailTopic.MEMBERS_CHANGED
    subject = f"Members changed: {who}"
    _tell_super_admins(organization, topic, subject, tuple(lines), USUAL_PRIORITY)
    return left


def _tell_super_admins(
    organization: Organization,
    topic: EmailTopic,
    subject: str,
    lines: tuple[Line, ...],
    priority: int = PRIORITY,
) -> None:
    # all of them: else others could hide a change by names that sort earlier
    addresses = _addresses(organization, Act.CONNECT)
    if addresses:
        payload = EmailPayload(recipients=tuple(sorted(addresses)), subject=subject, lines=lines)
        enqueue_email(organization, topic, get_random_string(16), payload, priority=priority)


def compose_account_notice(payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail. It goes to the address of that time: a thief of the account changes the address."""
    rendered = RenderedEmail(payload.subject, tuple((line,) for line in payload.lines))
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))


def compose_for_super_admins(effect: Effect, payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail to those of its recipients who are still Super Admins; they can't unsubscribe from it."""
    return _composed(effect, payload, Act.CONNECT)


def compose_request(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the request, with the candidate's name as it is known now, to those who still may do what it asks for.

    None once the member who asks has left, and for a request of an older kind.
    """
    if effect.member is None or payload.requested not in Act:
        return None
    return _composed(effect, payload, Act(payload.requested))


def _composed(effect: Effect, payload: EmailPayload, act: Act) -> ComposedEmail:
    current = _addresses(effect.organization, act)
    addresses = [address for address in payload.recipients if address in current]
    return ComposedEmail(render_notice(effect, payload), dict.fromkeys(addresses, ""))


def _addresses(organization: Organization, act: Act) -> set[str]:
    return {one.user.email for one in who_may(organization, act) if one.user.email}
