"""The obvious loop for very many waiting connections: COUNT PORT CA. Log in, EXAMINE, IDLE, sixteen at a time."""

import asyncio
import json
import ssl
import sys
import time

HANDSHAKES = 16


async def main() -> None:
    count, port = int(sys.argv[1]), int(sys.argv[2])
    context = ssl.create_default_context(cafile=sys.argv[3])
    gate = asyncio.Semaphore(HANDSHAKES)
    kept = []

    async def enter() -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            await reader.readline()
            for command in (b'a LOGIN "anybody" "secret"', b'b EXAMINE "INBOX"'):
                writer.write(command + b"\r\n")
                while not (await reader.readline()).startswith(command[:2]):
                    pass
            writer.write(b"c IDLE\r\n")
            await reader.readline()
            kept.append((reader, writer))

    started = time.perf_counter()
    await asyncio.gather(*(enter() for _ in range(count)))
    print(json.dumps({"seconds": time.perf_counter() - started, "kept": len(kept)}), flush=True)


asyncio.run(main())
