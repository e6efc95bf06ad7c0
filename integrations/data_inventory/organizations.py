"""The tables about organizations and their people: nothing in them is about a candidate."""

from integrations.data_inventory.table import Table

WITH_ORGANIZATION = "as long as the organization"
AS_LISTED = "as long as the platform lists it, and afterwards marked gone"

ORGANIZATION_TABLES = (
    Table(
        "integrations.Organization",
        "one customer and its policies",
        WITH_ORGANIZATION,
        people={
            "feedback_author": "the Lever user who writes feedback",
            "feedback_author_name": "their name",
        },
        harmless=frozenset(
            {
                "name",
                "slug",
                "webhook_key",
                "stage_prefix",
                "default_assessment",
                "passed_tag",
                "failed_tag",
                "passed_stage",
                "report_time_zone",
                "brand_logo_url",
                "brand_colour",
                "brand_signature",
            }
        ),
        organization="pk",
    ),
    Table(
        "integrations.Erasure",
        "the receipts of erasures: ids, times and counts",
        "for ever",
        harmless=frozenset({"opportunity_id", "rows", "kept"}),
    ),
    Table(
        "integrations.NotificationPreference",
        "which e-mails members chose to get or not to get",
        "as long as the membership",
        people={"is_wanted": "whether the person wants e-mails of that kind"},
        organization="membership__organization",
    ),
    Table(
        "integrations.ChainHead",
        "the end of each chain of audit entries and verdicts",
        "for ever",
        harmless=frozenset({"hash", "seal"}),
        organization="",
    ),
    Table(
        "integrations.AnnouncedHead",
        "the ends of chains that were announced outside the database",
        "for ever",
        harmless=frozenset({"hash"}),
        organization="",
    ),
    Table(
        "integrations.LeverConnection",
        "the OAuth grant; tokens are encrypted",
        WITH_ORGANIZATION,
        people={
            "lever_user_id": "the Lever user that writes are attributed to",
            "lever_user_name": "the name of the Super Admin who signed in to Lever",
            "lever_user_email": "their address in Lever",
        },
        harmless=frozenset(
            {"state_reason", "scopes", "lever_account_id", "feedback_template_id", "feedback_template"}
        ),
    ),
    Table(
        "integrations.CodeScreenConnection",
        "the API key, encrypted",
        WITH_ORGANIZATION,
        harmless=frozenset({"state_reason"}),
    ),
    Table(
        "integrations.LeverWebhook",
        "webhooks in Lever; signature tokens are encrypted",
        "30 days after it was retired",
        harmless=frozenset({"name", "event", "lever_webhook_id", "url"}),
    ),
    Table(
        "integrations.FormerWebhookKey",
        "webhook keys that were replaced",
        "30 days after they ended",
        harmless=frozenset({"key"}),
    ),
    Table(
        "integrations.Stage",
        "Lever's stages",
        AS_LISTED,
        harmless=frozenset({"external_id", "name", "former_name"}),
    ),
    Table(
        "integrations.Role",
        "Lever's postings",
        AS_LISTED,
        harmless=frozenset({"external_id", "title", "state", "tags"}),
    ),
    Table(
        "integrations.Assessment",
        "CodeScreen's assessments",
        AS_LISTED,
        harmless=frozenset({"external_id", "name"}),
    ),
    Table(
        "integrations.RoleMapping",
        "which assessment belongs to which role",
        "until it is deleted",
        harmless=frozenset({"role", "stage", "assessment"}),
    ),
    Table(
        "integrations.RatingThresholds",
        "which score is which rating",
        "until it is deleted",
        harmless=frozenset({"assessment"}),
    ),
    Table(
        "integrations.EmailTemplate",
        "the customer's wording of e-mails, with variables instead of values",
        "until it is reset",
        harmless=frozenset({"subject", "body"}),
    ),
    Table(
        "integrations.AlertAddress",
        "where alerts are posted; the URL and the signing secret are encrypted",
        "until it is removed",
        harmless=frozenset({"name", "host", "last_failure"}),
    ),
    Table(
        "integrations.Incident",
        "when something was wrong, by code",
        WITH_ORGANIZATION,
        harmless=frozenset({"code"}),
    ),
    Table(
        "integrations.LeverProbe",
        "what the hourly probe of Lever found",
        "until the next probe",
        harmless=frozenset({"missing_fields"}),
    ),
    Table(
        "integrations.ShapeDeviation",
        "where a platform's answers differ from their documentation: types, no values",
        "90 days after it was seen last",
        harmless=frozenset({"platform", "endpoint", "field", "found", "expected", "example"}),
    ),
    Table(
        "integrations.WebhookRejection",
        "counts of rejected requests; nothing of the requests",
        WITH_ORGANIZATION,
        harmless=frozenset({"platform", "code", "hint"}),
    ),
    Table(
        "integrations.CircuitBreaker",
        "whether a platform answers",
        WITH_ORGANIZATION,
        harmless=frozenset({"platform"}),
    ),
    Table(
        "integrations.Membership",
        "who may do what in which organization",
        "until the person leaves or is removed",
        people={"address": "the address at which the person accepted"},
    ),
    Table(
        "integrations.PendingMembership",
        "who was invited to an organization and hasn't answered",
        "until the person answers, the invitation is withdrawn, or 30 days after it ended",
        people={"email": "the address that was invited"},
    ),
    Table(
        "integrations.OpportunityPerson",
        "who is on which candidate in Lever, where there are Limited Team Members",
        "until Lever shows otherwise, the candidate is erased, or the last Limited Team Member has left",
        people={"email": "the person's address in Lever"},
        harmless=frozenset({"opportunity_id"}),
    ),
    Table(
        "integrations.PersonalSettings",
        "how a person reads times, and which address is proven",
        "as long as the account",
        people={
            "time_zone": "the person's time zone",
            "proven_email": "the address at which they opened a link",
        },
        organization="",
    ),
    Table(
        "integrations.IdentityProvider",
        "the provider of an organization's single sign-on",
        WITH_ORGANIZATION,
        harmless=frozenset({"issuer", "client_id", "failure"}),
    ),
    Table(
        "integrations.SignInDomain",
        "an e-mail domain of an organization",
        WITH_ORGANIZATION,
        harmless=frozenset({"domain", "token"}),
    ),
    Table(
        "integrations.ProviderIdentity",
        "who a member is at the provider",
        "as long as the account and the provider, or until a Super Admin unbinds it",
        people={"subject": "the provider's own name of the person"},
        organization="provider__organization",
    ),
    Table(
        "integrations.UserSession",
        "people's sessions: when each began and was last used, and from where",
        "30 days after the session's end",
        people={
            "address": "the client's address",
            "network": "the client's network",
            "browser": "the browser in words",
        },
        organization="",
    ),
    Table(
        "integrations.PasswordLinkRequest",
        "addresses for which a link to choose a password was asked",
        "a second, until a worker has looked whether a member has the address; an hour while none works",
        people={"address": "the address that was typed"},
        organization="",
    ),
    Table(
        "integrations.AttemptLimit",
        "how many passwords and second factors may still be tried",
        "an hour after all are free again; removed daily",
        harmless=frozenset({"key"}),
        organization="",
    ),
    Table(
        "integrations.RateLimitBucket",
        "how many calls may still be made",
        "until it is full again",
        harmless=frozenset({"key"}),
        organization="",
    ),
    Table(
        "integrations.Heartbeat",
        "which nodes work",
        "until the node is gone",
        harmless=frozenset({"node"}),
        organization="",
    ),
)
