"""Views that call an operation, of a form or of a button, and say what came of it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import FormView

from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.pages.access import return_url
from integrations.queue import notify


class OperationView(FormView):
    """Show a page with a form; call an operation when the form is valid, and say what came of it.

    Why it wasn't done becomes an error of the form, which is shown again.
    """

    #: Where a ValidationError is shown whose field the form doesn't have; None for the form as a whole.
    error_field: str | None = None
    #: The URL name of the page that follows, unless the form's `next` names one; and the part of that page.
    following_page = ""
    anchor = ""
    http_method_names = ["get", "head", "options", "post"]

    def operate(self, form: Any) -> str | HttpResponseBase | None:
        """Do it. Return the sentence that says so; None when nothing was changed; or another answer than that.

        Raises ValidationError, ActionNotAllowed or PlatformError with the reason why it wasn't done.
        """
        raise NotImplementedError

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Call the operation, wake the workers, and lead on to the page that follows."""
        try:
            done = self.operate(form)
        except ValidationError as error:
            for field, errors in getattr(error, "error_dict", {"": error}).items():
                form.add_error(field if field in form.fields else self.error_field, errors)
            return self.form_invalid(form)
        except (ActionNotAllowed, PlatformError) as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        notify.notify_workers()
        if isinstance(done, HttpResponse):
            return done
        if done is None:
            messages.info(self.request, "Nothing was changed.")
        else:
            messages.success(self.request, str(done))
        return redirect(self.get_success_url())

    def get_success_url(self) -> str:
        """Return the page of this site that the form's `next` names, else the page that follows."""
        return return_url(self.request, reverse(self.following_page) + self.anchor)


class ReasonForm(forms.Form):
    """The optional reason for an act, kept in the audit log."""

    reason = forms.CharField(required=False, max_length=500)


class ActView(OperationView):
    """Do one thing on POST, and return to the page that the button is on; why it wasn't done is a message there."""

    form_class: type[BaseForm] = ReasonForm
    http_method_names = ["post"]

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Show each reason as a message."""
        for errors in form.errors.values():
            for error in errors:
                messages.error(self.request, str(error))
        return redirect(self.get_success_url())


class ConfirmedActView(ActView):
    """An act with a page that says what it affects and asks first."""

    http_method_names = OperationView.http_method_names
