"""The consent page and the token endpoint: docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from connectors.simulators.exchange import Answer, Request, html_answer, json_answer, redirect
from connectors.simulators.page import page
from connectors.simulators.x.access import App, Denied
from connectors.simulators.x.core import XCore

_WORDS = {
    "tweet.read": "See posts",
    "tweet.write": "Post and answer for you",
    "tweet.moderate.write": "Hide replies to your posts",
    "users.read": "See profiles",
    "dm.read": "Read your direct messages",
    "dm.write": "Send direct messages for you",
    "media.write": "Upload pictures and films",
    "offline.access": "Stay connected until you revoke it",
}


class ConsentRoutes(XCore):
    def route_consent(self) -> None:
        self.route("GET /i/oauth2/authorize", self.show_consent)
        self.route("POST /i/oauth2/authorize", self.take_consent)
        self.route("POST /2/oauth2/token", self.give_token)
        self.route("POST /2/oauth2/revoke", self.revoke_token)

    def show_consent(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in request.query.items()}
        trouble = _trouble(self.access.apps.get(asked.get("client_id", "")), asked)
        if trouble:
            return html_answer(page("X", f"<h1>Something went wrong</h1><p>{escape(trouble)}</p>"), 400)
        people = sorted(self.world.members.values(), key=lambda one: (not one.is_ours, one.username))
        options = "".join(f'<option value="{one.id}">{escape(one.name)} @{one.username}</option>' for one in people)
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
        )
        scopes = "".join(f"<li>{escape(_WORDS.get(one, one))}</li>" for one in asked.get("scope", "").split())
        name = escape(self.access.apps[asked["client_id"]].name)
        return html_answer(
            page(
                "Authorize · simulated X",
                f'<div class="sheet" style="max-width:480px;margin:24px auto"><p class="quiet small">Simulated X</p>'
                f"<h1>{name} wants to access your account</h1><ul>{scopes}</ul>"
                f'<form method="post" action="/i/oauth2/authorize">{hidden}<label for="user">Account</label>'
                f'<select id="user" name="user">{options}</select>'
                '<button class="main" name="answer" value="yes">Authorize app</button> '
                '<button name="answer" value="no">Cancel</button></form></div>',
            )
        )

    def take_consent(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in request.form().items()}
        app = self.access.apps.get(asked.get("client_id", ""))
        trouble = _trouble(app, asked)
        if trouble or app is None or asked.get("user") not in self.world.members:
            return html_answer(page("X", f"<h1>Something went wrong</h1><p>{escape(trouble)}</p>"), 400)
        back: dict[str, Any] = {"state": asked["state"]}
        if asked.get("answer") == "yes":
            back["code"] = self.access.consent(app, asked["user"], asked)
        else:
            back["error"] = "access_denied"
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return redirect(asked["redirect_uri"] + joint + urlencode(back))

    def give_token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in request.form().items()}
        try:
            return json_answer(self.access.exchange(self.access.app_of(request, form), form))
        except Denied as denied:
            return json_answer({"error": denied.error, "error_description": denied.description}, denied.status)

    def revoke_token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in request.form().items()}
        try:
            self.access.app_of(request, form)
        except Denied as denied:
            return json_answer({"error": denied.error, "error_description": denied.description}, denied.status)
        self.access.revoke(form.get("token", ""))
        return json_answer({"revoked": True})


def _trouble(app: App | None, asked: dict[str, str]) -> str:
    """What is wrong with an authorisation request, "" when nothing is."""
    if app is None:
        return "You weren’t able to give access to the App: its client_id is not known."
    if app.redirect_uris and asked.get("redirect_uri") not in app.redirect_uris:
        return "The redirect_uri is not one of those the App has named."
    for name in ("response_type", "redirect_uri", "scope", "state", "code_challenge"):
        if not asked.get(name):
            return f"The parameter {name} is missing."
    if asked["response_type"] != "code" or asked.get("code_challenge_method", "plain") not in ("S256", "plain"):
        return "The response_type or the code_challenge_method is not supported."
    return ""
