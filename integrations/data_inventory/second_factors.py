"""The tables about people's second factors: nothing in them is about a candidate."""

from integrations.data_inventory.table import Table

SECOND_FACTOR_TABLES = (
    Table(
        "integrations.Passkey",
        "the public halves of people's passkeys",
        "until its person removes it, or as long as the account",
        people={
            "name": "what the person calls it",
            "credential_id": "the passkey's id",
            "credential": "its public key and the model of its device",
            "user_handle": "the random number by which it knows the person",
        },
        organization="",
    ),
    Table(
        "integrations.AuthenticatorApp",
        "what the codes of people's authenticator apps are made from",
        "until its person removes it, or as long as the account",
        people={"secret": "the secret that the app has too; encrypted"},
        organization="",
    ),
    Table(
        "integrations.RecoveryCode",
        "hashes of people's recovery codes, and when each was used",
        "until its person makes new ones, or as long as the account",
        harmless=frozenset({"salt", "digest"}),
        organization="",
    ),
)
