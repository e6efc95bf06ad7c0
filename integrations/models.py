"""Where Django looks for the tables: each room has its own."""

# ruff: noqa: F401

import integrations.accounts.models.attempts
import integrations.api.models
import integrations.audit.models.chain
import integrations.audit.models.entry
import integrations.catalog.models
import integrations.clients.models
import integrations.codescreen.models
import integrations.health.models
import integrations.inbox.models.delivery
import integrations.inbox.models.verdict
import integrations.invitations.models.candidate
import integrations.invitations.models.invitation
import integrations.invitations.models.result
import integrations.lever.models.connection
import integrations.lever.models.webhook
import integrations.members.models.membership
import integrations.notifications.models.email_kind
import integrations.organizations.models.organization
import integrations.outbox.models.effect
import integrations.privacy.models
import integrations.queue.models.duty_run
import integrations.queue.models.nodes
import integrations.single_sign_on.models
