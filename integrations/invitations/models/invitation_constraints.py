"""What holds of every row of invitations in the database, and the indexes by which they are found."""

from django.db import models
from django.db.models.functions import Upper

from integrations.core.invitation_status import NEED_PERSON, OPEN, FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.store.columns import TextSearchIndex, index_of_set, one_of
from integrations.store.triggers import KeepsUpdatedAt

CONSTRAINTS = [
    # no unique=True: PostgreSQL would get a second index, for a LIKE that nobody asks
    models.UniqueConstraint(fields=["reference"], name="invitation_reference_once"),
    models.UniqueConstraint(
        # the opportunity first, so that the index serves operators too, who search in all organizations
        fields=["opportunity_id", "organization", "assessment_id", "round"],
        name="invitation_once_per_round",
    ),
    models.UniqueConstraint(
        fields=["organization", "contact_id", "assessment_id"],
        condition=models.Q(status__in=["pending", "sending", "held", "uncertain"]) & ~models.Q(contact_id=""),
        name="invitation_one_on_the_way_per_person",
    ),
    models.UniqueConstraint(
        fields=["instance_id", "organization"],
        condition=~models.Q(instance_id=""),
        name="invitation_instance_once",
    ),
    one_of("invitation_status_known", "status", Status),
    models.CheckConstraint(
        condition=~models.Q(status__in=["invited", "in_progress", "submitted", "completed"])
        | ~models.Q(instance_id=""),
        name="invitation_invited_has_instance",
    ),
    models.CheckConstraint(
        condition=models.Q(unstarted_tag="") | models.Q(status__in=["invited", "withdrawn"]),
        name="invitation_unstarted_tag_until_started",
    ),
    models.CheckConstraint(condition=models.Q(round__gte=1), name="invitation_round_positive"),
    models.CheckConstraint(
        condition=models.Q(following_ended="", following_ended_at__isnull=True)
        | models.Q(following_ended__in=[end.value for end in FollowingEnd], following_ended_at__isnull=False),
        name="invitation_following_ended_known",
    ),
    models.CheckConstraint(
        condition=models.Q(stopped_by_user=False) | models.Q(status="withdrawn"),
        name="invitation_stopped_is_withdrawn",
    ),
    KeepsUpdatedAt(
        name="invitation_updated_at",
        fields=[
            "assessment_name",
            "status",
            "instance_id",
            "invited_at",
            "started_at",
            "completed_at",
            "following_ended",
            "following_ended_at",
            "erased_at",
        ],
    ),
]

INDEXES = [
    models.Index(
        fields=["organization"],
        name="invitation_waits_for_person",
        condition=models.Q(status__in=[status.value for status in NEED_PERSON]),
    ),
    index_of_set("invitation_poll", "next_poll_at"),
    index_of_set("invitation_following_ended", "organization", "following_ended_at"),
    # for the metrics: what is under way among all that ended
    models.Index(
        fields=["status"],
        name="invitation_open",
        condition=models.Q(status__in=[status.value for status in OPEN]),
    ),
    models.Index(fields=["organization", "-created_at"], name="invitation_recent"),
    models.Index(fields=["organization", "id", "updated_at"], name="invitation_updated"),
    # for auditors: few among very many
    models.Index(
        fields=["organization", "-created_at"],
        name="invitation_later_round",
        condition=models.Q(round__gt=1),
    ),
    models.Index(fields=["-created_at"], name="invitation_recent_of_all"),
    models.Index(fields=["status", "organization", "-created_at"], name="invitation_status"),
    models.Index(fields=["organization", "changed_at"], name="invitation_changed"),
    models.Index(fields=["organization", "contact_id"], name="invitation_contact"),
    models.Index("organization", Upper("email"), name="invitation_email"),
    TextSearchIndex(
        fields=["candidate_name", "email", "role_title", "assessment_name"], name="invitation_text"
    ),
]
