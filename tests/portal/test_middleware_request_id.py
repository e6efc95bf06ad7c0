"""Each request has an id: the one that a proxy gave, or one of its own, in the answer and in every line of the log."""

from unittest import mock

import pytest
from django.db import OperationalError

from integrations.core import correlation
from portal.logs import CorrelationId, OncePerOutage


@pytest.fixture
def lines(caplog):
    """The log's lines so far, as the handler writes them: logger, level, text and id."""
    filters = (OncePerOutage(), CorrelationId())
    for one in filters:
        caplog.handler.addFilter(one)
    yield lambda: [(one.name, one.levelname, one.getMessage(), one.correlation_id) for one in caplog.records]
    for one in filters:
        caplog.handler.removeFilter(one)


@pytest.mark.parametrize("given", ["a", "6f1ed002ab5595859014ebf0951522d9", "0f1d1a52-aa.b_c" * 2])
def test_an_id_that_is_given_is_kept(client, given):
    assert client.get("/healthz/live", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "x" * 41, "a b", "a\nb", "é", "<script>", "delivery-7", "105445aa/1;o=1", "a,b"]
)
def test_what_is_too_long_or_unsafe_or_means_another_event_gives_way_to_a_new_id(client, given):
    answers = [client.get("/healthz/live", headers={"X-Request-ID": given}) for _ in range(2)]
    made = {answer["X-Request-ID"] for answer in answers}
    assert len(made) == 2
    assert all(len(one) == 32 for one in made)
    assert correlation.current() == "", "it ends with the request"


def test_an_error_is_logged_under_the_id_of_its_request(db, client, lines):
    client.raise_request_exception = False
    with mock.patch("portal.accounts.forms.LoginForm.order_fields", side_effect=ValueError()):
        assert client.get("/accounts/login/", headers={"X-Request-ID": "mine"}).status_code == 500
    assert ("django.request", "ERROR", "Internal Server Error: /accounts/login/", "mine") in lines()


def test_an_answer_that_django_logs_after_its_work_is_logged_under_the_same_id(db, client, lines):
    with mock.patch("integrations.webhooks.views.find_addressee", side_effect=OperationalError("away")):
        answer = client.get("/webhooks/lever/key/", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 503
    assert ("django.request", "ERROR", "Service Unavailable: /webhooks/lever/key/", "mine") in lines()


def test_a_probe_that_is_answered_503_is_one_warning_that_says_why(db, client, lines):
    assert client.get("/healthz/work").status_code == 503
    assert client.get("/healthz/work").status_code == 503
    probes = [line[:3] for line in lines() if line[0] in {"portal.probes", "django.request"}]
    assert probes == [("portal.probes", "WARNING", "A probe is answered 503: workers: silent")]
