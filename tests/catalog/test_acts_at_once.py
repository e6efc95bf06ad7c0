"""Two Admins who set the rules of the same assessment at the same moment."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from integrations.catalog.acts import set_assessment_rules
from integrations.catalog.models.role_mapping import THRESHOLDS, AssessmentRules
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db(transaction=True)


def test_rules_that_two_set_at_once_are_both_stored(organization, monkeypatch):
    clean = AssessmentRules.full_clean

    def clean_slowly(rules: AssessmentRules) -> None:
        clean(rules)
        time.sleep(0.3)

    def set_rules(*names: str) -> None:
        try:
            set_assessment_rules(organization, "Backend", dict.fromkeys(names, 5), names[0])
        finally:
            connections.close_all()

    monkeypatch.setattr(AssessmentRules, "full_clean", clean_slowly)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda names: set_rules(*names), [THRESHOLDS, ["passing_score"]]))
    rules = AssessmentRules.objects.get()
    assert (rules.thresholds, rules.passing_score) == ((5, 5, 5), 5)
    assert recorded().count() == 2
