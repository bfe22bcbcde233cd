"""Routes that log in or change something: sessions, records, blobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.simulators.bluesky.checking import MOST_IMAGE_BYTES, find_fault, is_rkey
from connectors.simulators.bluesky.core import problem
from connectors.simulators.bluesky.reading import ReadingRoutes
from connectors.simulators.bluesky.sessions import Denied
from connectors.simulators.bluesky.things import BLOCK, LIKE, POST, REPOST, Member, cid_of
from connectors.simulators.control import NoSuchEntry
from connectors.simulators.web import Answer, Request, json_answer


class WritingRoutes(ReadingRoutes):
    def route_writing(self) -> None:
        self.route("POST /xrpc/com.atproto.server.createSession", self.create_session)
        self.route("POST /xrpc/com.atproto.server.refreshSession", self.refresh_session)
        self.route("GET /xrpc/com.atproto.server.getSession", self.get_session)
        self.route("POST /xrpc/com.atproto.repo.createRecord", self.create_record)
        self.route("POST /xrpc/com.atproto.repo.deleteRecord", self.delete_record)
        self.route("POST /xrpc/com.atproto.repo.uploadBlob", self.upload_blob)

    # --- Sessions ---------------------------------------------------------------------------------------------------

    def create_session(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-server-create-session"""
        body = request.json_object()
        member = self.world.find_member(str(body.get("identifier") or ""))
        password = str(body.get("password") or "")
        try:
            if member is not None:
                self.sessions.count_login(member.did)
            if member is None or password not in member.app_passwords:
                raise Denied("AuthenticationRequired", "Invalid identifier or password", 401)
            if member.is_suspended:
                raise Denied("AccountTakedown", "Account has been taken down", 401)
        except Denied as denied:
            return problem(denied.name, str(denied), denied.status)
        tokens = self.sessions.open(member.did, member.app_passwords[password])
        return json_answer({**tokens, **self._about(member)})

    def _about(self, member: Member) -> dict[str, Any]:
        state = {"active": False, "status": "takendown"} if member.is_suspended else {"active": True}
        return {"did": member.did, "handle": member.handle, "didDoc": self.document(member.did), **state}

    def refresh_session(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-server-refresh-session"""
        try:
            caller, tokens = self.sessions.refreshed(request.bearer)
        except Denied as denied:
            return problem(denied.name, str(denied), denied.status)
        member = self.world.members[caller.did]
        if member.is_suspended:
            return problem("AccountTakedown", "Account has been taken down", 401)
        return json_answer({**tokens, **self._about(member)})

    def get_session(self, request: Request) -> Answer:
        return json_answer(self._about(self.world.members[self.viewer]))

    # --- Records ----------------------------------------------------------------------------------------------------

    def create_record(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-repo-create-record

        A key that is taken: 500, and nothing changes, as the reference server has it.
        """
        body = request.json_object()
        collection, record = str(body.get("collection") or ""), body.get("record")
        rkey = str(body.get("rkey") or self.world.tid(self.world.tick()))
        if body.get("repo") not in (self.viewer, self.world.members[self.viewer].handle):
            return problem("InvalidRequest", "Could not find repo: it is not yours", 403)
        if not is_rkey(rkey) or not isinstance(record, Mapping):
            return problem("InvalidRequest", "Input/rkey must be a valid record key")
        uri = f"at://{self.viewer}/{collection}/{rkey}"
        if collection in (LIKE, REPOST, BLOCK):
            return self._carry(collection, record)
        fault = find_fault(record, self.world.blobs) if collection == POST else f"Unknown lexicon type: {collection}"
        if fault:
            return problem("InvalidRequest", f"Invalid {collection} record: {fault}")
        if uri in self.world.posts:
            return problem("InternalServerError", "Internal Server Error", 500)
        post = self.world.put(self.viewer, rkey, record)
        commit = {"cid": cid_of(uri.encode()), "rev": self.world.tid(post.indexed_at)}
        return json_answer({"uri": post.uri, "cid": post.cid, "commit": commit, "validationStatus": "valid"})

    def _carry(self, collection: str, record: Mapping[str, Any]) -> Answer:
        subject, me = record.get("subject"), self.world.members[self.viewer]
        if collection == BLOCK:
            me.blocks.append(str(subject))
            return json_answer({"uri": f"at://{me.did}/{BLOCK}/x", "cid": cid_of(b"")})
        try:
            made = self.world.carry(me, str((subject or {}).get("uri")), collection == LIKE)
        except NoSuchEntry:
            return problem("InvalidRequest", "Invalid record: no such subject")
        return json_answer({"uri": made.uri, "cid": made.cid})

    def delete_record(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-repo-delete-record: what is not there is deleted already"""
        body = request.json_object()
        post = self.world.posts.get(f"at://{self.viewer}/{body.get('collection')}/{body.get('rkey')}")
        if post is not None and post.deleted_at is None:
            post.deleted_at = self.world.tick()
        return json_answer({})

    def upload_blob(self, request: Request) -> Answer:
        """https://docs.bsky.app/docs/api/com-atproto-repo-upload-blob"""
        size, kind = len(request.body), request.content_type or "application/octet-stream"
        if size > 50 * MOST_IMAGE_BYTES:
            return problem("PayloadTooLarge", "request entity too large", 413)
        link = cid_of(request.body, is_blob=True)
        self.world.blobs[link] = size
        return json_answer({"blob": {"$type": "blob", "ref": {"$link": link}, "mimeType": kind, "size": size}})
