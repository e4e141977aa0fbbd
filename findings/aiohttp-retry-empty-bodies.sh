#!/usr/bin/env bash
# Expected: what a retry sends is what the first attempt sent; or, where the body can't be read twice, there is no
# second attempt and an error says so, as httpx 0.28.1 raises StreamConsumed.
# True, in aiohttp-retry 2.9.1 with aiohttp 3.14.5: of a BytesIO or an asynchronous iterator the first attempt reads
# all, and each further one sends an empty body, without a warning. The server that failed once answers 200 to that.
# Bytes, texts and json= are sent again as they are. What is retried is each answer from 500 on, also of a POST, unless
# somebody says otherwise.
# Hurt: whoever uploads files, reports or backups so: the one upload that came while the other side restarted is stored
# with no bytes in it, the caller has its 200, and what it was made of may be deleted by then. Tests against a server
# that answers at once never see it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'aiohttp-retry==2.9.1' 'aiohttp==3.14.5' 'httpx==0.28.1' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import io
import logging
from importlib.metadata import version

import aiohttp_retry
import httpx
from aiohttp import web

print("aiohttp-retry", version("aiohttp-retry"), "aiohttp", version("aiohttp"))
logging.disable()
REPORT = b"the report of the day"
came = []


async def store(request):
    """Keep what comes; the first of each upload is answered with an error."""
    came.append((request.method, await request.read()))
    return web.Response(status=503 if len(came) == 1 else 200)


async def pieces():
    yield REPORT[:10]
    yield REPORT[10:]


async def uploaded(url, body):
    """The status that the caller has in the end, and the bodies that came."""
    came.clear()
    options = aiohttp_retry.ExponentialRetry(start_timeout=0.01)
    async with aiohttp_retry.RetryClient(retry_options=options) as client, client.post(url, data=body) as answer:
        return answer.status, [body for _, body in came]


async def twice_by_httpx(url):
    async with httpx.AsyncClient(trust_env=False) as client:
        request = client.build_request("POST", url, content=pieces())
        await client.send(request)
        try:
            await client.send(request)
        except httpx.StreamConsumed:
            return "StreamConsumed"


async def main():
    app = web.Application()
    app.router.add_route("*", "/", store)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:{}/".format(runner.addresses[0][1])
    assert await uploaded(url, REPORT) == (200, [REPORT, REPORT])
    for body in (io.BytesIO(REPORT), pieces()):
        status, bodies = await uploaded(url, body)
        print(f"{type(body).__name__:16} {status} {bodies}")
        assert (status, bodies) == (200, [REPORT, b""]), "expected by its users: the report twice, or an error"
    assert await twice_by_httpx(url) == "StreamConsumed"
    await runner.cleanup()


asyncio.run(main())
PYTHON
