"""Uploads: docs.x.com/x-api/media/introduction and …/media/quickstart/media-upload-chunked.

In three steps with paths of their own (initialize, append, finalize), by the older `command` parameter of one path, or
a picture at once. A film and a moving picture are processed for a while, which STATUS tells.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import timedelta
from typing import Any

from connectors.simulators.exchange import Answer, Malformed, Request, json_answer
from connectors.simulators.x.core import XCore
from connectors.simulators.x.problems import forbidden, invalid
from connectors.simulators.x.things import Upload

MEGABYTE = 2**20
_CAPS = {"photo": 5 * MEGABYTE, "animated_gif": 15 * MEGABYTE, "video": 512 * MEGABYTE}
_SEGMENT_CAP = 5 * MEGABYTE
_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/pjpeg", "image/gif"),
    *("video/mp4", "video/quicktime", "video/webm", "video/mp2t"),
)
_LIFE = timedelta(hours=24)


class UploadRoutes(XCore):
    def route_uploads(self) -> None:
        self.route("POST /2/media/upload/initialize", lambda request: self.initialize(request.json_object()))
        self.route("POST /2/media/upload/:id/append", self.append)
        self.route("POST /2/media/upload/:id/finalize", lambda request: self.finalize(request.values["id"]))
        self.route("POST /2/media/upload", self.upload)
        self.route("GET /2/media/upload", self.status)
        self.route("POST /2/media/metadata", self.describe)
        self.route("GET /media/:id", self.show_file)

    def initialize(self, given: dict[str, Any]) -> Answer:
        kind, total = given.get("media_type"), given.get("total_bytes")
        if kind not in _TYPES:
            return invalid("$.media_type: does not have a value in the enumeration", "media_type", [str(kind)])
        if not isinstance(total, int) or total < 1:
            return invalid("$.total_bytes: a positive integer is expected", "total_bytes", [str(total)])
        category = str(given.get("media_category") or "tweet_image")
        upload = Upload(self.world.new_id(), self.viewer.id, kind, category, total, self.now())
        if total > _CAPS[upload.kind]:
            return invalid("File size exceeds the limit of its kind.", "total_bytes", [str(total)])
        self.world.uploads[upload.id] = upload
        return json_answer({"data": self._told(upload)})

    def _told(self, upload: Upload) -> dict[str, Any]:
        left = upload.made_at + _LIFE - self.now()
        return {"id": upload.id, "media_key": upload.key, "expires_after_secs": int(left.total_seconds())}

    def _own(self, id_: str) -> Upload:
        upload = self.world.uploads.get(id_)
        if upload is None or upload.owner_id != self.viewer.id or self.now() > upload.made_at + _LIFE:
            raise Malformed("The media id is not known, or no longer.")
        return upload

    def append(self, request: Request) -> Answer:
        """multipart with `media` and `segment_index`, or the same as JSON with base64."""
        if request.content_type == "application/json":
            body = request.json_object()
            index, content = str(body.get("segment_index", "")), _decoded(str(body.get("media", "")))
        else:
            parts = {part.name: part for part in request.parts()}
            index = parts["segment_index"].text if "segment_index" in parts else ""
            content = parts["media"].content if "media" in parts else b""
        return self._append(request.values["id"], index, content)

    def _append(self, id_: str, index: str, content: bytes) -> Answer:
        upload = self._own(id_)
        if not index.isdecimal() or int(index) > 999:
            return invalid("The segment_index must be between 0 and 999.", "segment_index", [index])
        if not content or len(content) > _SEGMENT_CAP:
            return invalid("A segment must have 1 byte to 5 MB.", "media", [])
        upload.segments[int(index)] = content
        return json_answer({"data": {"expires_at": int((upload.made_at + _LIFE).timestamp())}})

    def finalize(self, id_: str) -> Answer:
        upload = self._own(id_)
        if len(upload.content) != upload.total or sorted(upload.segments) != list(range(len(upload.segments))):
            return invalid("Segments do not add up to provided total file size.", "total_bytes", [str(upload.total)])
        upload.is_final = True
        upload.width, upload.height = _measured(upload.content)
        if upload.kind != "photo":
            upload.ready_at = self.now() + self.processing
        return json_answer({"data": self._told(upload) | {"size": upload.total} | self._progress(upload)})

    def _progress(self, upload: Upload) -> dict[str, Any]:
        if upload.ready_at is None:
            return {}
        left = (upload.ready_at - self.now()).total_seconds()
        if left <= 0:
            return {"processing_info": {"state": "succeeded", "progress_percent": 100}}
        return {"processing_info": {"state": "in_progress", "check_after_secs": max(1, round(left))}}

    def status(self, request: Request) -> Answer:
        if request.first("command") != "STATUS":
            return invalid("The `command` query parameter must be STATUS.", "command", [request.first("command")])
        upload = self._own(request.first("media_id"))
        return json_answer({"data": self._told(upload) | {"size": upload.total} | self._progress(upload)})

    def upload(self, request: Request) -> Answer:
        """A picture at once, or INIT, APPEND and FINALIZE by `command`."""
        given = {name: values[0] for name, values in request.query.items()}
        content = b""
        if request.content_type == "multipart/form-data":
            parts = {part.name: part for part in request.parts()}
            content = parts["media"].content if "media" in parts else b""
            given |= {name: part.text for name, part in parts.items() if name != "media"}
        elif request.content_type == "application/json":
            body = request.json_object()
            content = _decoded(str(body.get("media", "")))
            given |= {name: str(value) for name, value in body.items() if name != "media"}
        command = given.get("command", "")
        total = given.get("total_bytes", "")
        if command == "INIT":
            return self.initialize(given | {"total_bytes": int(total) if total.isdecimal() else 0})
        if command == "APPEND":
            return self._append(given.get("media_id", ""), given.get("segment_index", ""), content)
        if command == "FINALIZE":
            return self.finalize(given.get("media_id", ""))
        return self._at_once(content, given)

    def _at_once(self, content: bytes, given: dict[str, str]) -> Answer:
        if not content:
            return invalid("The field media is required.", "media", [])
        kind = given.get("media_type") or _sniffed(content)
        answer = self.initialize({"media_type": kind, "total_bytes": len(content), **_category(given)})
        if answer.status != 200:
            return answer
        newest = next(reversed(self.world.uploads.values()))
        newest.segments[0] = content
        return self.finalize(newest.id)

    def describe(self, request: Request) -> Answer:
        """docs.x.com/x-api/media/create-media-metadata: the words for those who cannot see it, 1,000 characters."""
        body = request.json_object()
        metadata = body.get("metadata")
        alt = metadata.get("alt_text") if isinstance(metadata, dict) else None
        text = alt.get("text") if isinstance(alt, dict) else None
        upload = self._own(str(body.get("id", "")))
        if not isinstance(text, str) or len(text) > 1000:
            return invalid("$.metadata.alt_text.text: must have at most 1000 characters", "metadata", [])
        upload.alt = text
        self.ledger.write(self.viewer.id, "Media Metadata", upload.id)
        return json_answer({"data": {"id": upload.id, "associated_metadata": {"alt_text": {"text": text}}}})

    def show_file(self, request: Request) -> Answer:
        """Where `media.fields=url` points to; it needs no log-in, as at pbs.twimg.com."""
        upload = self.world.uploads.get(request.values["id"])
        if upload is None or not upload.is_final:
            return forbidden()
        return Answer(200, upload.content, upload.content_type)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("$.media: base64 expected") from None


def _category(given: dict[str, str]) -> dict[str, str]:
    return {"media_category": given["media_category"]} if given.get("media_category") else {}


def _sniffed(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"GIF8"):
        return "image/gif"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


def _measured(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG or GIF, (0, 0) of others."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content.startswith(b"GIF8") and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return int(width), int(height)
    return 0, 0
