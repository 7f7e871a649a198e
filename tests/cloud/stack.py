#!/usr/bin/env python3
"""What `sam build` and an emulator leave to be done for a stack of `template.yaml`. `tests/cloud/run` calls it.

    stack.py layout BINARIES BUILD       the folder that `sam build` makes, of binaries that are built already
    stack.py sizes BUILD                 what a function's zip weighs: fails beyond the budget
    stack.py leave-out BUILD             alarms that the emulator cannot make: those that calculate with several metrics
    stack.py complete STACK              what MiniStack leaves out of a deployed stack, made through AWS's APIs
    stack.py urls STACK                  the arguments of `journeys.py` for it
    stack.py check STACK                 what no client sees: a dead connection is forgotten, a file is in the bucket;
                                         SERVER_SECRET is the secret of the application's server
    stack.py data STACK                  the names of its table, its bucket, and one of its functions
    stack.py left TABLE BUCKET FUNCTION  after `sam delete`: the table and the bucket are there, the function is not

`complete` makes the HTTP API's routes, makes the topic of chunks a FIFO topic, and tells the functions where
`@connections` is: at AWS's host name nobody listens here. The AWS endpoint is `AWS_ENDPOINT_URL`.
"""

import base64
import json
import os
import pathlib
import secrets
import subprocess
import sys
import time
import zlib

import boto3
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAGE = "live"
# MiniStack finds an API by this path, whatever the host is called.
PATHS = "/_aws/execute-api"
DIALECTS = ["channels", "channelstream", "events", "nkchat"]
PATIENCE = 60
# Of a function's zip, in MB (docs/decisions/0025).
BUDGET = 2.6


def functions(template):
    """Each function's logical id, and what the template says of it."""
    resources = template["Resources"].items()
    return {name: made for name, made in resources if made["Type"] == "AWS::Serverless::Function"}


def own_template():
    return yaml_parse((ROOT / "template.yaml").read_text())


def layout(binaries, build):
    """A folder for each function with its `bootstrap`, and the template that names them."""
    template = own_template()
    for name, function in functions(template).items():
        binary = function["Metadata"]["BuildProperties"]["Binary"]
        folder = pathlib.Path(build, name)
        folder.mkdir(parents=True, exist_ok=True)
        # Without the tables of a debug build an upload is a fifth of its size.
        subprocess.run(["strip", "-o", folder / "bootstrap", pathlib.Path(binaries, binary)], check=True)
        function.setdefault("Properties", {})["CodeUri"] = name
    pathlib.Path(build, "template.yaml").write_text(json.dumps(template, indent=1))
    print(f"{len(functions(template))} functions are laid out in {build}")


def sizes(build):
    weights = {path.parent.name: zipped(path) for path in pathlib.Path(build).glob("*/bootstrap")}
    wanted = functions(own_template()).keys()
    assert weights.keys() == wanted, f"not built: {wanted - weights.keys()}"
    least, most = (choose(weights, key=weights.get) for choose in (min, max))
    heavy = {name: weight / 1e6 for name, weight in weights.items() if weight > BUDGET * 1e6}
    assert not heavy, f"zips beyond {BUDGET} MB: {heavy}"
    print(f"{len(weights)} functions; zipped {weights[least] / 1e6:.2f} ({least}) to {weights[most] / 1e6:.2f} MB ({most})")


def leave_out(build):
    path = pathlib.Path(build, "template.yaml")
    template = yaml_parse(path.read_text())
    resources = template["Resources"]
    alarms = [name for name, made in resources.items()
              if made["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in made["Properties"]]
    body = resources["Dashboard"]["Properties"]["DashboardBody"]
    for name in alarms:
        del resources[name]
        lines = body["Fn::Sub"].splitlines()
        body["Fn::Sub"] = "\n".join(line for line in lines if f"${{{name}.Arn}}" not in line)
    path.write_text(json.dumps(template, indent=1))
    print(", ".join(alarms))


def zipped(path):
    """Bytes of a zip's content, at the level that `sam package` has."""
    pack = zlib.compressobj(6)
    return len(pack.compress(path.read_bytes())) + len(pack.flush())


class Stack:
    """A deployed stack: physical ids by logical ones, and clients."""

    def __init__(self, name):
        self.name = name
        self.endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
        pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        found = [one for page in pages for one in page["StackResourceSummaries"]]
        self.ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        self.apis, self.functions = boto3.client("apigatewayv2"), boto3.client("lambda")
        self.template = own_template()

    def socket_api(self, dialect):
        return self.ids[f"{dialect.title()}SocketApi"]


def complete(stack):
    api = stack.ids["HttpApi"]
    there = {route["RouteKey"] for route in stack.apis.get_routes(ApiId=api)["Items"]}
    made = 0
    for name, function in functions(stack.template).items():
        events = function.get("Properties", {}).get("Events", {}).values()
        calls = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
        for call in calls:
            key = f"{call['Method'].upper()} {call['Path']}" if "Path" in call else "$default"
            if key not in there:
                route(stack, api, key, stack.ids[name])
                made += 1
    tell_where_connections_are(stack)
    make_the_topic_fifo(stack)
    print(f"{made} routes of the HTTP API were made from outside, {len(there)} by the stack")


def route(stack, api, key, function):
    arn = stack.functions.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    integration = stack.apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0")
    stack.apis.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")


def make_the_topic_fifo(stack):
    """CloudFormation's `FifoTopic` is ignored: the topic is made again, of the same name, with its subscription."""
    topics, arn = boto3.client("sns"), stack.ids["ChunkTopic"]
    if topics.get_topic_attributes(TopicArn=arn)["Attributes"].get("FifoTopic") == "true":
        return
    found = topics.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    topics.delete_topic(TopicArn=arn)
    name = arn.rpartition(":")[2]
    assert topics.create_topic(Name=name, Attributes={"FifoTopic": "true"})["TopicArn"] == arn
    raw = str(stack.template["Resources"]["ChunkSubscription"]["Properties"]["RawMessageDelivery"]).lower()
    for one in found:
        topics.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"],
                         Attributes={"RawMessageDelivery": raw})


def tell_where_connections_are(stack):
    elsewhere = {
        f"SWITCHBOARD_MANAGEMENT_{dialect.upper()}":
            f"{stack.endpoint}{PATHS}/{stack.socket_api(dialect)}/{STAGE}" for dialect in DIALECTS
    }
    for name in functions(stack.template):
        function = stack.ids[name]
        found = stack.functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        assert elsewhere.keys() <= found.keys(), f"{name} is not told where connections are"
        # Amazon Linux keeps its root certificates elsewhere; the emulator is not reached by TLS at all.
        roots = {"SSL_CERT_FILE": os.environ["SSL_CERT_FILE"]} if "SSL_CERT_FILE" in os.environ else {}
        stack.functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": found | elsewhere | roots})


def urls(stack):
    sockets = stack.endpoint.replace("http", "ws", 1)
    print(f"--http {stack.endpoint}{PATHS}/{stack.ids['HttpApi']}/$default", end="")
    for dialect in DIALECTS:
        print(f" --{dialect} {sockets}{PATHS}/{stack.socket_api(dialect)}/{STAGE}", end="")
    print()


def invoke(stack, function, sample, change):
    """A function's answer to its sample, changed a little."""
    event = json.loads((ROOT / "events" / f"{sample}.json").read_text())
    change(event)
    answer = stack.functions.invoke(FunctionName=stack.ids[function], Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer and told["statusCode"] < 300, told
    return told


def until(what, condition):
    """Asks again until it is so."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE} s"
        time.sleep(0.2)
    return found


def items_with(stack, text):
    """The table's items that have this text in them."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=stack.ids["Table"])
    return [item for page in pages for item in page["Items"] if text in json.dumps(item)]


def dead_connections_are_forgotten(stack):
    """A connection that `$connect` was told of and the gateway does not know is gone after the first event."""
    server = "Basic " + base64.b64encode(os.environ["SERVER_SECRET"].encode()).decode()
    user, connection, room = (f"{word}-{secrets.token_hex(4)}" for word in ("cut", "gone", "room"))

    def connecting(event):
        event["headers"] |= {"User-Id": user, "Authorization": server}
        event["multiValueHeaders"] |= {"User-Id": [user], "Authorization": [server]}
        event["requestContext"]["connectionId"] = connection

    def asking(body):
        def change(event):
            event["headers"] |= {"user-id": user, "authorization": server}
            event["body"] = json.dumps(body)
        return change

    invoke(stack, "EventsConnectFunction", "events-connect", connecting)
    assert items_with(stack, connection), "the connection was not written down"
    made = {"id": room, "title": room, "isGroup": True, "members": [f"{user}-friend"]}
    invoke(stack, "ChannelizeCreateConversationFunction", "channelize-create-conversation", asking(made))
    said = {"conversationId": room, "body": "is anybody there?"}
    invoke(stack, "ChannelizeSendMessageFunction", "channelize-send-message", asking(said))
    until("the dead connection is forgotten", lambda: not items_with(stack, connection))
    return "410 from @connections, and its item is removed"


def files_are_in_the_bucket(stack):
    """The file that a journey attached."""
    objects = boto3.client("s3").list_objects_v2(Bucket=stack.ids["Attachments"]).get("Contents", [])
    sizes = [found["Size"] for found in objects]
    assert sizes, "the bucket is empty"
    return f"{len(sizes)} object(s), of {', '.join(map(str, sizes))} bytes"


def chunks_go_by_topic_and_queue(stack):
    """Shards of a large audience were served by who takes from the queue, and nothing is left in it."""
    shards = [item for item in items_with(stack, '"SHARD#') if item["pk"]["S"].startswith("SHARD#")]
    assert shards, "no shard of a large audience was ever served"
    client = boto3.client("sqs")
    waits = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left(queue):
        told = client.get_queue_attributes(QueueUrl=stack.ids[queue], AttributeNames=waits)["Attributes"]
        return sum(int(told[name]) for name in waits)

    until("the queue of chunks is empty", lambda: not left("ChunkQueue"))
    assert not left("ChunkDeadLetters"), "chunks were given up"
    rounds = max(int(item["p"]["N"]) for item in shards)
    return f"{len(shards)} shards served, the last round was {rounds}; no dead letters"


def the_filter_keeps_the_rest_out(stack):
    """The trigger has the template's filter, and lost nothing."""
    mappings = stack.functions.list_event_source_mappings(FunctionName=stack.ids["FanOutFunction"])
    filters = mappings["EventSourceMappings"][0]["FilterCriteria"]["Filters"]
    wanted = stack.template["Resources"]["FanOutFunction"]["Properties"]["Events"]["Stream"]["Properties"]
    wanted = wanted["FilterCriteria"]["Filters"]
    assert [json.loads(f["Pattern"]) for f in filters] == [json.loads(f["Pattern"]) for f in wanted], filters
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=stack.ids["StreamDeadLetters"], AttributeNames=["ApproximateNumberOfMessages"])
    assert queue["Attributes"]["ApproximateNumberOfMessages"] == "0", queue
    return f"{len(filters)} patterns, no dead letters"


def metrics_are_lines_of_the_log(stack):
    """As they are, with nothing around them: from other lines CloudWatch takes no metrics."""
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=stack.ids["LogGroup"])
    messages = [event["message"] for page in pages for event in page["events"]]
    lines = [json.loads(message) for message in messages if '"_aws"' in message]
    assert lines, f"none of {len(messages)} lines of the log has metrics"
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["Stack"]] and line["Stack"] == stack.name, line
    sums = {name: sum(line.get(name, 0) for line in lines) for name in ("Posts", "Gone", "Resumed")}
    assert all(sums.values()), f"not all was counted: {sums}"
    return f"{len(lines)} of {len(messages)} lines of the log; {sums}"


def the_dashboard_shows_what_there_is(stack):
    watch = boto3.client("cloudwatch")
    body = watch.get_dashboard(DashboardName=stack.ids["Dashboard"])["DashboardBody"]
    assert "${" not in body, "a reference is left"
    [listed] = [one["properties"]["alarms"] for one in json.loads(body)["widgets"] if one["type"] == "alarm"]
    pages = watch.get_paginator("describe_alarms").paginate()
    there = {alarm["AlarmArn"] for page in pages for alarm in page["MetricAlarms"]}
    assert set(listed) == there, set(listed) ^ there
    return f"{len(there)} alarms"


CHECKS = [
    ("dead connections are forgotten", dead_connections_are_forgotten),
    ("files are in the bucket", files_are_in_the_bucket),
    ("chunks go by topic and queue", chunks_go_by_topic_and_queue),
    ("the stream's filter is the template's", the_filter_keeps_the_rest_out),
    ("metrics are lines of the log", metrics_are_lines_of_the_log),
    ("the dashboard shows what there is", the_dashboard_shows_what_there_is),
]


def check(stack):
    failures = 0
    for name, condition in CHECKS:
        try:
            good, told = True, condition(stack)
        except AssertionError as error:
            good, told = False, str(error)
        print(f"{'ok  ' if good else 'FAIL'}  {name:<52}  {told}", flush=True)
        failures += not good
    return failures


def data(stack):
    print(stack.ids["Table"], stack.ids["Attachments"], stack.ids["FanOutFunction"])


def left(table, bucket, function):
    boto3.client("dynamodb").describe_table(TableName=table)
    boto3.client("s3").head_bucket(Bucket=bucket)
    functions = boto3.client("lambda")
    try:
        functions.get_function(FunctionName=function)
        sys.exit(f"{function} is still there")
    except functions.exceptions.ResourceNotFoundException:
        print("the table and the bucket are left, the functions are gone")


OF_A_FOLDER = {"layout": layout, "sizes": sizes, "leave-out": leave_out}
OF_A_STACK = {"complete": complete, "urls": urls, "check": check, "data": data}


def main():
    command, *rest = sys.argv[1:] or [""]
    if command in OF_A_FOLDER:
        return OF_A_FOLDER[command](*rest)
    if command in OF_A_STACK:
        return OF_A_STACK[command](Stack(*rest))
    if command == "left":
        return left(*rest)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
