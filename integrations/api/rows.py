"""What programs are told of a row: the shape of each kind, for `/api/v1/`, its OpenAPI document and `export`.

No row has a candidate's name or address. What isn't known yet, or was erased, is null.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers

from integrations.health.findings import Finding
from integrations.http.json_values import number
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result


class Time(serializers.DateTimeField):
    """A time in ISO 8601 with its offset."""

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class Number(serializers.FloatField):
    """A number, without a fraction where it has none."""

    def to_representation(self, value: Decimal) -> int | float | None:  # type: ignore[override]
        return number(value)


class Row(serializers.ModelSerializer[Any]):
    """A row of a table, to be read."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Time,
        models.DecimalField: Number,
    }

    def build_standard_field(
        self, field_name: str, model_field: "models.Field[Any, Any]"
    ) -> "tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]":
        """Return the field of a column; a column that may be empty may be null."""
        field, options = super().build_standard_field(field_name, model_field)
        kept: dict[str, Any] = {name: options[name] for name in ("choices", "help_text") if name in options}
        may_be_null = model_field.null or model_field.blank
        return field, {**kept, "read_only": True, "allow_null": may_be_null}

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        """Return the row; an empty text is null."""
        row = super().to_representation(instance)
        return {name: None if value == "" else value for name, value in row.items()}


class Text(serializers.CharField):
    """A text that has another name here than in the table."""

    def __init__(self, source: str) -> None:
        super().__init__(source=source, read_only=True, allow_null=True)


class Key(serializers.IntegerField):
    """The id of another row."""

    def __init__(self, *, allow_null: bool = False) -> None:
        super().__init__(read_only=True, allow_null=allow_null)


class CandidateRow(Row):
    """One opportunity in Lever that entered a CodeScreen stage, invited or not."""

    role = Text("role_title")
    stage = Text("stage_name")
    assessment = Text("assessment_name")
    delivery_id = Key(allow_null=True)
    invitation_id = Key(allow_null=True)

    class Meta:
        model = Candidate
        fields = [
            "id",
            "opportunity_id",
            "role",
            "stage",
            "assessment",
            "entered_at",
            "delivery_id",
            "invitation_id",
            "outcome",
            "erased_at",
            "updated_at",
        ]


class InvitationRow(Row):
    """How far a candidate is with an assessment."""

    assessment = Text("assessment_name")

    class Meta:
        model = Invitation
        fields = [
            "id",
            "opportunity_id",
            "assessment",
            "round",
            "status",
            "instance_id",
            "created_at",
            "invited_at",
            "started_at",
            "completed_at",
            "following_ended",
            "following_ended_at",
            "erased_at",
            "updated_at",
        ]


class ResultRow(Row):
    """What CodeScreen states about an attempt."""

    invitation_id = Key()
    details = serializers.DictField(read_only=True, help_text="What else CodeScreen says, in its order.")
    meets_bar = serializers.BooleanField(read_only=True, allow_null=True)

    class Meta:
        model = Result
        fields = [
            "id",
            "invitation_id",
            "attempt",
            "outcome",
            "score",
            "failure_reason",
            "rating",
            "report_url",
            "feedback_id",
            "file_id",
            "details",
            "meets_bar",
            "updated_at",
        ]


class VerdictRow(Row):
    """One verdict about a delivery, the current one or an earlier one."""

    delivery_id = Key()
    opportunity_id = Text("delivery.opportunity_id")

    class Meta:
        model = Verdict
        fields = [
            "id",
            "delivery_id",
            "opportunity_id",
            "code",
            "explanation",
            "decided_at",
            "is_current",
            "position",
            "hash",
            "updated_at",
        ]


class FindingRow(serializers.Serializer[Finding]):
    """One thing that a person should know about the organization now."""

    code = serializers.CharField(read_only=True)
    level = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)
    fix = serializers.CharField(read_only=True)
