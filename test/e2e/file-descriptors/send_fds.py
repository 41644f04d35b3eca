"""A QMP client that passes file descriptors as Python's own library does. It knows nothing of the gateway.

    python3 send_fds.py SOCKET IMAGE

Gives the VM one end of a socketpair, and makes a network of it; then an image, and makes a block device of it. Prints what
each command returned, as one JSON object.
"""

import json
import os
import socket
import sys


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.returned = {}
        json.loads(self.stream.readline())
        self.execute("qmp_capabilities")
        self.returned.clear()

    def execute(self, name, arguments=None, descriptors=()):
        message = {"execute": name, "id": name}
        if arguments is not None:
            message["arguments"] = arguments
        socket.send_fds(self.socket, [json.dumps(message).encode()], list(descriptors))
        while True:
            reply = json.loads(self.stream.readline())
            if "event" not in reply:
                break
        if "error" in reply:
            sys.exit(f"{name}: {reply['error']['desc']}")
        self.returned[name] = reply["return"]
        return reply["return"]


monitor = Monitor(sys.argv[1])

near, far = socket.socketpair()
monitor.execute("getfd", {"fdname": "wire"}, [far.fileno()])
far.close()
monitor.execute("netdev_add", {"type": "socket", "id": "net", "fd": "wire"})
monitor.execute("netdev_del", {"id": "net"})

image = os.open(sys.argv[2], os.O_RDWR)
added = monitor.execute("add-fd", {}, [image])
os.close(image)
name = f"/dev/fdset/{added['fdset-id']}"
monitor.execute("blockdev-add", {"driver": "file", "node-name": "disk", "filename": name})
monitor.execute("blockdev-del", {"node-name": "disk"})
monitor.execute("remove-fd", {"fdset-id": added["fdset-id"]})

print(json.dumps(monitor.returned))
