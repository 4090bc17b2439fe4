"""The two pages that a browser may come to: how the mock is used, and its login."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: 6px; }}
a.button {{ display: inline-block; padding: .6rem 1.2rem; border-radius: 6px; background: #b83c0b;
color: #fff; text-decoration: none; }}
</style></head><body><h1>{title}</h1>{body}</body></html>"""


def usage_page(url: str, api_key: str) -> str:
    """How a program is pointed at the mock."""
    ws = url.replace("http", "ws", 1)
    body = f"""<p>This is no broker, but the market of this server behind the wire of Kite Connect 3.
No money, no orders.</p>
<pre>kite = KiteConnect("{api_key}", root="{url}")
ticker = KiteTicker("{api_key}", access_token, root="{ws}")</pre>
<pre>const kite = new KiteConnect({{api_key: "{api_key}", root: "{url}"}})
const ticker = new KiteTicker({{api_key: "{api_key}", access_token, root: "{ws}"}})</pre>
<p><a class="button" href="/connect/login?v=3&amp;api_key={escape(api_key)}">Log in</a></p>"""
    return _PAGE.format(title="Kite mock", body=body)


def login_page(text: str, link: str | None, name: str) -> str:
    """The login: one button, or what came of it."""
    body = f"<p>{escape(text)}</p>" if text else "<p>Nobody is asked for a password here.</p>"
    if link is not None:
        body += f'<p><a class="button" href="{escape(link)}">Log in as {escape(name)}</a></p>'
    return _PAGE.format(title="Kite mock: login", body=body)
