from datetime import datetime

from django.db import models

class Schedule(models.Model):
    MINUTES: str
    name: models.CharField[str | None, str | None]
    func: models.CharField[str, str]
    schedule_type: models.CharField[str, str]
    args: models.TextField[str | None, str | None]
    kwargs: models.TextField[str, str]
    minutes: models.PositiveSmallIntegerField[int | None, int | None]
    next_run: models.DateTimeField[datetime | None, datetime | None]

class OrmQ(models.Model):
    key: models.CharField[str, str]
