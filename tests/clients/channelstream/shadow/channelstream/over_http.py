"""Asks the server."""

import http.client
import json
import os
import urllib.parse

import itsdangerous
import marshmallow


def exchange(method, path, headers, body):
    address = urllib.parse.urlsplit(os.environ["CHANNELSTREAM_URL"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.reason, reply.getheaders(), reply.read()
    finally:
        connection.close()


def call(method, path, body=None):
    """Asks as the application's server does. A 422 is what the package raises where it refuses a body."""
    signer = itsdangerous.TimestampSigner(os.environ["CHANNELSTREAM_SECRET"])
    headers = {
        "x-channelstream-secret": signer.sign("channelstream").decode(),
        "Content-Type": "application/json",
    }
    data = None if body is None else json.dumps(body, default=str).encode()
    status, _, _, text = exchange(method, path, headers, data)
    if status == 422:
        raise marshmallow.ValidationError(json.loads(text))
    if status != 200:
        raise AssertionError(f"{method} {path}: {status} {text!r}")
    return json.loads(text)
