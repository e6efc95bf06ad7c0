"""What a configuration file holds once it is read: its tables have only the keys that the file has."""

from dataclasses import dataclass, field
from typing import TypedDict

from integrations.configuration.toml import Value
from integrations.vocabulary import Thresholds
from integrations.workflow.rules.mapping_index import MappingRule


class LeverTable(TypedDict, total=False):
    """The [lever] table."""

    signature_token: str
    previous_signature_token: str


class CodeScreenTable(TypedDict, total=False):
    """The [codescreen] table."""

    api_key: str
    webhook_secret: str
    idempotency: bool


class SingleSignOnTable(TypedDict, total=False):
    """The [single_sign_on] table."""

    issuer: str
    client_id: str
    client_secret: str
    counts_as_second_factor: bool
    domains: list[str]


class AlertTable(TypedDict, total=False):
    """One [[alerts]] table; it has a name."""

    name: str
    kind: str
    url: str
    secret: str
    on: bool
    results: bool
    held: bool
    incidents: bool


@dataclass(frozen=True)
class Member:
    """One member of the file; an address or password that the file leaves out is empty."""

    username: str
    role: str
    email: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class AssessmentSettings:
    """One assessment of the file; without `rating_thresholds` the organization's count."""

    name: str
    rating_thresholds: Thresholds | None


@dataclass(frozen=True)
class Configuration:
    """The contents of a file. Its tables hold only the keys that the file has."""

    slug: str
    organization: dict[str, str]
    policies: dict[str, Value]
    lever: LeverTable = field(repr=False)
    codescreen: CodeScreenTable = field(repr=False)
    single_sign_on: SingleSignOnTable = field(repr=False)
    members: tuple[Member, ...]
    mappings: tuple[MappingRule, ...]
    assessments: tuple[AssessmentSettings, ...]
    alerts: tuple[AlertTable, ...] = field(default=(), repr=False)
