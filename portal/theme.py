"""Light, dark, or as the person's system: chosen on any page, kept in a cookie, followed by the site and the admin."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.pages.views import ActView

_A_YEAR = 365 * 24 * 3600


class Theme(TextChoices):
    """How pages look."""

    LIGHT = "light", "Light"
    DARK = "dark", "Dark"
    SYSTEM = "system", "System"


def theme_of(request: HttpRequest) -> Theme:
    """Return what this browser's person chose."""
    chosen = request.COOKIES.get(_cookie(), "")
    return Theme(chosen) if chosen in Theme else Theme.SYSTEM


def _cookie() -> str:
    return "__Host-theme" if settings.SESSION_COOKIE_SECURE else "theme"


class ThemeForm(forms.Form):
    """The choice."""

    theme = forms.ChoiceField(choices=Theme.choices)


class ThemeView(ActView):
    """Keep the choice, and return to the page that it was made on."""

    form_class = ThemeForm
    following_page = "overview"

    def operate(self, form: Any) -> HttpResponse:
        answer = redirect(self.get_success_url())
        answer.set_cookie(
            _cookie(),
            form.cleaned_data["theme"],
            max_age=_A_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return answer
