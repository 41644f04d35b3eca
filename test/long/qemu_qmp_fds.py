"""QEMU's own client with descriptors: python3 qemu_qmp_fds.py SOCKET IMAGE, with the package qemu.qmp."""

import asyncio
import json
import os
import sys

from qemu.qmp import QMPClient


async def main():
    client = QMPClient("descriptors")
    await client.connect(sys.argv[1])
    image = os.open(sys.argv[2], os.O_RDWR)
    client.send_fd_scm(image)
    added = await client.execute("add-fd", {})
    client.send_fd_scm(image)
    named = await client.execute("getfd", {"fdname": "image"})
    os.close(image)
    name = f"/dev/fdset/{added['fdset-id']}"
    disk = {"driver": "file", "node-name": "disk", "filename": name}
    used = await client.execute("blockdev-add", disk)
    await client.disconnect()
    print(json.dumps([added, named, used]))


asyncio.run(main())
