"""The pages around the screen in a browser: the way in, and the page that the screen is drawn on.

They bring everything they need from this machine. Texts of others go in escaped.
"""

from __future__ import annotations

import html
from typing import Final

from bo.core.kernel.text import _, language

# Keys go to the screen from the start, and again whenever the tab comes back.
FOCUS: Final = """const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
addEventListener("load", () => new MutationObserver(focus).observe(document.body, { attributes: true }));
addEventListener("focus", focus);
"""
_HEAD: Final = """<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>bo</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
@font-face {{ font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
html, body {{ margin: 0; height: 100%; background: #101418; color: #d8dee6; font: 16px system-ui, sans-serif; }}
main {{ max-width: 22rem; margin: 0 auto; padding: 12vh 1rem; }}
label {{ display: block; margin: 1rem 0 .3rem; }}
input {{ width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; border: 1px solid #57606a;
  border-radius: 4px; background: #1b2129; color: inherit; }}
button {{ margin-top: 1.4rem; width: 100%; font: inherit; padding: .7rem; border: 0; border-radius: 4px;
  background: #3b6ea5; color: #fff; }}
.trouble {{ border-left: 4px solid #e5734f; padding-left: .8rem; }}
#terminal {{ width: 100vw; height: 100vh; }}
#ended {{ display: none; position: fixed; inset: 0; background: #101418e6; z-index: 9; }}
body.-closed #ended {{ display: block; }}
a {{ color: #8cb9e8; }}
</style>"""


def _head() -> str:
    return _HEAD.format(lang=language().replace("_", "-"))


def screen_page(socket: str) -> str:
    """The page with the screen, which comes by a websocket of that address."""
    said, again = html.escape(_("The screen has been closed.")), html.escape(_("Open it again"))
    return (
        f"{_head()}"
        '<link rel="preload" as="font" crossorigin href="/static/fonts/RobotoMono-VariableFont_wght.ttf">'
        '<link rel="stylesheet" href="/static/css/xterm.css"><script src="/static/js/textual.js"></script>'
        '<script src="/keys.js"></script></head><body>'
        f'<div id="ended"><main><p>{said}</p><p><a href="/">{again}</a></p></main></div>'
        f'<div id="terminal" class="textual-terminal" data-font-size="16" '
        f'data-session-websocket-url="{html.escape(socket)}"></div></body></html>'
    )


def door_page(trouble: str, *, asks: bool) -> str:
    """Why nobody is let in yet, and the form where a password `asks` for one."""
    told = f'<p class="trouble" role="alert">{html.escape(trouble)}</p>' if trouble else ""
    form = _form() if asks else ""
    return f"{_head()}</head><body><main><h1>bo</h1>{told}{form}</main></body></html>"


def _form() -> str:
    fields = (
        ("user", _("Login"), 'type="text" autocomplete="username" autofocus required'),
        ("password", _("Password"), 'type="password" autocomplete="current-password" required'),
        ("code", _("Second factor, where you have one"), 'type="text" autocomplete="one-time-code"'),
    )
    rows = "".join(
        f'<label for="{name}">{html.escape(title)}</label><input id="{name}" name="{name}" maxlength="1000" {kind}>'
        for name, title, kind in fields
    )
    return f'<form method="post" action="/login">{rows}<button>{html.escape(_("Log in"))}</button></form>'
