"""The copy of the organization's feedback template, which is kept with the connection to Lever.

Lever gives the fields new ids when the template is edited there. A form that is filled in by the copy of an earlier
version is refused, or lacks values in Lever's answer: `effects.feedback` then has the template read again.
"""

from datetime import timedelta

from django.db.models import QuerySet

from integrations.lever.client import LeverClient
from integrations.lever.feedback import FeedbackForm
from integrations.models import LeverConnection, db_clock
from integrations.workflow.catalog.feedback_template import read_template

#: The hourly probe of Lever renews the copy; without it, the template is read before a result is written.
KEPT_FOR = timedelta(days=1)


def known_template(lever: LeverClient, connection: LeverConnection) -> FeedbackForm | None:
    """Return the template from the copy, or from Lever when that is old; None when there is none.

    Raises PlatformError.
    """
    read_at = connection.feedback_template_read_at
    if read_at is not None and db_clock.now() - read_at < KEPT_FOR:
        copy = FeedbackForm.from_api(connection.feedback_template)
        if copy.id and copy.id == connection.feedback_template_id:
            return copy
    return read_again(lever, connection)


def read_again(lever: LeverClient, connection: LeverConnection) -> FeedbackForm | None:
    """Return the template as Lever has it now, and keep a copy; None when it was deleted or never made.

    Raises PlatformError.
    """
    template_id = connection.feedback_template_id
    template = read_template(lever, template_id) if template_id else None
    if template is not None:
        _rows(connection).update(
            feedback_template=template.to_json(), feedback_template_read_at=db_clock.now()
        )
    return template


def store_template(connection: LeverConnection, template: FeedbackForm) -> None:
    """Store a template as the organization's, with its copy."""
    LeverConnection.objects.filter(pk=connection.pk).update(
        feedback_template_id=template.id,
        feedback_template=template.to_json(),
        feedback_template_read_at=db_clock.now(),
    )


def forget_copy(connection: LeverConnection) -> None:
    """Have the template read before the next result is written."""
    _rows(connection).update(feedback_template_read_at=None)


def forget_template(connection: LeverConnection) -> None:
    """Record that the template was deleted in Lever."""
    _rows(connection).update(feedback_template_id="")


def _rows(connection: LeverConnection) -> QuerySet[LeverConnection]:
    """Return the connection's row, none if it has another template by now."""
    return LeverConnection.objects.filter(
        pk=connection.pk, feedback_template_id=connection.feedback_template_id
    )
