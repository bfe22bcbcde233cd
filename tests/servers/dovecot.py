"""A real Dovecot on loopback with mailboxes of its own: IMAP with and without TLS, Maildir on disk.

    with running_dovecot() as server:
        server.deliver("ana", [b"Subject: hello\\r\\n\\r\\nworld\\r\\n"])
        imaplib.IMAP4("127.0.0.1", server.port).login("ana", server.password)

Delivery writes Maildir files, which is what a mail server does; it is quick enough for 100,000 mails.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.servers.certificate import Certificate, make_certificate
from tests.servers.requirement import free_port, require

_CONFIG = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
info_log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{base}/mail/%u:LAYOUT=fs
mail_privileged_group =
mail_uid = {mail_user}
mail_gid = {mail_group}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {internal}
mail_max_userip_connections = 100
maildir_stat_dirs = yes
mail_fsync = never
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={base}/mail/%u/home
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = {auto_sent}
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_min_avail = 1
}}
"""


@dataclass
class Dovecot:
    """A running server: where it listens, how to log in, and how to put mail into it."""

    base: Path
    port: int
    tls_port: int
    certificate: Certificate
    password: str
    process: subprocess.Popen[bytes]
    owner: tuple[int, int] | None
    _serial: Iterator[int] = field(default_factory=count)

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        root = self.base / "mail" / user
        return root if folder == "INBOX" else root / folder

    def deliver(
        self, user: str, mails: Iterable[bytes], folder: str = "INBOX", seen: bool = False, at: float = 1_700_000_000
    ) -> int:
        """Put mails into a folder in this order, received at `at` (POSIX seconds) and after; returns how many."""
        target = self.maildir(user, folder)
        self._make_folders(target)
        delivered = 0
        for mail in mails:
            serial = next(self._serial)
            name = f"{int(at) + serial}.M{serial}P{os.getpid()}.localhost,S={len(mail)}"
            path = target / ("cur" if seen else "new") / (f"{name}:2,S" if seen else name)
            path.write_bytes(mail)
            os.utime(path, (int(at) + serial, int(at) + serial))
            if self.owner:
                os.chown(path, *self.owner)
            delivered += 1
        return delivered

    def new_epoch(self, user: str, folder: str = "INBOX", uidvalidity: int | None = None) -> None:
        """Give a folder a new UIDVALIDITY and new UIDs from 1, as after a restored backup; the mail stays."""
        target = self.maildir(user, folder)
        for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache", "dovecot.list.index.log"):
            (target / name).unlink(missing_ok=True)
        uidlist = target / "dovecot-uidlist"
        before = int(uidlist.read_text().split("V", 1)[1].split(" ", 1)[0]) if uidlist.exists() else 1
        uidlist.unlink(missing_ok=True)
        value = uidvalidity or before + 1000
        uidlist.write_text(f"3 V{value} N1 G{value:032x}\n")
        if self.owner:
            os.chown(uidlist, *self.owner)

    def _make_folders(self, target: Path) -> None:
        made = [path for path in (target, *(target / part for part in ("cur", "new", "tmp"))) if not path.exists()]
        for path in made:
            path.mkdir(parents=True, exist_ok=True)
        parents = [target, *target.parents]
        for path in {*made, *parents[: parents.index(self.base / "mail") + 1]}:
            if self.owner:
                os.chown(path, *self.owner)

    def log(self) -> str:
        path = self.base / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


@contextmanager
def running_dovecot(
    password: str = "rahasia-1",
    auto_sent: bool = True,
    rawlog: bool = False,
    more: Callable[[Path], str] | None = None,
) -> Iterator[Dovecot]:
    """Start Dovecot in a new folder and stop it afterwards. Needs root or an ordinary user; both work.

    `more` gives further lines of its configuration, and may write files into the folder.
    """
    program = require("dovecot", "dovecot-imapd")
    # Not pytest's own folder: the mail user could not walk into it, and socket paths have a short limit.
    base = Path(tempfile.mkdtemp(prefix="bd-", dir="/tmp"))
    base.chmod(0o755)
    server = None
    try:
        server = start_dovecot(program, base, password, auto_sent, rawlog, more)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(base, ignore_errors=True)


def start_dovecot(
    program: Path,
    base: Path,
    password: str,
    auto_sent: bool,
    rawlog: bool,
    more: Callable[[Path], str] | None = None,
) -> Dovecot:
    is_root = os.geteuid() == 0
    me = pwd.getpwuid(os.geteuid())
    mail = pwd.getpwnam("nobody") if is_root else me
    internal = pwd.getpwnam("dovecot") if is_root else me
    (base / "mail").mkdir()
    owner = (mail.pw_uid, mail.pw_gid) if is_root else None
    if owner:
        os.chown(base / "mail", *owner)
    certificate = make_certificate(base)
    port, tls_port = free_port(), free_port()
    config = base / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            base=base,
            chain=certificate.chain,
            key=certificate.key,
            mail_user=mail.pw_uid,
            mail_group=mail.pw_gid,
            internal=internal.pw_name,
            internal_group=_group_name(internal.pw_gid),
            password=password,
            auto_sent="subscribe" if auto_sent else "no",
            port=port,
            tls_port=tls_port,
        )
        + (_rawlog_settings(base) if rawlog else "")
        + (more(base) if more else "")
    )
    process = subprocess.Popen([program, "-F", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Dovecot(base, port, tls_port, certificate, password, process, owner)
    try:
        _wait_until_it_greets(server)
    except BaseException:
        server.stop()
        raise
    return server


def _rawlog_settings(base: Path) -> str:
    folder = base / "rawlog"
    folder.mkdir()
    folder.chmod(0o777)
    return f"protocol imap {{\n  rawlog_dir = {folder}\n}}\n"


def _group_name(gid: int) -> str:

    return grp.getgrgid(gid).gr_name


def _wait_until_it_greets(server: Dovecot, seconds: float = 15) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and server.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=1) as probe:
                probe.settimeout(5)
                if probe.recv(64).startswith(b"* OK"):
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"Dovecot did not start:\n{server.log()[-2000:]}")
