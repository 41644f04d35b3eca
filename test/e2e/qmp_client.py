"""A QMP client written from the protocol's specification alone: a socket, JSON, ids. It knows nothing of the gateway.

    python3 qmp_client.py SOCKET

Connects, negotiates, then follows orders, a JSON array a line on stdin, and answers each with a line of JSON:
  ["execute", NAME, ARGUMENTS, ID]    the reply to it; replies are told apart by their id
  ["event", NAME]                     the next event of that name
"""

import json
import socket
import sys


class QmpClient:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("r", encoding="ascii", newline="\n")
        self.events = []
        self.greeting = self.receive()["QMP"]
        self.execute("qmp_capabilities", {}, "negotiation")

    def receive(self):
        line = self.stream.readline()
        if not line.endswith("\r\n"):
            raise EOFError("the server closed the connection")
        return json.loads(line)

    def execute(self, name, arguments, command_id):
        command = {"execute": name, "id": command_id}
        if arguments:
            command["arguments"] = arguments
        self.socket.sendall(json.dumps(command).encode() + b"\n")
        while True:
            message = self.receive()
            if "event" in message:
                self.events.append(message)
            elif message.get("id") == command_id:
                return message

    def event(self, name):
        while True:
            for index, message in enumerate(self.events):
                if message["event"] == name:
                    del self.events[: index + 1]
                    return message
            self.events.append(self.receive())


def main():
    client = QmpClient(sys.argv[1])
    print(json.dumps(client.greeting), flush=True)
    for line in sys.stdin:
        verb, *rest = json.loads(line)
        answer = client.execute(*rest) if verb == "execute" else client.event(*rest)
        print(json.dumps(answer), flush=True)


main()
