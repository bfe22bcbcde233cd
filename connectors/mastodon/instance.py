"""What a server says of itself, and the limits that follow.

https://docs.joinmastodon.org/methods/instance/#v2 (4.0 and later) and #v1; https://docs.joinmastodon.org/entities/Instance/.
Others: Pleroma and Akkoma give `max_toot_chars` and per-kind limits in v1
(https://docs.pleroma.social/backend/development/API/differences_in_mastoapi_responses/), GoToSocial has both documents
(https://docs.gotosocial.org/en/latest/api/swagger/), Pixelfed and Friendica v1 and parts of v2. What a server does not
say is as Mastodon's own defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from connectors.answers import Gone
from connectors.base import Refused
from connectors.mastodon.counting import URL_LENGTH, USUAL_LIMIT
from connectors.mastodon.values import count, part, text
from connectors.wire import Wire

# What programs call themselves in `version` ("2.7.2 (compatible; Pleroma 2.5.0)") or where their source lies.
_OTHERS = "pleroma|akkoma|gotosocial|pixelfed|friendica|mitra|iceshrimp|sharkey|firefish|misskey|takahe|hollo|snac"
_OTHER = re.compile(_OTHERS, re.I)
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Instance:
    """The limits of one server, kept in the account's settings. Bytes, characters, seconds."""

    domain: str = ""
    title: str = ""
    program: str = ""  # "" is Mastodon or a fork of it
    version: str = ""
    max_characters: int = USUAL_LIMIT
    url_length: int = URL_LENGTH
    max_files: int = 4
    max_image_bytes: int = 16 * 2**20
    max_video_bytes: int = 99 * 2**20
    max_alt: int = 1500
    file_types: tuple[str, ...] = ()
    streaming: str = ""

    @property
    def counts_plainly(self) -> bool:
        return bool(self.program)

    @property
    def has_many(self) -> bool:
        """GET /api/v1/statuses?id[]= (https://docs.joinmastodon.org/methods/statuses/#index, 4.3 and later)."""
        return self._is_at_least(4, 3)

    @property
    def has_filtered(self) -> bool:
        """include_filtered of notifications, 4.3 and later."""
        return self._is_at_least(4, 3)

    def _is_at_least(self, major: int, minor: int) -> bool:
        found = _VERSION.match(self.version)
        return not self.program and found is not None and (int(found[1]), int(found[2])) >= (major, minor)

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "file_types": list(self.file_types)}


def instance_of(data: Any) -> Instance:
    """What `plain` made, now or by another version."""
    if not isinstance(data, Mapping):
        return Instance()
    known = {one.name: data[one.name] for one in fields(Instance) if type(data.get(one.name)) in (int, str)}
    types = data.get("file_types")
    return Instance(**{**known, "file_types": tuple(str(one) for one in types) if isinstance(types, list) else ()})


def ask_instance(wire: Wire) -> Instance:
    """The newer document, the older one where there is none. Raises ConnectorError when neither can be had."""
    try:
        answer = wire.call("GET", "/api/v2/instance", endpoint="GET /api/v2/instance")
        if answer.object:
            return read_instance(answer.object)
    except Refused:
        pass
    try:
        return read_instance(wire.call("GET", "/api/v1/instance", endpoint="GET /api/v1/instance").object)
    except Gone:
        raise Refused(f"{wire.host} does not speak Mastodon's client API. Is the server's address right?") from None


def read_instance(data: Mapping[str, Any]) -> Instance:
    usual = Instance()
    setup = part(data, "configuration")
    posts, media = part(setup, "statuses"), part(setup, "media_attachments")
    types = media.get("supported_mime_types")
    version, source = text(data, "version", 200), text(data, "source_url", 500)
    other = _OTHER.search(version) or _OTHER.search(source)
    upload = count(data, "upload_limit")  # Pleroma: bytes of any file
    return Instance(
        domain=(text(data, "domain", 300) or _host(text(data, "uri", 300))).lower(),
        title=text(data, "title", 300),
        program=other[0].lower() if other else "",
        version=version,
        max_characters=_first(count(posts, "max_characters"), count(data, "max_toot_chars")) or usual.max_characters,
        url_length=count(posts, "characters_reserved_per_url") or usual.url_length,
        max_files=_first(count(posts, "max_media_attachments"), count(data, "max_media_attachments"))
        or usual.max_files,
        max_image_bytes=_first(count(media, "image_size_limit"), upload) or usual.max_image_bytes,
        max_video_bytes=_first(count(media, "video_size_limit"), upload) or usual.max_video_bytes,
        max_alt=_first(count(media, "description_limit"), count(data, "description_limit")) or usual.max_alt,
        file_types=tuple(str(one)[:100] for one in types[:200]) if isinstance(types, list) else (),
        streaming=text(part(setup, "urls"), "streaming", 500) or text(part(data, "urls"), "streaming_api", 500),
    )


def _first(*values: int | None) -> int:
    return next((one for one in values if one), 0)


def _host(address: str) -> str:
    """v1's `uri` is a bare domain on Mastodon and a whole address on others."""
    return address.partition("://")[2].partition("/")[0] if "://" in address else address.partition("/")[0]
