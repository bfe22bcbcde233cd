"""Durable sends over four connections to Postfix's smtp-sink, against bare aiosmtplib on reused connections."""

from __future__ import annotations

from benchmarks.figures import Figure, at_least
from benchmarks.ground import median, new_home, run_inside, spread
from benchmarks.options import Options
from tests.servers.smtp_sink import running_smtp_sink

NEEDED = 0.4


def run(options: Options) -> list[Figure]:
    count = min(max(options.size // 10, 40), 1_000) // 4 * 4
    bare, balas = [], []
    with running_smtp_sink() as sink:
        for _ in range(options.rounds):
            bare.append(run_inside("sends", None, "bare", sink.port, count * 4))
            with new_home() as home:
                balas.append(run_inside("sends", home, "balas", sink.port, count))
    rates = {
        name: [one["count"] / one["seconds"] for one in found] for name, found in (("bare", bare), ("balas", balas))
    }
    ratios = [ours / theirs for ours, theirs in zip(rates["balas"], rates["bare"], strict=True)]
    cpu = {
        name: median([one["cpu"] / one["count"] * 1e6 for one in found])
        for name, found in (("bare", bare), ("balas", balas))
    }
    return [
        Figure(
            "sends",
            "aiosmtplib, 4 connections",
            median(rates["bare"]),
            "mails/s",
            note=f"{cpu['bare']:.0f} µs CPU each",
        ),
        Figure("sends", "balas, durable", median(rates["balas"]), "mails/s", note=f"{cpu['balas']:.0f} µs CPU each"),
        at_least("sends", "balas / aiosmtplib", median(ratios), NEEDED, "×", spread(ratios)),
    ]
