"""Where a form shows why its operation was refused."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from integrations.pages.views import OperationView


class NameForm(forms.Form):
    name = forms.CharField()


class RefusedView(OperationView):
    form_class = NameForm

    def form_invalid(self, form):
        return HttpResponse(status=400)


@pytest.mark.parametrize("error_field", [None, "name"])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValidationError("No."), {"": ["No."]}),
        (ValidationError(["No.", "Never."]), {"": ["No.", "Never."]}),
        (
            ValidationError({"name": "Too long.", "zone": "No zone."}),
            {"name": ["Too long."], "": ["No zone."]},
        ),
        (ValidationError({"__all__": ["They must rise."]}), {"": ["They must rise."]}),
    ],
    ids=lambda value: str(value) if isinstance(value, ValidationError) else "",
)
def test_an_error_without_a_field_in_the_form_is_shown_where_the_view_says(
    monkeypatch, rf, super_admin, error, expected, error_field
):
    def operate(form):
        raise error

    view, form = RefusedView(error_field=error_field), NameForm({"name": "x"})
    view.request = rf.post("/")
    view.request.user = super_admin
    monkeypatch.setattr(view, "operate", operate)
    assert form.is_valid()
    assert view.form_valid(form).status_code == 400
    wanted: dict[str, list[str]] = {}
    for name, messages in expected.items():
        wanted.setdefault(name or error_field or "__all__", []).extend(messages)
    assert form.errors == wanted
