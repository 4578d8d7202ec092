"""The least that can be done: aiohttp, one loop, one semaphore; nothing is kept."""

import asyncio
import json
import sys
import time

import aiohttp


async def main(url: str, count: int, in_flight: int) -> None:
    slots = asyncio.Semaphore(in_flight)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(number: int) -> None:
            body = {
                "model": "mock",
                "messages": [{"role": "user", "content": f"What is {number} + {number}?"}],
                "temperature": 0.6,
                "top_p": 0.95,
                "max_tokens": 512,
                "seed": number,
            }
            async with session.post(f"{url}/chat/completions", data=json.dumps(body)) as reply:
                json.loads(await reply.read())["choices"][0]["message"]["content"]
            slots.release()

        began = time.perf_counter()
        tasks = []
        for number in range(count):
            await slots.acquire()
            tasks.append(asyncio.create_task(ask(number)))
        await asyncio.gather(*tasks)
        print(json.dumps({"requests_per_s": count / (time.perf_counter() - began)}))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
