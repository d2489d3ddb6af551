"""A server process in miniature: appends numbered tokens to a stream, and tells how many are kept."""

import asyncio
import sys

from streamkit import LogHead, StoreError

from streamkit_redis import RedisStore


async def main(url, stream_id, tokens, interval, lease):
    """Produce, and print `kept N` whenever more are kept, and then how it ended."""
    store = RedisStore(url=url, lease=lease, patience=lease * 0.8, batch_seconds=0.005)
    log = await store.open(stream_id, LogHead(headers={"content-type": "text/event-stream"}, will=b"data: lost\n\n"))
    print("kept", -1, flush=True)  # noqa: T201 - how it talks to the test
    told = 0
    try:
        for number in range(tokens):
            await log.append([b"data: %d\n\n" % number])
            await asyncio.sleep(interval)
            if log.tail.size > told:
                told = log.tail.size
                print("kept", told, flush=True)  # noqa: T201 - how it talks to the test
        await log.end("finished", [b"data: [DONE]\n\n"])
        print("ended", log.tail.size, flush=True)  # noqa: T201 - how it talks to the test
    except StoreError as error:
        print(type(error).__name__, log.tail.size, flush=True)  # noqa: T201 - how it talks to the test
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
