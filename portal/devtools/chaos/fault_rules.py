"""The faults of both platforms, as rules for the sandbox."""

from portal.devtools.chaos import environment
from portal.devtools.chaos.options import Options
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.json_values import JsonObject

TIMEOUT_MS = int(environment.READ_SECONDS * 1000) + 1500

#: Faults by weight. In those "after" the call has taken effect, as in half of all failures.
MIX: tuple[tuple[float, JsonObject], ...] = (
    (1.0, {"kind": "status", "status": 429}),
    (0.3, {"kind": "status", "status": 429, "retry_after": 1}),
    (0.8, {"kind": "status", "status": 500}),
    (0.5, {"kind": "status", "status": 502}),
    (1.0, {"kind": "status", "status": 503}),
    (0.5, {"kind": "status", "status": 504}),
    (0.8, {"kind": "reset_before"}),
    (0.3, {"kind": "html"}),
    (0.15, {"kind": "timeout_before", "delay_ms": TIMEOUT_MS}),
    (0.8, {"kind": "status_after", "status": 500}),
    (0.6, {"kind": "status_after", "status": 502}),
    (0.6, {"kind": "status_after", "status": 504}),
    (1.0, {"kind": "reset_after"}),
    (0.8, {"kind": "truncated"}),
    (0.6, {"kind": "html_after"}),
    (0.15, {"kind": "timeout_after", "delay_ms": TIMEOUT_MS}),
)
API = "^/(v1|api)/"  # not the token endpoint: a lost answer there ends the grant, and only a person can reconnect


def make_rules(share: float) -> list[JsonObject]:
    """Return rules that make `share` of the calls fail; the sandbox tries them one after another."""
    total, left, rules = sum(weight for weight, _ in MIX), 1.0, []
    for weight, fault in MIX:
        probability = share * weight / total
        # a rule is tried only for the calls that no earlier rule matched
        rules.append({"path": API, "probability": probability / left, **fault})
        left -= probability
    return rules


def start_faults(demo: DemoEnvironment, options: Options) -> None:
    """Let calls to both platforms fail from now on."""
    for number, platform in enumerate((demo.lever, demo.codescreen)):
        platform.set_faults(options.seed * 2 + number, make_rules(options.faults))


def stop_faults(demo: DemoEnvironment) -> None:
    """Let every call to both platforms succeed again."""
    for platform in (demo.lever, demo.codescreen):
        platform.clear_faults()
