"""Pauses a VM and resumes it. Standard library only."""

import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8080")
TOKEN = os.environ.get("GATEWAY_TOKEN", "")


class Problem(Exception):
    """An answer that is no success. `outcome`: not-sent, refused or unknown."""

    def __init__(self, members):
        super().__init__(f"{members.get('code')} ({members.get('outcome')}): {members.get('detail')}")
        self.members = members


def ask(path, body=None, accept="application/json", **headers):
    """Opens a resource; with a body it is a POST."""
    request = urllib.request.Request(
        URL + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept, "Content-Type": "application/json", **headers},
    )
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        raise Problem(json.load(error)) from error


def run(vm, command, arguments=None, **headers):
    """Runs a command. Returns its value and the headers of the answer."""
    with ask(f"/v1/vms/{vm}/qmp/{command}", arguments or {}, **headers) as answer:
        # Python's integers have no width, so nothing is rounded.
        return json.load(answer), answer.headers


def main(vm):
    with ask("/v1/vms") as answer:
        listed = json.load(answer)
    for row in listed["vms"]:
        print(row["id"], row["state"], row["runState"])

    # The same key makes a repetition after a lost answer safe: it gets the first answer and runs nothing.
    key = {"Idempotency-Key": f"pause-{time.time_ns()}"}
    run(vm, "stop", **key)
    _, headers = run(vm, "stop", **key)
    print("paused; the repetition ran nothing:", headers.get("Idempotency-Replayed") == "true")
    run(vm, "cont")

    # From the cursor of the list on: nothing that happened since is missed.
    path = f"/v1/vms/{vm}/events?event=RESUME&after={listed['cursor']}"
    with ask(path, accept="application/x-ndjson") as stream:
        for line in stream:
            print("event", json.loads(line)["event"])
            break


try:
    main(sys.argv[1] if len(sys.argv) > 1 else "web-1")
except Problem as problem:
    sys.exit(str(problem))
