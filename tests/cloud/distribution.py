#!/usr/bin/env python3
"""Runs the CloudFront function of `template.yaml` in Node, for each path that it is asked about.

Run by the Python of SAM's own environment. CloudFront's runtime is not at hand: that the handler is plain JavaScript,
writes the path of the stage, and leaves everything else as it was, is what can be shown.
"""

import json
import pathlib
import subprocess
import sys

from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]


def request(path):
    """A handshake, as CloudFront hands it to a function."""
    headers = {"upgrade": "websocket", "origin": "https://a.example", "sec-websocket-protocol": "bearer, x.y.z"}
    return {
        "method": "GET",
        "uri": path,
        "querystring": {"token": {"value": "x.y.z"}, "batch": {"value": "1"}},
        "headers": {name: {"value": value} for name, value in headers.items()},
        "cookies": {"session": {"value": "s"}},
    }


def handled(code, path):
    event = {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "192.0.2.1"},
        "request": request(path),
    }
    program = f"'use strict';{code}\nprocess.stdout.write(JSON.stringify(handler({json.dumps(event)})));"
    return json.loads(subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True).stdout)


def main():
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    failures = 0
    for behaviour in resources["OneHost"]["Properties"]["DistributionConfig"]["CacheBehaviors"]:
        path, api = behaviour["PathPattern"], behaviour["TargetOriginId"]
        [association] = behaviour["FunctionAssociations"]
        function = association["FunctionARN"]["Fn::GetAtt"]
        name = function[0] if isinstance(function, list) else function.split(".")[0]
        stage = resources[api]["Properties"]["StageName"]
        told = handled(resources[name]["Properties"]["FunctionCode"], path)
        good = association["EventType"] == "viewer-request" and told == request(path) | {"uri": f"/{stage}"}
        print(f"{'ok  ' if good else 'FAIL'}  {path:<16} {api:<24} {told.get('uri')}")
        failures += not good
    return failures


if __name__ == "__main__":
    sys.exit(main())
