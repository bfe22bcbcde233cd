"""Whether the receiving server vouches for the sender (RFC 8601), judged by one header and strictly.

Only the topmost Authentication-Results of the one configured server counts: every other one could have been written
by anybody, and that server removes forged ones that carry its own name (RFC 8601 §5). ARC (RFC 8617) says that a chain
of forwarders is unbroken, not that any of them is honest: it is kept and shown, and vouches for nobody.
"""

from __future__ import annotations

from typing import NamedTuple

from connectors.mail.authentication import Found, Results, read_results
from connectors.mail.decode import decode_header
from connectors.mail.fields import Fields
from connectors.messages import Flag, SenderCheck

MAX_HEADERS = 50
MAX_KEPT = 12

_HEADER = b"authentication-results"
_VOUCHED = "pass"
_FAILED = frozenset(("fail", "softfail", "permerror", "policy"))
_NAMES = {
    "dmarc": (("header", "from"),),
    "dkim": (("header", "d"), ("header", "i")),
    "spf": (("smtp", "mailfrom"), ("smtp", "mfrom"), ("smtp", "helo")),
    "arc": (("header", "as-d"), ("header", "d"), ("smtp", "client-ip")),
}


class Verdict(NamedTuple):
    """`verified` is True when vouched for and aligned with From, None without a verifying server, False for all else.

    `check` is what is kept beside the message: the trusted server's results, or the topmost ones, which prove nothing
    yet and only help to learn who vouches here.
    """

    verified: bool | None
    flag: Flag | None
    check: SenderCheck | None


def check_sender(fields: Fields, domain: str, authserv_id: str) -> Verdict:
    """`domain` is that of From, "" when it is not clear whose mail this is."""
    if _HEADER not in fields:
        return Verdict(False, Flag.UNVERIFIED_SENDER, None) if authserv_id else Verdict(None, None, None)
    trusted = _results(fields, authserv_id) if authserv_id else None
    results = trusted or _topmost(fields)
    check = _kept(results, trusted is not None) if results else None
    if not authserv_id:
        return Verdict(None, None, check)
    return Verdict(*judge(trusted, domain), check)


def judge(results: Results | None, domain: str) -> tuple[bool, Flag | None]:
    """What the results of a trusted server say of a From in `domain`; None: that server said nothing."""
    if results is None or not domain:
        return False, Flag.UNVERIFIED_SENDER
    domain = domain.lower()
    failed = is_signed = False
    for one in results.found:
        if one.method == "dmarc":
            is_ours = (one.value("header", "from") or domain).lower().rpartition("@")[2] == domain
            if one.result == _VOUCHED and is_ours:
                return True, None
            failed |= one.result in _FAILED
        elif one.method == "dkim" and _is_aligned(_signer(one), domain):
            is_signed |= one.result == _VOUCHED
            failed |= one.result in _FAILED and not is_signed
        elif one.method == "spf":
            failed |= one.result == "fail" and not is_signed
    # A server that says dmarc=fail knows more than we see, such as a second From.
    if is_signed and not any(one.method == "dmarc" and one.result in _FAILED for one in results.found):
        return True, None
    return False, Flag.FAILED_SENDER_CHECK if failed else Flag.UNVERIFIED_SENDER


def _kept(results: Results, is_trusted: bool) -> SenderCheck:
    kept = tuple((one.method, one.result, _subject(one)) for one in results.found if one.method in _NAMES)
    return SenderCheck(results.server[:255], is_trusted, kept[:MAX_KEPT])


def judge_kept(check: SenderCheck, domain: str) -> bool:
    """Whether results that were kept vouch for `domain`, once their server has proved to be ours."""
    found = tuple(Found(method, result, "", _kept_properties(method, of)) for method, result, of in check.results)
    return judge(Results(check.server, found), domain)[0]


def _kept_properties(method: str, subject: str) -> tuple[tuple[str, str, str], ...]:
    return ((*_NAMES[method][0], subject),) if subject else ()


def _subject(one: Found) -> str:
    """Whom a result speaks of: a domain."""
    for kind, name in _NAMES[one.method]:
        if value := one.value(kind, name):
            return value.lower().rpartition("@")[2][:255]
    return ""


def _signer(one: Found) -> str:
    return (one.value("header", "d") or one.value("header", "i").rpartition("@")[2]).lower()


def _is_aligned(signer: str, domain: str) -> bool:
    """The signing domain is the From domain or a parent of it. A child is not: a host's customer is not the host."""
    return bool(signer) and (signer == domain or ("." in signer and domain.endswith("." + signer)))


def _results(fields: Fields, authserv_id: str) -> Results | None:
    wanted = authserv_id.lower()
    for raw in fields.get(_HEADER, [])[:MAX_HEADERS]:
        results = read_results(decode_header(raw))
        if results is not None and results.server == wanted:
            return results
        if results is None and _begins_with(decode_header(raw), wanted):
            return None  # its own, and not to be read: what stands below may be forged
    return None


def _begins_with(text: str, server: str) -> bool:
    return text.strip().strip('"').lower().startswith(server)


def _topmost(fields: Fields) -> Results | None:
    first = fields.get(_HEADER, [])[:1]
    return read_results(decode_header(first[0])) if first else None
