"""The sessions of people who signed in: when each began and was last used, from where, and whether it still holds."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

#: How often at most the time of the last use is written.
SEEN_EVERY = timedelta(minutes=1)
#: An ended session's row is kept for so long: until then its address counts as one that the person signed in from.
KEPT_AFTER_END = timedelta(days=30)


class UserSessionQuerySet(models.QuerySet["UserSession"]):
    """Sessions by whether they hold."""

    def live(self) -> Self:
        """Sessions that haven't ended and are within both limits."""
        now = timezone.now()
        return self.filter(
            ended_at=None,
            last_used_at__gt=now - timedelta(hours=settings.SESSION_IDLE_HOURS),
            began_at__gt=now - timedelta(hours=settings.SESSION_MAX_HOURS),
        )

    def end(self) -> int:
        """End those that haven't ended; their next request finds itself signed out. Return how many."""
        return self.filter(ended_at=None).update(ended_at=timezone.now())

    def purge(self) -> int:
        """Delete the rows of sessions that ended, or were last used, so long ago; return how many."""
        before = timezone.now() - KEPT_AFTER_END
        limit = before - timedelta(hours=settings.SESSION_IDLE_HOURS)
        return self.filter(models.Q(ended_at__lt=before) | models.Q(last_used_at__lt=limit)).delete()[0]


class UserSession(models.Model):
    """One session of one person. The session's data holds this row's key; its own key is nowhere in the row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    began_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="Written at most once a minute.")
    ended_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="Where it was last used from.")
    network = models.CharField(max_length=50, blank=True, help_text="The network that it began in.")
    browser = models.CharField(max_length=60, blank=True)

    objects = UserSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-last_used_at"]
        indexes = [
            models.Index(fields=["user", "network"], name="user_session_network"),
            models.Index(fields=["last_used_at"], name="user_session_last_used"),
        ]

    def __str__(self) -> str:
        return f"Session {self.pk} of {self.user}"

    @property
    def is_idle(self) -> bool:
        """Whether it wasn't used for as long as a session may rest."""
        return self.last_used_at <= timezone.now() - timedelta(hours=settings.SESSION_IDLE_HOURS)

    @property
    def is_too_old(self) -> bool:
        """Whether it began as long ago as a session may last."""
        return self.began_at <= timezone.now() - timedelta(hours=settings.SESSION_MAX_HOURS)

    @property
    def ends_at(self) -> datetime:
        """When it ends if it isn't used any more."""
        idle = self.last_used_at + timedelta(hours=settings.SESSION_IDLE_HOURS)
        return min(idle, self.began_at + timedelta(hours=settings.SESSION_MAX_HOURS))

    def record_use(self, address: str | None) -> None:
        """Store that it is used now, from this address, unless that was stored less than a minute ago."""
        now = timezone.now()
        if now - self.last_used_at >= SEEN_EVERY:
            rows = UserSession.objects.filter(pk=self.pk, ended_at=None)
            rows.update(last_used_at=now, address=address)
