"""The views that the tests call with a request of their own: each sends its body to the server.

The views themselves return uuids, which JSON has no word for.
"""

import uuid

from channelstream.over_http import call


def _ids(reply, key):
    return dict(reply, **{key: uuid.UUID(reply[key])})


def connect(request):
    return _ids(call("POST", "/connect", request.json_body), "conn_id")


def subscribe(request):
    return call("POST", "/subscribe", request.json_body)


def unsubscribe(request):
    return call("POST", "/unsubscribe", request.json_body)


def user_state(request):
    return call("POST", "/user_state", request.json_body)


def message(request):
    return [_ids(one, "uuid") for one in call("POST", "/message", request.json_body)]


def messages_patch(request):
    return [_ids(one, "uuid") for one in call("PATCH", "/message", request.json_body)]


def messages_delete(request):
    return [_ids(one, "uuid") for one in call("DELETE", "/message", request.json_body)]


def channel_config(request):
    return call("POST", "/channel_config", request.json_body)


def info(request):
    # The view looks at the body's bytes first: without any it tells everything.
    return call("POST", "/info", request.json_body if request.body else None)
