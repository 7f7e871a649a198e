#!/usr/bin/env python3
"""Every function's binary answers its sample, under Amazon's own Runtime Interface Emulator.

    tests/cloud/rie.py --rie PROGRAM --functions DIR --dynamodb URL --table NAME [--update] [NAME ...]

Each `events/<name>.json` is sent to `DIR/<name>` through the emulator that AWS ships for its container images. The
table must be new: what is answered is compared, as one line a function, with `tests/golden/rie.txt`; `--update`
writes that file. An answer with a status of 500 or more, or Lambda's own error, is a failure whatever the file says.
Everything listens on loopback.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/rie.txt"
PATIENCE = 20


def free_ports(count):
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def environment(table, dynamodb):
    """What the template gives to every function."""
    dialects = ["CHANNELS", "CHANNELSTREAM", "EVENTS", "NKCHAT"]
    return {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        # Nobody is there: a sample that posts finds a connection that is gone.
        **{f"SWITCHBOARD_MANAGEMENT_{name}": "http://127.0.0.1:9/live" for name in dialects},
        "SWITCHBOARD_TABLE": table,
        "SWITCHBOARD_SECRET": "dev-secret",
        "SWITCHBOARD_TOKEN_KEY": "dev-secret",
    }


def invoke(port, event):
    """The function's answer, tried until the emulator listens."""
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    request = urllib.request.Request(url, data=event, method="POST")
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            return error.read()
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def summary(answer):
    """One line about an answer, and whether it is good."""
    try:
        told = json.loads(answer)
    except ValueError:
        return f"no JSON: {answer[:200]!r}", False
    if "errorType" in told:
        return f"{told['errorType']}: {told.get('errorMessage', '')[:200]}", False
    if "batchItemFailures" in told:
        failed = len(told["batchItemFailures"])
        return f"batch, {failed} failed", failed == 0
    status = told.get("statusCode", 0)
    return str(status), 200 <= status < 500


def ask(name, options):
    """Runs one function under the emulator, for one call."""
    event = (ROOT / "events" / f"{name}.json").read_bytes()
    front, back = free_ports(2)
    command = [
        options.rie,
        "--runtime-interface-emulator-address", f"127.0.0.1:{front}",
        "--runtime-api-address", f"127.0.0.1:{back}",
        "--log-level", "error",
        str(pathlib.Path(options.functions).resolve() / name),
    ]
    env = environment(options.table, options.dynamodb) | {"AWS_LAMBDA_FUNCTION_NAME": name}
    log = subprocess.PIPE
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        line, good = summary(invoke(front, event))
    except OSError as error:
        line, good = f"the emulator did not answer: {error}", False
    finally:
        process.kill()
        printed, _ = process.communicate()
    if not good:
        sys.stderr.write(f"{name}: {line}\n{printed.decode(errors='replace')[-2000:]}\n")
    return line, good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rie", required=True)
    parser.add_argument("--functions", required=True)
    parser.add_argument("--dynamodb", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    # In the order of their names, so that what one leaves in the table is there for the next each time.
    every = sorted(path.stem for path in (ROOT / "events").glob("*.json"))
    lines, failures = [], 0
    for name in options.names or every:
        line, good = ask(name, options)
        lines.append(f"{name}\t{line}\n")
        failures += not good
    print(f"{len(lines)} functions answered their samples under the emulator, {failures} badly")
    if failures:
        return 1
    if options.names:
        print("".join(lines), end="")
        return 0
    if options.update:
        GOLDEN.write_text("".join(lines))
        return 0
    golden = GOLDEN.read_text().splitlines(keepends=True)
    differing = sorted(set(lines) ^ set(golden))
    if differing:
        print("not as in tests/golden/rie.txt (--update writes it):\n" + "".join(differing))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
