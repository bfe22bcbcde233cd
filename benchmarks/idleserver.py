"""A light IMAP server for very many waiting clients, in a process of its own: PORT CHAIN KEY.

It knows log-in, EXAMINE, IDLE and NOOP, and counts: `stats` on its standard input answers with one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time


class Server:
    def __init__(self) -> None:
        self.waiting = 0  # clients that have reached IDLE
        self.entering = 0  # accepted, not yet there
        self.most_entering = 0
        self.exchanges = 0
        self.shortest = float("inf")  # seconds between two exchanges of one client

    def stats(self) -> dict[str, float]:
        shortest = self.shortest if self.shortest < float("inf") else 0.0
        return {
            "waiting": self.waiting,
            "most_entering": self.most_entering,
            "exchanges": self.exchanges,
            "shortest": shortest,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.entering += 1
        self.most_entering = max(self.most_entering, self.entering)
        has_entered, last, tag = False, 0.0, b""
        try:
            writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
            while line := await reader.readline():
                words = line.split()
                name = words[-1].upper() if len(words) < 3 else words[1].upper()
                if name == b"DONE":
                    self.exchanges += 1
                    now = time.monotonic()
                    if last:
                        self.shortest = min(self.shortest, now - last)
                    last = now
                    writer.write(tag + b" OK done\r\n")
                elif name == b"IDLE":
                    tag = words[0]
                    writer.write(b"+ idling\r\n")
                    if not has_entered:
                        has_entered = True
                        self.entering -= 1
                        self.waiting += 1
                else:
                    writer.write(_ANSWERS.get(name, b"") + words[0] + b" OK [CAPABILITY IMAP4rev1 IDLE] done\r\n")
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self.waiting -= has_entered
            self.entering -= not has_entered
            writer.close()


_ANSWERS = {b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 4] next\r\n"}


async def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    found = Server()
    await asyncio.start_server(found.serve, "127.0.0.1", int(sys.argv[1]), ssl=context, backlog=1024)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(found.stats()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
