#!/usr/bin/env python3
"""Reads `template.yaml` as `sam local start-api` and `sam local invoke` do, up to where they ask for a container engine.

Run by the Python of SAM's own environment. Every route of the HTTP API in `tests/golden/routes.txt` must be one that SAM
would serve, by a function that it would invoke, and each function must have its sample. Ends with 1 where that is not so.
"""

import logging
import pathlib
import sys

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


def listed():
    """The HTTP API's routes, as (method, path)."""
    lines = (ROOT / "tests/golden/routes.txt").read_text().splitlines()
    triggers = [line.split("\t")[1] for line in lines]
    return {tuple(trigger.split(" ", 1)) for trigger in triggers if trigger.split(" ")[0] in METHODS}


def main():
    logging.disable(logging.CRITICAL)
    stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))
    functions = {function.name: function for function in SamFunctionProvider(stacks).get_all()}
    api = ApiProvider(stacks, cwd=str(ROOT)).api
    served = {(method, route.path) for route in api.routes for method in route.methods}
    strangers = sorted(route.function_name for route in api.routes if route.function_name not in functions)
    binaries = [function.metadata["BuildProperties"]["Binary"] for function in functions.values()]
    samples = [name for name in binaries if not (ROOT / "events" / f"{name}.json").is_file()]
    faults = [
        ("routes that SAM would not serve", sorted(listed() - served)),
        ("routes of functions that SAM does not know", strangers),
        ("functions without a sample", samples),
    ]
    print(f"sam local: {len(functions)} functions, {len(listed())} of the {len(api.routes)} routes by name")
    for what, found in faults:
        if found:
            print(f"FAIL  {what}: {found}")
    return any(found for _, found in faults) or not listed()


if __name__ == "__main__":
    sys.exit(main())
