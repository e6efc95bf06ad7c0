"""The queue's tables are for superusers to look at; a person who could change them could run commands on the server."""

import ast
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Task

from integrations.queue import schedules
from tests.admin.conftest import Customer, sign_in

COMMAND = {
    "name": "x",
    "func": "os.system",
    "args": "'touch /tmp/taken'",
    "schedule_type": "O",
    "repeats": "1",
    "next_run_0": "2026-01-01",
    "next_run_1": "00:00:00",
}
MODELS = ("schedule", "failure", "ormq")


@pytest.fixture
def rows(db) -> dict[str, Any]:
    """A schedule, a failure and a waiting task."""
    schedules.ensure_schedules()
    OrmQ.objects.create(key="portal", payload="not a signed package", lock=timezone.now())
    return {
        "schedule": Schedule.objects.get(name="plan_duties"),
        "failure": ended_task(
            "plan_duties", succeeded=False, result="ValueError: about ada@acme.example\nTraceback"
        ),
        "ormq": OrmQ.objects.get(),
    }


def ended_task(group: str, *, succeeded: bool, ago: int = 0, result: object = None) -> Task:
    stopped = timezone.now() - timedelta(minutes=ago)
    task = Task(
        id=f"{group}{succeeded}{ago}",
        name="a-b-c",
        func="integrations.queue.duty_plan.plan_duties",
        group=group,
        started=stopped - timedelta(seconds=3),
        stopped=stopped,
        success=succeeded,
    )
    task.result = result
    task.save()
    return task


@pytest.fixture
def superuser(acme: Customer) -> Client:
    return sign_in(None, is_superuser=True)


@pytest.mark.parametrize("model", MODELS)
def test_a_superuser_sees_lists_and_rows(superuser: Client, rows: dict[str, Any], model: str) -> None:
    assert superuser.get(reverse(f"admin:django_q_{model}_changelist")).status_code == 200
    page = superuser.get(reverse(f"admin:django_q_{model}_change", args=[rows[model].pk]))
    assert page.status_code == 200
    assert "_save" not in page.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_a_superuser_changes_nothing_by_address_either(
    superuser: Client, rows: dict[str, Any], model: str
) -> None:
    key = rows[model].pk
    before = list(type(rows[model]).objects.values())
    assert superuser.post(reverse(f"admin:django_q_{model}_add"), COMMAND).status_code == 403
    change = reverse(f"admin:django_q_{model}_change", args=[key])
    assert superuser.post(change, COMMAND | {"_save": "1"}).status_code == 403
    assert superuser.post(change, COMMAND | {"_saveasnew": "1"}).status_code == 403
    delete = reverse(f"admin:django_q_{model}_delete", args=[key])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    listing = reverse(f"admin:django_q_{model}_changelist")
    for action in ("delete_selected", "resubmit_task"):
        superuser.post(listing, {"action": action, "_selected_action": [key], "post": "yes"})
    superuser.post(
        listing, {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": key, "_save": "1"}
    )
    assert list(type(rows[model]).objects.values()) == before
    assert not OrmQ.objects.exclude(pk=rows["ormq"].pk).exists(), "nothing was sent to the queue again"


@pytest.mark.parametrize("model", MODELS)
def test_others_see_nothing_even_with_every_permission_of_django(
    acme: Customer, rows: dict[str, Any], model: str
) -> None:
    client = sign_in("super_admin", acme)
    user = User.objects.latest("pk")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="django_q"))
    assert client.get(reverse(f"admin:django_q_{model}_changelist")).status_code == 403
    assert client.post(reverse(f"admin:django_q_{model}_add"), COMMAND).status_code == 403
    address = reverse(f"admin:django_q_{model}_change", args=[rows[model].pk])
    assert client.get(address).status_code == 404
    assert "django_q" not in client.get(reverse("admin:index")).content.decode()


def test_successes_have_no_page_of_their_own(superuser: Client) -> None:
    assert superuser.get("/admin/django_q/success/").status_code == 404


def test_a_schedule_shows_its_last_run_with_its_outcome(superuser: Client, rows: dict[str, Any]) -> None:
    Failure.objects.all().delete()
    listing = reverse("admin:django_q_schedule_changelist")
    ended_task("plan_duties", succeeded=False, ago=9)
    ended_task("plan_duties", succeeded=True, ago=2)
    page = superuser.get(listing).content.decode()
    assert "icon-yes" in page
    assert "icon-no" not in page
    ended_task("plan_duties", succeeded=False, ago=1)
    assert "icon-no" in superuser.get(listing).content.decode()


def test_a_failure_shows_its_error_without_addresses_of_people(
    superuser: Client, rows: dict[str, Any]
) -> None:
    page = superuser.get(reverse("admin:django_q_failure_change", args=[rows["failure"].pk])).content.decode()
    assert "ValueError: about [redacted]" in page


def test_the_queue_keeps_the_outcome_of_what_is_scheduled(db) -> None:
    schedules.ensure_schedules()
    options = [ast.literal_eval(schedule.kwargs) for schedule in Schedule.objects.all()]
    assert options == [{"q_options": {"save": True}}] * len(schedules.SCHEDULES)


def test_old_outcomes_are_removed(db) -> None:
    old = ended_task(
        "plan_duties", succeeded=True, ago=int(schedules.OUTCOMES_KEPT_FOR.total_seconds() / 60) + 1
    )
    new = ended_task("plan_duties", succeeded=True, ago=1)
    schedules.clean_up()
    assert list(Task.objects.all()) == [new] != [old]
