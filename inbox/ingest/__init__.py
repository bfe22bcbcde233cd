"""The digest: from the shelf into the inbox."""

from inbox.ingest.digest import Digested, digest_due, digest_fresh, digest_hard

__all__ = ["Digested", "digest_due", "digest_fresh", "digest_hard"]
