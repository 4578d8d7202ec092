"""The openai package, as its documentation shows it; with `aiohttp` as fourth argument through its aiohttp
transport."""

import asyncio
import json
import sys
import time

import openai


async def main(url: str, count: int, in_flight: int, transport: str) -> None:
    limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=None, max_keepalive_connections=None)
    kind = openai.DefaultAioHttpClient if transport == "aiohttp" else openai.DefaultAsyncHttpxClient
    client = openai.AsyncOpenAI(api_key="none", base_url=url, http_client=kind(limits=limits), max_retries=3)
    slots = asyncio.Semaphore(in_flight)

    async def ask(number: int) -> None:
        reply = await client.chat.completions.create(
            model="mock",
            messages=[{"role": "user", "content": f"What is {number} + {number}?"}],
            temperature=0.6,
            top_p=0.95,
            max_tokens=512,
            seed=number,
        )
        assert reply.choices[0].message.content
        slots.release()

    began = time.perf_counter()
    tasks = []
    for number in range(count):
        await slots.acquire()
        tasks.append(asyncio.create_task(ask(number)))
    await asyncio.gather(*tasks)
    print(json.dumps({"requests_per_s": count / (time.perf_counter() - began)}))
    await client.close()


asyncio.run(
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "httpx")
)
