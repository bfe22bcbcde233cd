"""The look of the simulators' own pages: quiet, light or dark as the reader's system is, fit for a narrow screen."""

from __future__ import annotations

from html import escape

_STYLE = """
:root { color-scheme: light dark; --ground:#f6f6f4; --sheet:#fff; --ink:#1d1f21; --quiet:#63676b; --line:#e2e2de;
  --accent:#2f5fb3; --accent-ink:#fff; --ours:#eef3fb; --bad:#a33a2a; }
@media (prefers-color-scheme: dark) { :root { --ground:#16181a; --sheet:#1f2224; --ink:#e8e8e5; --quiet:#9ba0a5;
  --line:#33373a; --accent:#7fa8ee; --accent-ink:#12161c; --ours:#1d2735; --bad:#e58a78; } }
* { box-sizing:border-box } body { margin:0; background:var(--ground); color:var(--ink);
  font:16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width:1120px; margin:0 auto; padding:24px 20px 64px; }
h1 { font-size:24px; margin:0 0 4px; letter-spacing:-.01em } h2 { font-size:17px; margin:0 0 12px }
p { margin:0 0 12px } .quiet { color:var(--quiet) } .small { font-size:14px }
.sheet { background:var(--sheet); border:1px solid var(--line); border-radius:10px; padding:18px; margin:0 0 16px }
label { display:block; font-size:14px; color:var(--quiet); margin:0 0 4px } label.inline { display:flex; gap:8px;
  align-items:center; color:var(--ink); margin:8px 0 }
input[type=text], textarea, select { width:100%; font:inherit; color:inherit; background:var(--ground);
  border:1px solid var(--line); border-radius:8px; padding:9px 11px; margin:0 0 12px }
textarea { min-height:84px; resize:vertical }
button { font:inherit; font-weight:600; border-radius:8px; border:1px solid var(--line); padding:9px 16px;
  cursor:pointer; background:var(--sheet); color:var(--ink); min-height:42px }
button.main { background:var(--accent); border-color:var(--accent); color:var(--accent-ink) }
button.bad { color:var(--bad) } button.slim { padding:4px 10px; min-height:34px; font-weight:500; font-size:14px }
:focus-visible { outline:2px solid var(--accent); outline-offset:2px }
nav { display:flex; gap:6px; flex-wrap:wrap; margin:16px 0 20px } nav a { padding:7px 14px; border-radius:8px;
  color:var(--ink); text-decoration:none; border:1px solid transparent } nav a:hover { background:var(--sheet) }
nav a[aria-current] { background:var(--sheet); border-color:var(--line); font-weight:600 }
.columns { display:grid; grid-template-columns:minmax(0,1fr) 360px; gap:20px; align-items:start }
ol.entries { list-style:none; margin:0; padding:0 } ol.entries > li { padding:14px 0; border-top:1px solid var(--line) }
ol.entries > li:first-child { border-top:0; padding-top:0 } .entry { overflow-wrap:anywhere }
.ours { background:var(--ours); border-radius:8px; padding:10px 12px } .who { font-weight:600 }
.text { margin:4px 0 8px; white-space:pre-wrap } .gone .text { text-decoration:line-through; color:var(--quiet) }
.about { border-left:2px solid var(--line); padding-left:10px; color:var(--quiet); font-size:14px; margin:4px 0 }
.actions { display:flex; gap:6px; flex-wrap:wrap } .actions form { display:inline } a { color:var(--accent) }
details > summary { cursor:pointer; color:var(--quiet); font-size:14px; padding:4px 0 }
.note { border-left:3px solid var(--accent); padding:8px 12px; background:var(--sheet); margin:0 0 16px }
.note.bad { border-color:var(--bad) } .pair { display:grid; grid-template-columns:1fr 1fr; gap:0 12px }
@media (max-width: 860px) { .columns { display:flex; flex-direction:column; gap:0; align-items:stretch }
  .columns > aside { display:contents } #write { order:-1 }
  main { padding:18px 14px 48px } }
"""


def page(title: str, body: str) -> str:
    """A whole document; `body` is HTML, `title` plain text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
