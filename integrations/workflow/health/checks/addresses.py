"""The portal's pages on which findings are fixed."""

SETTINGS, ACTIVITY, MAPPINGS, HEALTH = "/settings/", "/activity/", "/mappings/", "/health/"
LEVER_SETTINGS, WEBHOOK_SETTINGS = f"{SETTINGS}#lever", f"{SETTINGS}#webhook"
CODESCREEN_SETTINGS, POLICY_SETTINGS = f"{SETTINGS}#codescreen", f"{SETTINGS}rules/"
AUTHOR = "/settings/author/"
#: Where people who may not change a setting find somebody who may.
ASK = f"{SETTINGS}#ask"
SINGLE_SIGN_ON = "/settings/sso/"
