"""Erasure follows the data inventory: whatever column it says is about a candidate is emptied."""

from typing import Any

import pytest
from django.db import models

from integrations.audit.models.entry import AuditEntry
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.verdict import Verdict
from integrations.outbox.models.effect import Effect
from integrations.privacy.concerned import rows_of, subject_of
from integrations.privacy.data_inventory import candidate_tables
from integrations.privacy.erase import erase
from integrations.queue.models.duty_run import DutyRun
from tests.privacy.test_acceptance import PEOPLE, invite_and_evaluate
from tests.privacy.traces import traces
from tests.support import factories

NAME, ADDRESS = PEOPLE["Alder"]
#: What stays of them depends on the kind of the row; other tests are about them.
BY_KIND = {Effect: {"payload", "key"}, Verdict: {"explanation", "assessment_written"}}


def mark(rows: models.QuerySet[Any], columns: set[str]) -> None:
    """Write the person's name and address into these columns."""
    for column in columns:
        field = rows.model._meta.get_field(column)
        text = f"{NAME} {ADDRESS}"
        rows.update(**{column: {"about": [text]} if isinstance(field, models.JSONField) else text})


@pytest.fixture
def opportunity_id(scenario):
    opportunity_id = invite_and_evaluate(scenario, "Alder")
    own = {"organization": scenario.organization, "opportunity_id": opportunity_id}
    factories.CandidateFactory.create(**own, delivery=factories.DeliveryFactory.create(**own))
    return opportunity_id


def test_every_column_about_a_candidate_is_emptied(scenario, opportunity_id):
    """Of tables without opportunities, where it names the person."""
    organization = scenario.organization
    DutyRun.objects.get_or_create(organization=organization, duty="sweep")
    subject = subject_of(organization.pk, opportunity_id)
    marked = set()
    for table in candidate_tables():
        model = table.model
        columns = set(table.candidate) - BY_KIND.get(model, set())
        if not columns or (model is AuditEntry and not table.opportunity):
            continue
        rows = (
            rows_of(table, subject)
            if table.opportunity
            else model._base_manager.filter(organization=organization)
        )
        assert rows.exists(), f"no row of {model} to try it with"
        mark(rows, columns)
        marked |= {f"{model._meta.db_table}.{column}" for column in columns}
    assert marked <= set(traces(NAME, ADDRESS))
    erase(organization, opportunity_id, ErasureCause.FORGOTTEN, "test")
    assert traces(NAME, ADDRESS) == []
