#!/usr/bin/env python3
"""Counts what CloudFormation limits, in `template.yaml` as SAM's transform leaves it: `sam validate` does not.

Run by the Python of SAM's own environment. Ends with 1 where a limit is passed. The numbers are those of "AWS
CloudFormation quotas" and "Get values stored in other services using dynamic references" (60), none of which can be
raised, and of "Quotas for configuring and running an HTTP API" (routes).
"""

import json
import os
import pathlib
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]


class NoManagedPolicies:
    """The template names none, so that nobody has to be asked for them."""

    def load(self):
        return {}


def transformed():
    """What CloudFormation sees, but for the hashes of the functions' zips."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    # What `sam package` puts here, at its usual length.
    template["Globals"]["Function"]["CodeUri"] = "s3://aws-sam-cli-managed-default-samclisourcebucket/" + "0" * 32
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return transform(template, {}, NoManagedPolicies())


def main():
    template = transformed()
    text = json.dumps(template)
    resources = template["Resources"].values()
    openapi = [made["Properties"].get("Body", {}) for made in resources if made["Type"] == "AWS::ApiGatewayV2::Api"]
    routes = sum(len(path) for body in openapi for path in body.get("paths", {}).values())
    counted = [
        ("resources", len(resources), 500),
        ("references to secrets and parameters", text.count("{{resolve:"), 60),
        ("outputs", len(template.get("Outputs", {})), 200),
        ("parameters", len(template.get("Parameters", {})), 200),
        ("bytes of the template", len(text), 1_000_000),
        ("routes of the HTTP API", routes, 300),
    ]
    for what, count, limit in counted:
        print(f"{'ok  ' if count <= limit else 'FAIL'}  {what:<38} {count:>7} of {limit}")
    return any(count > limit for _, count, limit in counted)


if __name__ == "__main__":
    sys.exit(main())
