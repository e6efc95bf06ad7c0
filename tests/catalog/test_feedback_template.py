"""What the portal's feedback template must have."""

from integrations.catalog import feedback_template
from integrations.lever.payloads import FeedbackForm


def test_missing_fields_are_those_that_a_customer_removed():
    fields = [
        field for field in feedback_template.TEMPLATE["fields"] if field["text"] not in {"Result", "Rating"}
    ]
    assert feedback_template.missing_fields(FeedbackForm.from_api({"fields": fields})) == ["Rating", "Result"]
    assert feedback_template.missing_fields(FeedbackForm.from_api(feedback_template.TEMPLATE)) == []
