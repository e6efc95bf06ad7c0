"""The connection to one organization's CodeScreen account."""

from django.db import models

from integrations.store.columns import WITH_ORGANIZATION, Holds, harmless, moment, one_of
from integrations.store.encryption import EncryptedTextField, UnreadableSecret


class CodeScreenConnection(models.Model):
    """The API key, the optional webhook secret, and whether the account states results."""

    HOLDS = Holds("the API key, encrypted", WITH_ORGANIZATION)

    class State(models.TextChoices):
        """Whether CodeScreen accepted the key when it was last used; connected once a list was read with it."""

        UNTRIED = "untried", "Key not tried yet"
        CONNECTED = "connected", "Connected"
        REFUSED = "refused", "Key refused"
        NOT_FOUND = "not_found", "Not CodeScreen's API"

    #: At which the key is used.
    USABLE = (State.UNTRIED, State.CONNECTED)

    organization = models.OneToOneField(
        "integrations.Organization", on_delete=models.CASCADE, related_name="codescreen_connection"
    )
    state = models.CharField(max_length=20, choices=State, default=State.UNTRIED)
    state_reason = harmless(models.TextField(blank=True))
    api_key = EncryptedTextField(blank=True)
    key_stored_at = moment()
    list_path = harmless(
        models.CharField(
            max_length=40,
            blank=True,
            help_text="The name by which CodeScreen last answered the list of assessments.",
        )
    )
    webhook_secret = EncryptedTextField(blank=True)
    verified_at = moment("When CodeScreen last accepted the key.")
    last_received_at = moment("When a verified webhook last arrived.")
    assessments_refreshed_at = moment()
    states_results = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether the last result came with Passed, Failed or Expired; empty before the first one.",
    )

    class Meta:
        verbose_name = "CodeScreen connection"
        constraints = [
            one_of(
                "codescreen_connection_state_known", "state", ["untried", "connected", "refused", "not_found"]
            )
        ]

    def __str__(self) -> str:
        return f"CodeScreen · {self.organization}"

    @property
    def is_working(self) -> bool:
        """Whether there is a key that CodeScreen hasn't refused."""
        return bool(self.api_key) and self.state in self.USABLE

    @property
    def is_key_unreadable(self) -> bool:
        """Whether no encryption key opens the stored API key: it has to be entered again, or the key put back."""
        return isinstance(self.api_key, UnreadableSecret)

    @property
    def is_webhook_secret_unreadable(self) -> bool:
        """The same for the webhook secret."""
        return isinstance(self.webhook_secret, UnreadableSecret)

    def mark_unusable(self, state: State, reason: str) -> bool:
        """Record why this key can't be used. Return False when that was recorded before or the key was replaced."""
        rows_with_this_key = type(self).objects.filter(pk=self.pk, key_stored_at=self.key_stored_at)
        usable = rows_with_this_key.filter(state__in=self.USABLE)
        changed = usable.update(state=state, state_reason=reason)
        self.refresh_from_db()
        return bool(changed)

    @classmethod
    def note_result(cls, organization_id: int, is_stated: bool) -> None:
        """Record whether a completed assessment came with Passed, Failed or Expired; writes only what changed."""
        rows = cls.objects.filter(organization=organization_id)
        rows.exclude(states_results=is_stated).update(states_results=is_stated)


def mark_key_refused(connection: CodeScreenConnection | None, reason: str) -> None:
    """Record that CodeScreen refused the key that the connection was read with: nothing is sent until one works."""
    if connection is not None:
        connection.mark_unusable(CodeScreenConnection.State.REFUSED, reason)


def mark_after_list(connection: CodeScreenConnection | None, status: int | None, reason: str) -> None:
    """Record what it says of the connection that the list was answered with an error: nothing where that may pass."""
    states = {401: CodeScreenConnection.State.REFUSED, 404: CodeScreenConnection.State.NOT_FOUND}
    if connection is not None and status in states:
        connection.mark_unusable(states[status], reason)
