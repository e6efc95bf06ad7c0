"""The proxies of portal/docs/operating without TLS, on a port of a run's own, in front of its own nodes.

A node is given by its address and port, as in `127.0.0.1:8000`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from portal.devtools.processes import HOST, RunFailed, wait_for_url

OPERATING = settings.BASE_DIR / "portal" / "docs" / "operating"
#: What Debian's own configuration has around such a file.
_AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def nginx(folder: Path, port: int, nodes: Sequence[str]) -> list[str]:
    """Write nginx's configuration into a folder; return the command line that runs it."""
    text = (OPERATING / "nginx.conf").read_text().rpartition("server {\n    listen 80;")[0]
    text = re.sub(r"^ *(http2|ssl_\w+) .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl;", f"listen {HOST}:{port};").replace("Proto https;", "Proto $scheme;")
    lines = "\n".join(f"server {node} max_fails=0;" for node in nodes)
    text = text.replace("server 127.0.0.1:8000 max_fails=0;", lines)
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(_AROUND.format(folder=folder, server=text, user=user))
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(file)]


@contextmanager
def balancer(folder: Path, port: int, nodes: Sequence[str]) -> Iterator[None]:
    """Run nginx in front of nodes. Raises RunFailed if it doesn't answer."""
    if shutil.which("nginx") is None:
        raise RunFailed("there is no nginx (apt-get install nginx)")
    process = subprocess.Popen(nginx(folder, port, nodes), stdin=subprocess.DEVNULL, stdout=2)
    try:
        wait_for_url(f"http://{HOST}:{port}/")
        yield
    finally:
        process.terminate()
        process.wait()


def caddy(folder: Path, port: int, nodes: Sequence[str]) -> list[str]:
    """Write Caddy's configuration into a folder; return the command line that runs it."""
    text = (OPERATING / "Caddyfile").read_text()
    text = text.replace("{\n\tservers", "{\n\tadmin off\n\tservers", 1)
    text = text.replace("portal.example.com {", f"http://:{port} {{\n\tbind {HOST}")
    text = text.replace("reverse_proxy 127.0.0.1:8000", " ".join(["reverse_proxy", *nodes]))
    if _caddy_version() < (2, 6, 4):
        text = text.replace("request_buffers 512KiB", "buffer_requests\n\t\tmax_buffer_size 512KiB")
    file = folder / "Caddyfile"
    file.write_text(text)
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


def _caddy_version() -> tuple[int, ...]:
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3])
