"""A small OpenID Connect provider: strict where the portal should be, and able to hand out hostile tokens."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import responses
from cryptography.hazmat.primitives.asymmetric import rsa

PORTAL_SECRET = "client-secret-of-the-portal"


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_KEYS = [_key(), _key()]  # made once: they take long


@dataclass
class Code:
    """What was asked for when a code was issued."""

    redirect_uri: str
    nonce: str
    challenge: str
    is_used: bool = False


@dataclass
class Provider:
    """One provider with one person at it; `changes` and `header` alter the tokens that it hands out."""

    issuer: str
    client_id: str = "portal"
    subject: str = "subject-1"
    email: str = "carol@acme.example"
    is_verified: bool = True
    #: Claims to replace in the ID token; None removes one.
    changes: dict[str, Any] = field(default_factory=dict)
    #: The algorithm to sign with, and whose key: 0 is the published one.
    algorithm: str = "RS256"
    key: int = 0
    userinfo: dict[str, Any] | None = None
    document: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    #: Each call that was received: method, path and form.
    calls: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    error: str = ""
    #: When the person signed in there, in Unix seconds; a new question for it makes that now.
    signed_in_at: int = field(default_factory=lambda: int(time.time()))

    # what a browser does

    def authorize(self, address: str) -> str:
        """Sign the person in without asking and return the address to send them back to."""
        query = dict(parse_qsl(urlsplit(address).query))
        assert query["client_id"] == self.client_id
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        if query.get("prompt") == "login" and query.get("max_age") == "0":
            self.signed_in_at = int(time.time())
        back: dict[str, str] = {"state": query["state"]}
        if self.error:
            back["error"] = self.error
        else:
            back["code"] = code = secrets.token_urlsafe(16)
            self.codes[code] = Code(query["redirect_uri"], query["nonce"], query["code_challenge"])
        return f"{query['redirect_uri']}?{urlencode(back)}"

    # what the portal asks

    def answer(self, method: str, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return the status and the JSON body of an answer."""
        self.calls.append((method, path, form))
        if path == "/.well-known/openid-configuration":
            return 200, self._discovery()
        if path == "/keys":
            return 200, {"keys": [{**_jwk(_KEYS[0]), "kid": "key-0", "use": "sig", "alg": "RS256"}]}
        if path == "/token":
            return self._token(form, authorization)
        if path == "/userinfo" and self.userinfo is not None:
            return 200, self.userinfo
        return 404, {"error": "not_found"}

    def _discovery(self) -> dict[str, Any]:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.document,
        }
        if self.userinfo is not None:
            document["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return document

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        expected = base64.b64encode(f"{self.client_id}:{PORTAL_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        code = self.codes.get(form.get("code", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            code is None
            or code.is_used
            or (code.redirect_uri, code.challenge) != (form.get("redirect_uri"), challenge)
        ):
            return 400, {"error": "invalid_grant"}
        code.is_used = True
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(code.nonce)}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "auth_time": self.signed_in_at,
            "email": self.email,
            "email_verified": self.is_verified,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, "", algorithm="none")
        if self.algorithm == "HS256":
            return jwt.encode(claims, PORTAL_SECRET * 2, algorithm="HS256", headers={"kid": "key-0"})
        return jwt.encode(claims, _KEYS[self.key], algorithm=self.algorithm, headers={"kid": "key-0"})


def _jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return described


def fake_wire(provider: Provider, wire: responses.RequestsMock) -> None:
    """Let `responses` answer for the provider."""

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        form = dict(parse_qsl(request.body or ""))
        path = urlsplit(request.url).path.removeprefix(urlsplit(provider.issuer).path)
        status, body = provider.answer(request.method, path, form, request.headers.get("Authorization", ""))
        return status, {}, json.dumps(body)

    for path in ("/.well-known/openid-configuration", "/keys", "/userinfo"):
        wire.add_callback("GET", provider.issuer + path, reply, content_type="application/json")
    wire.add_callback("POST", f"{provider.issuer}/token", reply, content_type="application/json")


@contextmanager
def serving(provider: Provider) -> Iterator[None]:
    """Serve the provider over HTTP on a port of this machine, and make that its issuer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize"):
                self.send_response(302)
                self.send_header("Location", provider.authorize(self.path))
                self.end_headers()
            else:
                self._reply({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._reply({name: values[0] for name, values in parse_qs(body).items()})

        def _reply(self, form: dict[str, str]) -> None:
            authorization = self.headers.get("Authorization", "")
            status, body = provider.answer(self.command, self.path, form, authorization)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
