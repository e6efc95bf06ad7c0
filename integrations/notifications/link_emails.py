"""E-mails with a link that opens an account: to join an organization, and to choose a password."""

import re
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import get_random_string, salted_hmac

from integrations.accounts.models.attempts import ANSWERED_WITHIN, PasswordLinkRequest
from integrations.http.steps import run_step
from integrations.members.models.membership import Membership, PendingMembership
from integrations.notifications.models.email_kind import EmailTopic, Link
from integrations.notifications.notices import EmailPayload
from integrations.notifications.notify import effect_key, enqueue_email
from integrations.notifications.rendering import ComposedEmail, RenderedEmail
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect, EffectQuerySet
from integrations.store import database

# The links by which invited people accept: made when they are sent or shown, stored nowhere.


_SALT = "integrations.pending_membership"

#: Django's e-mail backends that write messages down instead of sending them.
_BACKENDS_WITHOUT_SENDING = frozenset(
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")
)


class MembershipLink(NamedTuple):
    """What a link is for; only one that was made to be sent (`was_sent`) proves that its reader has the address."""

    pending: PendingMembership
    was_sent: bool


def membership_link(pending: PendingMembership) -> str:
    """Return the address at which an invited person accepts or declines."""
    row = [pending.pk, pending.organization_id, pending.email, pending.invited_at.isoformat()]
    return f"{settings.PORTAL_URL}/membership/{signing.dumps([*row, is_mail_sent()], salt=_SALT)}/"


def read_membership_token(token: str) -> MembershipLink | None:
    """Return what a link is for; None when it isn't ours or has ended.

    It ends when the person answers, the invitation is withdrawn or sent again, and after a week.
    """
    try:
        pk, organization, email, invited_at, was_sent = signing.loads(token, salt=_SALT)
    except (BadSignature, ValueError, TypeError):
        return None
    rows = PendingMembership.objects.open().select_related("organization")
    pending = rows.filter(pk=pk, organization=organization, email=email).first()
    if pending is None or pending.invited_at.isoformat() != invited_at:
        return None
    return MembershipLink(pending, was_sent is True)


# Whether a link reaches its reader by e-mail at all.


def is_mail_sent() -> bool:
    """Whether the portal sends its e-mails; without EMAIL_URL it only writes them down."""
    return settings.MAILERS["default"]["BACKEND"] not in _BACKENDS_WITHOUT_SENDING


# The e-mail that asks a person to join an organization. Its reader may be a stranger who never heard of it.


LONGEST_NAME = 60
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
#: How many invitations an organization may send within an hour, and to one address within a day.
MOST_PER_HOUR = 30
MOST_PER_ADDRESS = 3
#: How many invitations an address gets within a day from all organizations together; more wait until the next.
MOST_PER_ADDRESS_FROM_ALL = 5
PRIORITY = 1  # a person waits for it


def may_be_invited(organization: Organization, address: str) -> bool:
    """Whether the organization may send another invitation now, and to this address."""
    own = _invitations_within(DAY).filter(organization=organization)
    this_hour = own.filter(created_at__gt=database.now() - HOUR)
    return this_hour.count() < MOST_PER_HOUR and own.filter(_to(address)).count() < MOST_PER_ADDRESS


def enqueue_welcome(pending: PendingMembership) -> None:
    """Enqueue the e-mail with the link. It waits where other organizations have invited this address often today.

    To refuse instead would tell this organization about the others.
    """
    earlier = _invitations_within(DAY).filter(_to(pending.email)).order_by("-created_at")
    times = list(earlier.values_list("created_at", flat=True)[:MOST_PER_ADDRESS_FROM_ALL])
    is_often = len(times) == MOST_PER_ADDRESS_FROM_ALL
    enqueue_email(
        pending.organization,
        EmailTopic.WELCOME,
        f"{_digest(pending.email)}:{pending.pk}:{get_random_string(8)}",
        EmailPayload(recipients=(pending.email,), pending_membership=pending.pk),
        priority=PRIORITY,
        wait=times[-1] + DAY - database.now() if is_often else timedelta(0),
    )


def compose_welcome(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the person has answered, or the invitation was withdrawn or has run out."""
    rows = PendingMembership.objects.open().filter(organization=effect.organization)
    pending = rows.filter(pk=payload.pending_membership or 0, email__in=payload.recipients).first()
    if pending is None:
        return None
    name = plain_name(effect.organization.name)
    who = f"{name} invites you to its portal between Lever and CodeScreen, as {pending.get_role_display()}."
    how = "Accept or decline with this link. It works for one week:"
    otherwise = "If you don't know them, ignore this e-mail. Nothing happens unless you accept."
    rendered = RenderedEmail(
        f"{name} invites you to the CodeScreen–Lever portal",
        ((who,), (how, Link("", membership_link(pending))), (f"{otherwise} Please don't forward the link.",)),
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""), is_signed=False)


def plain_name(name: str) -> str:
    """Return an organization's name as a stranger may read it: short, in one line, and nothing in it becomes a link."""
    words = re.sub(r"[^\w\s.,&'’()+-]", " ", name)
    # a dot within a word makes mail programs see an address in it
    return " ".join(re.sub(r"\.(?=\S)", ". ", words).split())[:LONGEST_NAME].strip() or "somebody"


def _invitations_within(period: timedelta) -> EffectQuerySet:
    sent = Effect.objects.filter(kind=Effect.Kind.SEND_EMAIL, email_topic=EmailTopic.WELCOME)
    return sent.filter(created_at__gt=database.now() - period)


def _to(address: str) -> Q:
    """Return the condition that an invitation went to this address, whichever organization sent it."""
    return Q(key__startswith=effect_key(EmailTopic.WELCOME, f"{_digest(address)}:"))


def _digest(address: str) -> str:
    """Return what stands for the address in an effect's key, which is kept when addresses are erased."""
    return salted_hmac("integrations.invitations", address, algorithm="sha256").hexdigest()


# The links to choose a password.


#: How long a link to choose a password works: to choose another one, and the first one.
NEW_PASSWORD_SECONDS, FIRST_PASSWORD_SECONDS = 3600, 7 * 24 * 3600


class LinkTokens(PasswordResetTokenGenerator):
    """Makes tokens that work once: a sign-in, a new password and a new address end them, and so does time."""

    key_salt = "integrations.notifications.link_tokens"

    def make_token(self, user: User) -> str:
        """Return Django's token with the time of its making, which Django's own keeps to itself."""
        return TimestampSigner(salt=self.key_salt).sign(super().make_token(user))

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether the token was made for the person, is young enough, and neither used nor overtaken."""
        if user is None:
            return False
        longest = NEW_PASSWORD_SECONDS if user.has_usable_password() else FIRST_PASSWORD_SECONDS
        try:
            own = TimestampSigner(salt=self.key_salt).unsign(token or "", max_age=longest)
        except BadSignature:
            return False
        return super().check_token(user, own)


link_tokens = LinkTokens()


def choose_password_link(user: User) -> str:
    """Return the address at which a person chooses a password; it works once, for an hour, their first one a week."""
    key = f"{user_pk_to_url_str(user)}-{link_tokens.make_token(user)}"
    return f"{settings.PORTAL_URL}/accounts/password/reset/key/{key}/"


# E-mails with a link to choose a password, for members who have forgotten theirs or whose invitation has expired.


#: One e-mail per account within each such period.
INTERVAL = timedelta(minutes=15)
#: So many of these e-mails a member gets within a day.
DAILY_LIMIT = 6
#: So many requests are answered at a time.
BATCH = 50


def answer_requests() -> int:
    """Answer requests for links, the oldest first; return how many. Safe to run at once and to be killed anywhere.

    One that can't be answered stops no other. It is tried again until its time is over.
    """
    count = 0
    for key in list(PasswordLinkRequest.objects.values_list("pk", flat=True)[:BATCH]):
        count += run_step(f"request #{key} for a password link", partial(_answer, key)) is True
    return count


@transaction.atomic
def _answer(key: int) -> bool:
    """Answer one request and delete it; False when another worker does or did it."""
    own = PasswordLinkRequest.objects.filter(pk=key)
    request = own.select_for_update(of=("self",), skip_locked=True).first()
    if request is None:
        return False
    if request.requested_at >= database.now() - ANSWERED_WITHIN:
        send_links(request.address)
    own.delete()
    return True


def send_links(address: str) -> None:
    """Enqueue an e-mail to every active member with that address, up to a daily limit.

    It goes to the stored address, not to the one that was typed. People who are members of no organization get none:
    their passwords are the operator's business.
    """
    members = Membership.objects.filter(user__email__iexact=address, user__is_active=True)
    member_by_user = {member.user_id: member for member in members.select_related("user", "organization")}
    period = f"{database.now().timestamp() // INTERVAL.total_seconds():.0f}"
    emails = Effect.objects.filter(email_topic=EmailTopic.PASSWORD_RESET)
    with transaction.atomic():
        for member in member_by_user.values():
            sent = emails.filter(member=member, created_at__gt=database.now() - DAY)
            if sent.count() < DAILY_LIMIT:  # more would look like abuse
                enqueue_email(
                    member.organization,
                    EmailTopic.PASSWORD_RESET,
                    f"{member.pk}:{period}",
                    EmailPayload(recipients=(member.user.email,)),
                    member=member,
                    priority=PRIORITY,
                )


def compose_password_reset(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the member has left, may not sign in, or has another address by now."""
    member = effect.member
    if member is None or not member.user.is_active or member.user.email not in payload.recipients:
        return None
    how = (
        f"Your user name is {member.user}. Choose a new password with this link. It works once, within "
        f"{'one hour' if member.user.has_usable_password() else 'a week'}:"
    )
    rendered = RenderedEmail(
        "Choose a new password for the CodeScreen–Lever portal",
        (
            ("Someone, probably you, asked for a new password for the portal between Lever and CodeScreen.",),
            (how, Link("", choose_password_link(member.user))),
            ("If it wasn't you, ignore this e-mail. Your password stays the same.",),
        ),
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
