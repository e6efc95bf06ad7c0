"""Record how what a platform sent differs from the shape that the portal relies on."""

import logging
from collections.abc import Iterable

from django.db import DatabaseError, InterfaceError

from integrations.http.shapes import Deviation
from integrations.models import Organization, ShapeDeviation

logger = logging.getLogger(__name__)


def record_deviations(
    organization: Organization, platform: str, endpoint: str, deviations: Iterable[Deviation]
) -> None:
    """Record each deviation for the doctor. One that can't be recorded is only logged: the answer itself is used."""
    for deviation in deviations:
        try:
            ShapeDeviation.record(
                organization,
                platform,
                endpoint,
                field=deviation.field,
                found=deviation.found,
                expected=deviation.expected,
                is_readable=deviation.is_readable,
                example=deviation.example,
            )
        except (DatabaseError, InterfaceError):
            logger.exception("a deviation of %s %s could not be recorded", platform, endpoint)
