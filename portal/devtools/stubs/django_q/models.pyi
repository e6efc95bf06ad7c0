from datetime import datetime

from django.db import models

class Schedule(models.Model):
    name: models.CharField[str | None, str | None]
    func: models.CharField[str, str]
    next_run: models.DateTimeField[datetime | None, datetime | None]
    task: models.CharField[str | None, str | None]

class Task(models.Model):
    id: models.CharField[str, str]
    name: models.CharField[str, str]
    func: models.CharField[str, str]
    group: models.CharField[str | None, str | None]
    started: models.DateTimeField[datetime, datetime]
    stopped: models.DateTimeField[datetime, datetime]
    success: models.BooleanField[bool, bool]
    result: object
    args: models.TextField[object, object]
    kwargs: models.TextField[object, object]

class Success(Task): ...
class Failure(Task): ...

class OrmQ(models.Model):
    key: models.CharField[str, str]
    payload: models.TextField[str, str]
    @property
    def task(self) -> dict[str, object]: ...
