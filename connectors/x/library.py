"""tweepy's `Client` with our session under it. Imported only when something is asked: tweepy costs 250 ms and 22 MB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
import tweepy


class Library(tweepy.Client):  # type: ignore[misc]  # tweepy has no types
    """Every method returns the `requests.Response` as it came, a refusal too.

    tweepy's own `request` fixes the host, knows no files, and stumbles over refusals that are no JSON objects and over
    limit headers that are no numbers.
    """

    def __init__(self, session: requests.Session, base_url: str, bearer: str, keys: tuple[str, str, str, str] | None):
        super().__init__(bearer or None, *(keys or ()), return_type=requests.Response, wait_on_rate_limit=False)
        self.session = session
        self._base_url = base_url
        self._is_signed = keys is not None

    def request(
        self,
        method: str,
        route: str,
        params: Any = None,
        json: Any = None,
        user_auth: bool = False,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        headers, auth = {"Accept": "application/json"}, None
        if self._is_signed:
            keys = (self.consumer_key, self.consumer_secret, self.access_token, self.access_token_secret)
            auth = tweepy.OAuth1UserHandler(*keys).apply_auth()
        else:
            headers["Authorization"] = f"Bearer {self.bearer_token}"
        return self.session.request(
            method, self._base_url + route, params=params, json=json, data=form, files=files, headers=headers, auth=auth
        )
