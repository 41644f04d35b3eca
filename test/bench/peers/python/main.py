"""As a Python service does it: aiohttp in front of qemu.qmp. Takes the path of the monitor's socket, prints its port."""

import asyncio
import sys

from aiohttp import web
from qemu.qmp import ExecuteError, QMPClient


async def main(path: str) -> None:
    monitor = QMPClient("bench")
    await monitor.connect(path)

    async def run(request: web.Request) -> web.Response:
        arguments = await request.json()
        try:
            value = await monitor.execute(request.match_info["command"], arguments)
        except ExecuteError as error:
            raise web.HTTPBadGateway(text=str(error)) from error
        return web.json_response(value)

    app = web.Application()
    app.router.add_post("/v1/vms/bench/qmp/{command}", run)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
