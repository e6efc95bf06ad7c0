"""Whether stages and roles can lead to an invitation, and members can sign in by their provider."""

from collections.abc import Iterator

from integrations.catalog import lists
from integrations.catalog.lists import stages_named_in_copy, trigger_policy
from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.core.finding_code import FindingCode, Level
from integrations.core.rules.names import assessment_tags
from integrations.health.findings import MAPPINGS, POLICY_SETTINGS, SETTINGS, SINGLE_SIGN_ON, Finding, day
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import IdentityProvider, SignInDomain

# Whether a stage and a role can lead to an invitation, and whether the stage on pass is usable.


def check_trigger_stages(organization: Organization) -> Iterator[Finding]:
    """Yield that none of Lever's stages is a trigger stage."""
    lists = list(Stage.objects.live().filter(organization=organization))
    policy = trigger_policy(organization)
    if lists and not any(policy.is_trigger(stage.external_id, stage.name) for stage in lists):
        yield Finding(
            organization.slug,
            FindingCode.NO_TRIGGER_STAGE,
            Level.ERROR,
            f"No stage in Lever begins with “{policy.prefix}”, and no mapping has a stage. So nobody can be invited.",
            f"In Lever, add a stage such as “{policy.prefix} Assessment” to the pipeline.",
            SETTINGS,
        )


def check_stage_on_pass(organization: Organization) -> Iterator[Finding]:
    """Yield that candidates who passed can't be moved: Lever doesn't list the stage, or entering it would invite."""
    written = organization.passed_stage.strip()
    connection = organization.lever
    if not written or connection is None or connection.stages_refreshed_at is None:
        return
    fix = "Choose “Stage on pass” again under Settings, then retry what failed."
    if not stages_named_in_copy(organization, written):
        yield Finding(
            organization.slug,
            FindingCode.UNKNOWN_PASSED_STAGE,
            Level.ERROR,
            f"{lists.unknown_target_message(organization)} Nobody is moved.",
            fix,
            POLICY_SETTINGS,
        )
    elif reason := lists.why_target_invites(organization):
        yield Finding(
            organization.slug,
            FindingCode.PASSED_STAGE_INVITES,
            Level.ERROR,
            f"{reason} Nobody is moved until then.",
            fix,
            POLICY_SETTINGS,
        )


def check_roles(organization: Organization) -> Iterator[Finding]:
    """Yield that no mapping, tag or default names an assessment for any role."""
    has_mappings = RoleMapping.objects.filter(organization=organization).exists()
    if has_mappings or organization.default_assessment.strip():
        return
    roles = Role.objects.live().filter(organization=organization).values_list("tags", "title")
    if not any(assessment_tags(map(str, tags), title) for tags, title in roles.iterator()):
        yield Finding(
            organization.slug,
            FindingCode.NO_ROLES_MAPPED,
            Level.WARNING,
            "No role has an assessment: there is no mapping, no “CodeScreen …” tag and no default.",
            "Choose an assessment for each role.",
            MAPPINGS,
        )


# Whether members can sign in by the organization's provider: by what the regular check last found.


def check_single_sign_on(organization: Organization) -> Iterator[Finding]:
    """Yield a missing secret, a provider that can't be used, no proven domain, and records that are gone."""
    provider = IdentityProvider.objects.filter(organization=organization).first()
    if provider is not None and provider.is_on:
        yield from _check_provider(organization, provider)
    for domain in SignInDomain.objects.filter(organization=organization, missing_since__isnull=False):
        yield Finding(
            organization.slug,
            FindingCode.SIGN_IN_DOMAIN_GONE,
            Level.WARNING,
            f"The TXT record that proves that {domain} is yours is gone.",
            f"Add it again by {day(domain.lapses_at)}. After that, people with these addresses lose single sign-on."
            if domain.lapses_at
            else "Add it again.",
            SINGLE_SIGN_ON,
        )


def _check_provider(organization: Organization, provider: IdentityProvider) -> Iterator[Finding]:
    if not provider.client_secret:
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_SECRET_MISSING,
            Level.ERROR,
            "The client secret for single sign-on is missing or can't be read, so nobody can sign in with it.",
            "Ask a Super Admin to enter it again under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
    if provider.failure:
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_FAILING,
            Level.ERROR,
            f"Single sign-on doesn't work: {provider.failure}",
            "Check the provider, then press “Try it” under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
    if not SignInDomain.objects.proven().filter(organization=organization).exists():
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_WITHOUT_DOMAIN,
            Level.ERROR,
            "Single sign-on is on, but no e-mail domain is proven, so nobody can sign in with it.",
            "Prove a domain under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
