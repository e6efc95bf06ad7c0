"""The alert addresses of a configuration, compared with the stored ones. Those that the file leaves out stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from integrations.configuration.contents import AlertTable
from integrations.configuration.load import ConfigurationError
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_secret, changed_value
from integrations.configuration.toml import quoted
from integrations.models import AlertAddress, Organization
from integrations.workflow.operations.alert_addresses import (
    ChangedAddress,
    NewAddress,
    add_address,
    change_address,
)

#: The keys that are true or false, each with its column.
SWITCHES = {
    "on": "is_on",
    "results": "wants_results",
    "held": "wants_held",
    "incidents": "wants_incidents",
}


@dataclass(frozen=True)
class AlertAdded:
    """A new address."""

    wanted: NewAddress

    @property
    def path(self) -> str:
        """The address by name."""
        return f"alert {quoted(self.wanted.name)}"

    @property
    def lines(self) -> list[Line]:
        """Its kind, and what is off; that its URL and secret are given."""
        lines = [Line(Sign.ADDED, self.path, self.wanted.kind)]
        lines += [
            Line(Sign.ADDED, f"{self.path} {name}", "false")
            for name, column in SWITCHES.items()
            if not getattr(self.wanted, column)
        ]
        secrets = {"url": self.wanted.url, "secret": self.wanted.secret}
        lines += [
            Line(Sign.ADDED, f"{self.path} {name}", changed_secret("", value))
            for name, value in secrets.items()
            if value
        ]
        return lines

    def apply(self, organization: Organization) -> None:
        """Store it."""
        add_address(organization, self.wanted, ACTOR)


@dataclass(frozen=True)
class AlertChanged:
    """Other values of a stored address."""

    stored: AlertAddress = field(repr=False)
    wanted: ChangedAddress

    @property
    def path(self) -> str:
        """The address by name."""
        return f"alert {quoted(self.wanted.name)}"

    @property
    def lines(self) -> list[Line]:
        """What is switched, and that the URL or the secret changes."""
        lines = []
        for name, column in SWITCHES.items():
            before, after = getattr(self.stored, column), getattr(self.wanted, column)
            if before != after:
                lines.append(Line(Sign.CHANGED, f"{self.path} {name}", changed_value(before, after)))
        for name in ("url", "secret"):
            before, after = getattr(self.stored, name), getattr(self.wanted, name)
            if after and before != after:
                lines.append(
                    Line(Sign.between(before, after), f"{self.path} {name}", changed_secret(before, after))
                )
        return lines

    def apply(self, organization: Organization) -> None:
        """Store them."""
        change_address(self.stored, self.wanted, ACTOR)


def compare_alerts(wanted: Sequence[AlertTable], organization: Organization) -> Iterator[Change]:
    """Yield the addresses that are new or differ. Raises ConfigurationError."""
    stored: dict[str, AlertAddress] = {}
    if organization.pk is not None:
        stored = {address.name: address for address in organization.alert_addresses.all()}
    for number, table in enumerate(wanted, start=1):
        path, address = f"alerts[{number}]", stored.get(table["name"].strip())
        kind = table.get("kind", address.kind if address else "")
        if "secret" in table and kind != AlertAddress.Kind.SIGNED:
            raise ConfigurationError(f"{path}.secret: only an address of the kind signed has a secret.")
        if address is None:
            yield AlertAdded(_new(path, table))
            continue
        if kind != address.kind:
            raise ConfigurationError(
                f"{path}.kind: {quoted(address.name)} is {address.kind} and stays so. Choose another name."
            )
        change = AlertChanged(address, _changed(table, address))
        if change.lines:
            yield change


def _new(path: str, table: AlertTable) -> NewAddress:
    for name in ("kind", "url"):
        if name not in table:
            raise ConfigurationError(f"{path}.{name} is missing: there is no address of this name yet.")
    if table["kind"] == AlertAddress.Kind.SIGNED and "secret" not in table:
        raise ConfigurationError(
            f"{path}.secret is missing: a signed webhook needs one. Make it by: "
            "echo whsec_$(openssl rand -base64 32)"
        )
    return NewAddress(
        name=table["name"].strip(),
        kind=table["kind"],
        url=table["url"].strip(),
        secret=table.get("secret", "").strip(),
        is_on=table.get("on", True),
        wants_results=table.get("results", True),
        wants_held=table.get("held", True),
        wants_incidents=table.get("incidents", True),
    )


def _changed(table: AlertTable, address: AlertAddress) -> ChangedAddress:
    return ChangedAddress(
        name=address.name,
        url=table.get("url", "").strip(),
        secret=table.get("secret", "").strip(),
        is_on=table.get("on", address.is_on),
        wants_results=table.get("results", address.wants_results),
        wants_held=table.get("held", address.wants_held),
        wants_incidents=table.get("incidents", address.wants_incidents),
    )
