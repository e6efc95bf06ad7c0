"""What holds for all roles: the rules of sending, of results and of keeping data; and the author of feedback."""

from collections.abc import Collection
from copy import copy
from typing import Any

from django import forms
from django.forms import Form
from django.http import QueryDict

from integrations.clients import provider
from integrations.core.time_zones import zone_names
from integrations.core.vocabulary import OriginRule
from integrations.http.session import PlatformError
from integrations.lever.acts import choose_feedback_author
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE
from integrations.members.models.membership import ADMINS
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import (
    PASSING_SCORE_LABEL,
    POLICIES,
    SECURITY,
    STAGE_ON_PASS_LABEL,
)
from integrations.outbox.wait_notes import TOLD_AFTER_MINUTES
from integrations.pages.access import OrganizationMixin
from integrations.pages.form_fields import ORIGIN_FIELDS, OriginFieldsMixin, ScoresField, origins_in_words
from integrations.pages.mappings import pick_list
from integrations.pages.views import OperationView

#: Policies with a page or a button of their own.
ELSEWHERE = (*SECURITY, "paused")
#: The rules that each page shows.
RESULTS = (
    "rating_thresholds",
    "rating_follows_result",
    "passing_score",
    "passed_tag",
    "failed_tag",
    "stage_on_pass",
    "attach_report",
)
KEEPING = ("retention_days",)
SENDING = tuple(name for name in POLICIES if name not in (*ELSEWHERE, *RESULTS, *KEEPING))
#: The fields that are chosen from a list, and what they say when they are empty.
CHOSEN = {"default_assessment": "None", "stage_on_pass": "Nobody is moved"}


class PoliciesForm(OriginFieldsMixin, forms.ModelForm):
    """Some of the organization's policies. Assessments and stages are chosen from what the platforms list."""

    rating_thresholds = ScoresField(
        label="Ratings 2, 3 and 4 begin at", help_text="Three scores with commas, such as 25, 50, 75."
    )

    class Meta:
        model = Organization
        fields = [name for name in POLICIES if name not in (*ELSEWHERE, "origins")]
        labels = {
            "stage_prefix": "CodeScreen stages begin with",
            "default_assessment": "Assessment for all other roles",
            "note_on_skip": "Leave a note in Lever when nothing was sent",
            "note_on_wait": "Leave a note in Lever when somebody waits",
            "bulk_limit": "Require approval above this many invitations",
            "bulk_window": "… in this many minutes",
            "hold_tag": "Tag in Lever",
            "rating_follows_result": "Keep the rating in line with CodeScreen's result",
            "no_show_days": "Days to wait for a start",
            "retention_days": "Days until personal data is removed",
            "attach_report": "Attach the report to the candidate as a PDF",
            "time_zone": "Time zone of dates in reports and files",
            "reentry_days": "Days after completion until it is sent again",
            "not_started_days": "Days until the tag says “Not Started Yet”",
            "passing_score": PASSING_SCORE_LABEL,
            "passed_tag": "Tag for Passed",
            "failed_tag": "Tag for Failed",
            "stage_on_pass": STAGE_ON_PASS_LABEL,
        }
        help_texts = {
            "stage_prefix": "Moving a candidate into such a stage sends the assessment.",
            "default_assessment": "Sent when neither a mapping nor a tag names one.",
            "note_on_skip": "When a recruiter can correct the reason. Also when the e-mail bounced, what was sent "
            "is cancelled, or no result comes.",
            "note_on_wait": f"When a candidate has waited for {TOLD_AFTER_MINUTES} minutes: on hold, possibly sent, "
            "or in a pause.",
            "bulk_limit": "More than these wait until an Admin approves them. 0 turns this off.",
            "bulk_window": "At most 43200, which is 30 days.",
            "hold_tag": "Such as “Accommodation”. Leave it empty if you use no tag.",
            "rating_follows_result": "Failed rates at most 2, Passed at least 3.",
            "passing_score": "Your rules treat this score or more as Passed, less as Failed. Empty: no bar.",
            "reentry_days": "To who enters the stage again after that. 0: only a person sends it again.",
            "not_started_days": "Your automation in Lever can send a reminder then. 0 turns this off.",
            "no_show_days": "Then the portal no longer asks for a result, and the tag says “Not Started”. If notes are "
            "left in Lever, one says so.",
            "retention_days": "Counted from the end of the assessment, also for people who never start. 0 keeps it.",
            "passed_tag": "Such as “{assessment}: passed”.",
            "failed_tag": "Such as “{assessment}: failed”.",
            "stage_on_pass": "Only those who passed or meet your bar are moved.",
            "attach_report": "Result, score, reason and the link. A changed result replaces it.",
            "time_zone": "",
        }

    def __init__(self, data: QueryDict | None = None, *, names: Collection[str], **kwargs: Any) -> None:
        """Fill in the stored value of each field that isn't posted, except checkboxes, which mean off then."""
        organization = kwargs["instance"]
        origins = organization.origins
        if data is not None:
            data = data.copy()
            for name, origin in ORIGIN_FIELDS.items():
                data.setdefault(name, origins.get(origin, OriginRule.SEND))
            for name in self.Meta.fields:
                if not isinstance(self.base_fields[name], forms.BooleanField):
                    stored = self.base_fields[name].prepare_value(getattr(organization, name))
                    data.setdefault(name, "" if stored is None else str(stored))
        super().__init__(data, **kwargs)
        self.fields = {name: field for name, field in self.fields.items() if name in names}
        if "origins" in names:
            self.add_origin_fields(origins)
        # a stored rule that says what holds anyway counts as none
        self.initial["origins"] = {one: rule for one, rule in origins.items() if rule != OriginRule.SEND}
        if "time_zone" in names:
            zones = [(name, name) for name in sorted(zone_names())]
            self.fields["time_zone"].widget = forms.Select(choices=zones)
        lists = {"default_assessment": pick_list.assessments, "stage_on_pass": pick_list.stages}
        self._lists = {name: read(organization) for name, read in lists.items() if name in names}
        for name, known in self._lists.items():
            known.offer(self, name, CHOSEN[name])
        #: For each stored name that its platform doesn't list, the reason; the form begins with these.
        self.unknown = [
            reason for name, known in self._lists.items() if (reason := known.refusal(self.initial[name]))
        ]

    def changed_values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            name: cleaned[name]
            for name in POLICIES
            if name in cleaned and cleaned[name] != self.initial[name]
        }

    def clean(self) -> dict[str, Any]:
        """Put the rules of the origins together."""
        cleaned = super().clean() or {}
        if ORIGIN_FIELDS.keys() <= self.fields.keys():
            cleaned["origins"] = self.origins_in(cleaned)
        return cleaned

    def clean_default_assessment(self) -> str:
        return self._listed("default_assessment")

    def clean_stage_on_pass(self) -> str:
        return self._listed("stage_on_pass")

    def _listed(self, name: str) -> str:
        """Return the value; one that was stored before stays, so that the other rules can be saved."""
        value = str(self.cleaned_data[name])
        reason = self._lists[name].refusal(value)
        if reason and value != self.initial[name]:
            raise forms.ValidationError(reason)
        return value


class RulesView(OrganizationMixin, OperationView):
    """Show the rules of sending and save them; a failed save shows the page again with the reasons."""

    template_name = "integrations/rules.html"
    allowed_roles = ADMINS
    form_class = PoliciesForm
    following_page = "rules"
    names: Collection[str] = SENDING

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(origins=origins_in_words(self.organization.origins), **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form a copy: validating writes to it, and the page still needs the stored organization."""
        return {**super().get_form_kwargs(), "instance": copy(self.organization), "names": self.names}

    def operate(self, form: PoliciesForm) -> str | None:
        values = form.changed_values()
        if not values:
            return None
        set_policies(self.organization, values, self.user)
        return "The rules are saved."


class ResultRulesView(RulesView):
    """Show the rules of what is written to Lever about results, and save them."""

    template_name = "integrations/result_rules.html"
    following_page = "result-rules"
    names = RESULTS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        connection = LeverConnection.objects.filter(organization=self.organization).first()
        lacks = bool(connection and connection.is_working and connection.lacks(FILES_SCOPE))
        return super().get_context_data(
            lever=connection, files_scope=FILES_SCOPE, lacks_files_scope=lacks, **kwargs
        )


class DataView(RulesView):
    """Show how long personal data is kept, what erases it and where it can be exported; save the first."""

    template_name = "integrations/data_settings.html"
    following_page = "data-settings"
    names = KEEPING


class FeedbackAuthorView(OrganizationMixin, OperationView):
    """Show Lever's active users, and store the chosen one."""

    template_name = "integrations/feedback_author.html"
    allowed_roles = ADMINS
    form_class = Form
    following_page = "result-rules"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the users from Lever; without an answer the page says why."""
        context = super().get_context_data(**kwargs)
        try:
            context["authors"] = provider.lever_client(self.organization).active_users()
            context["lever"] = LeverConnection.objects.get(organization=self.organization)
        except PlatformError as error:
            context["problem"] = str(error)
        return context

    def operate(self, form: Form) -> str:
        """Store the chosen user; an empty choice means the person who connected."""
        user_id = self.request.POST.get("author", "")
        lever = provider.lever_client(self.organization)
        name = choose_feedback_author(self.organization, lever, user_id, self.user)
        author = name or ("The chosen user" if user_id else "The person who connected Lever")
        return f"{author} is the author of feedback from now on."
