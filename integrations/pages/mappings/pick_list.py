"""The names that fields offer: lists that refuse what a platform doesn't list, and suggestions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import forms

from integrations.catalog.models import Assessment, Role, Stage, read_categories
from integrations.core.rules.names import closest_name, is_named
from integrations.core.vocabulary import Category
from integrations.organizations.models.organization import Organization

#: More entries than this aren't read: then nothing is refused.
MOST_KNOWN = 3000
#: A longer list is typed with suggestions: nobody scrolls through it.
MOST_OFFERED = 500
MAX_SUGGESTIONS = 1000


#: One stage, role or assessment: its id and its name.
type Entry = tuple[str, str]


@dataclass(frozen=True)
class PickList:
    """What a platform lists of one kind."""

    platform: str
    noun: str
    known: Sequence[Entry]

    @property
    def is_select(self) -> bool:
        """Whether the field is a list to choose from; otherwise any text may be typed."""
        return bool(self.known) and len(self.known) <= MOST_OFFERED

    def is_known(self, written: str) -> bool:
        """Whether the platform lists what is written, by id or name; True too while its list isn't known."""
        if not self.known or len(self.known) >= MOST_KNOWN:
            return True
        return any(is_named(written, *entry) for entry in self.known)

    def refusal(self, written: str) -> str:
        """Return why this can't be saved, with what was probably meant; empty when it can."""
        if not written.strip() or self.is_known(written):
            return ""
        meant = closest_name(written, [name for _, name in self.known])
        hint = f" Did you mean “{meant}”?" if meant else ""
        return f"{self.platform} has no {self.noun} “{written.strip()}”.{hint}"

    def choices(self, current: str, empty: str) -> list[tuple[str, str]]:
        """Return the options of a list, with the current value among them even if the platform doesn't list it.

        An entry is offered by its name, and by its id where several have the same name.
        """
        names = [name for _, name in self.known]
        shared = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
        options: list[tuple[str, str]] = [("", empty)]
        is_found = not current.strip()
        for id_, name in self.known:
            label, value = (f"{name} ({id_})", id_) if name in shared else (name, name)
            if not is_found and is_named(current, id_, name):
                value, is_found = current, True
            options.append((value, label))
        if not is_found:
            label = current if self.is_known(current) else f"{current} (not in {self.platform})"
            options.insert(1, (current, label))
        return options

    @property
    def names(self) -> list[str]:
        """The first of the names, each once."""
        return list(dict.fromkeys(name for _, name in self.known))[:MAX_SUGGESTIONS]

    def offer(self, form: forms.Form | forms.ModelForm, name: str, empty: str) -> None:
        """Make a field of the form a list to choose from, where there is one."""
        if not self.is_select:
            return
        field = form.fields[name]
        field.widget = forms.Select(choices=self.choices(str(form[name].value() or ""), empty))
        field.widget.is_required = field.required


def assessments(organization: Organization) -> PickList:
    """Return CodeScreen's assessments."""
    rows = Assessment.objects.live().filter(organization=organization).order_by("name", "pk")
    entries = _entries(rows.values_list("external_id", "name")[:MOST_KNOWN])
    return PickList("CodeScreen", "assessment", entries)


def roles(organization: Organization) -> PickList:
    """Return Lever's postings."""
    rows = Role.objects.live().filter(organization=organization).order_by("title", "pk")
    entries = _entries(rows.values_list("external_id", "title")[:MOST_KNOWN])
    return PickList("Lever", "role", entries)


def categories(organization: Organization) -> dict[str, PickList]:
    """Return, for each of Lever's categories, the values that its postings have."""
    found: dict[Category, dict[str, None]] = {category: {} for category in Category}
    live = Role.objects.live().filter(organization=organization).order_by()
    for shown in live.values_list("categories", flat=True).distinct():
        for category, value in sorted(read_categories(shown)):
            found[category][value] = None
    lists = {}
    for category, values in found.items():
        entries = [(value, value) for value in sorted(values)]
        lists[category.value] = PickList("Lever", category.label.lower(), entries)
    return lists


def stages(organization: Organization) -> PickList:
    """Return the stages of Lever's pipeline, in its order."""
    rows = Stage.objects.live().filter(organization=organization).order_by("position", "pk")
    entries = _entries(rows.values_list("external_id", "name")[:MOST_KNOWN])
    return PickList("Lever", "stage", entries)


def _entries(rows: Iterable[tuple[str, str]]) -> list[Entry]:
    return [(id_, name) for id_, name in rows if name]
