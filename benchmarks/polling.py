"""What a poll says on the wire when nothing is new: counted by a proxy, whatever the size of the mailbox."""

from __future__ import annotations

from benchmarks.figures import Figure, at_most
from benchmarks.ground import full_mailbox, new_home, run_inside, settings_of
from benchmarks.options import Options


def run(options: Options) -> list[Figure]:
    figures: list[Figure] = []
    for size in (max(options.size // 10, 10), options.size):
        with full_mailbox(size) as server, new_home() as home:
            found = run_inside("polling", home, settings_of(server), server.password, server.port)
        if found["first"]["new"] != size:
            raise AssertionError(f"the first poll brought {found['first']['new']} of {size}")
        name = f"{size:,} mails"
        idle = [(one["round_trips"], one["sent"] + one["received"]) for one in found["idle"]]
        figures += [
            at_most("poll", f"{name}: round trips of an idle poll", max(trips for trips, _ in idle), 1),
            at_most("poll", f"{name}: bytes of an idle poll", max(size for _, size in idle), 256, "bytes"),
            at_most("poll", f"{name}: bodies of an idle poll", max(one["bodies"] for one in found["idle"]), 0),
            at_most("poll", f"{name}: bodies, new connection", found["again"]["bodies"], 0),
            at_most(
                "poll",
                f"{name}: new connection / first run, bytes",
                100 * found["again"]["received"] / found["first"]["received"],
                2,
                "%",
                f"{found['again']['received']:,} bytes, {found['again']['round_trips']} round trips with log-in",
            ),
        ]
    return figures
