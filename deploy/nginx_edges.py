"""nginx.conf for several edges: sessions stay with the edge they began at, the rest goes to the least busy.

    python3 deploy/nginx_edges.py --edge e1=127.0.0.1:5001 --edge e2=127.0.0.1:5002 --feed 127.0.0.1:5000

prints it; names are those of server.edge_name. Whatever else nginx.conf says holds for both.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

SINGLE = Path(__file__).parent / "nginx.conf"


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="nginx.conf for a feed and several edges")
    parser.add_argument(
        "--edge",
        action="append",
        required=True,
        metavar="NAME=HOST:PORT",
        help="server.edge_name and address",
    )
    parser.add_argument(
        "--feed", required=True, metavar="HOST:PORT", help="the feed, which steers the market"
    )
    return parser.parse_args(arguments)


def upstreams(edges: dict[str, str], feed: str) -> str:
    """The servers, and which of them a session belongs to."""
    keep = ["        keepalive 64;", "        keepalive_timeout 60s;", "    }", ""]
    lines = ["    # a session's id begins with the name of its edge: whoever has one goes back there"]
    lines += ["    map $arg_sid $market_upstream {", "        default market_edges;"]
    lines += [f'        "~^{re.escape(name)}\\." market_edge_{name};' for name in edges]
    lines += ["    }", "", "    upstream market_edges {", "        least_conn;"]
    # one that is restarted is asked again at once: to count failures would leave none when the next one is
    lines += [f"        server {address} max_fails=0;" for address in edges.values()]
    lines += keep
    for name, address in edges.items():
        others = [other for other in edges.values() if other != address]
        lines += [f"    upstream market_edge_{name} {{", f"        server {address} max_fails=0;"]
        # another one does not know the session and says so: the client begins a new one there
        lines += [f"        server {other} max_fails=0 backup;" for other in others]
        lines += keep
    lines += ["    upstream market_feed {", f"        server {feed};", "    }", ""]
    return "\n".join(lines)


STEERING = """        # the feed steers the market; an edge would refuse
        location ~ ^/api/(replay|simulation/scenario)$ {
            limit_req zone=requests burst=100 nodelay;
            proxy_pass http://market_feed;
        }

"""


PASSED_OVER = """        # an edge that cannot be reached is passed over
        proxy_next_upstream error;
"""


def configuration(edges: dict[str, str], feed: str) -> str:
    """The whole file."""
    text = SINGLE.read_text()
    text, found = re.subn(
        r"    upstream market_data \{.*?\n    \}\n\n", upstreams(edges, feed) + "\n", text, flags=re.S
    )
    assert found == 1
    head, metrics = text.split("        # figures of the service")
    head = head.replace("http://market_data;", "http://$market_upstream;")
    # the figures of one process are no figures of all: Prometheus asks each by its own address
    metrics = re.sub(
        r"location = /metrics \{.*?\}",
        "location = /metrics {\n            deny all;\n        }",
        metrics,
        flags=re.S,
    )
    head = head.replace("        location / {\n", STEERING + "        location / {\n", 1)
    text = head + "        # figures of the service" + metrics
    text, found = re.subn(
        r" +# while the server restarts.*?proxy_next_upstream off;\n", PASSED_OVER, text, flags=re.S
    )
    assert found == 1
    return text.replace(
        "# nginx in front of the market-data server on the same machine",
        "# nginx in front of several edges (made by deploy/nginx_edges.py)",
    )


def main(arguments: list[str]) -> None:
    """Print it."""
    options = parse(arguments)
    edges = dict(item.split("=", 1) for item in options.edge)
    sys.stdout.write(configuration(edges, options.feed))


if __name__ == "__main__":
    main(sys.argv[1:])
