"""Pictures and films to X before they are posted: https://docs.x.com/x-api/media/quickstart/media-upload-chunked with
the endpoints of their own (…/media/initialize-media-upload, append-, finalize-, get-media-upload-status), and what a
picture shows (…/media/create-media-metadata). Segments of at most 5 MB (…/media/append-media-upload).
"""

from __future__ import annotations

import time
from urllib.parse import quote

from connectors.base import Refused, RetryLater
from connectors.messages import OutboundFile
from connectors.x.client import XClient
from connectors.x.entries import count_of, part_of, text_of
from connectors.x.rules import media_kind

SEGMENT = 4 * 1024 * 1024
MOST_SECONDS = 240.0  # for a film to be made ready
MOST_LOOKS = 60


def upload(client: XClient, file: OutboundFile, *, private: bool) -> str:
    """The media id. Raises ConnectorError; nothing of it can be seen by anybody."""
    kind = media_kind(file.content_type)
    category = ("dm_" if private else "tweet_") + kind
    content_type = file.content_type.partition(";")[0].strip().lower()
    answer = client.request(
        "POST",
        "/2/media/upload/initialize",
        json={
            "media_type": "image/jpeg" if content_type == "image/jpg" else content_type,
            "total_bytes": len(file.content),
            "media_category": category,
        },
    )
    media_id = text_of(part_of(answer.object, "data"), "id")
    if not media_id:
        raise RetryLater("X gave no place for the picture just now.")
    path = f"/2/media/upload/{quote(media_id, safe='')}"
    for index, start in enumerate(range(0, len(file.content), SEGMENT)):
        segment = file.content[start : start + SEGMENT]
        client.request(
            "POST",
            f"{path}/append",
            form={"segment_index": str(index)},
            files={"media": ("media", segment, "application/octet-stream")},
        )
    answer = client.request("POST", f"{path}/finalize")
    _wait(client, media_id, part_of(part_of(answer.object, "data"), "processing_info"), file.name)
    if file.alt:
        body = {"id": media_id, "metadata": {"alt_text": {"text": file.alt}}}
        client.spend("media.metadata", 1, lambda: client.request("POST", "/2/media/metadata", json=body))
    return media_id


def _wait(client: XClient, media_id: str, info: object, name: str) -> None:
    """Until X has made a film ready. Raises Refused when it cannot, RetryLater when it takes too long."""
    ends_at = time.monotonic() + MOST_SECONDS
    for _ in range(MOST_LOOKS):
        known = info if isinstance(info, dict) else {}
        state = text_of(known, "state")
        if state in {"", "succeeded"}:
            return
        if state == "failed":
            why = text_of(part_of(known, "error"), "message")[:160]
            raise Refused(f"X cannot use “{name}”" + (f": “{why}”." if why else "."))
        pause = min(max(count_of(known, "check_after_secs") or 1, 1), 30)
        if time.monotonic() + pause > ends_at:
            break
        time.sleep(pause)
        answer = client.request("GET", "/2/media/upload", params={"command": "STATUS", "media_id": media_id})
        info = part_of(part_of(answer.object, "data"), "processing_info")
    raise RetryLater(f"X is still making “{name}” ready.")
