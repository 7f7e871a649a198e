"""The application that the tests give to WebTest: it passes each request on to the server."""

from channelstream import over_http


class RoutingApplication(object):
    def __init__(self, config):
        if config["enforce_https"]:
            raise NotImplementedError("a running server cannot be configured over HTTP")

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        headers = {
            name[len("HTTP_"):].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and name != "HTTP_HOST"
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        path = environ["PATH_INFO"]
        if environ.get("QUERY_STRING"):
            path += "?" + environ["QUERY_STRING"]
        body = environ["wsgi.input"].read(length) if length else None
        status, reason, headers, body = over_http.exchange(environ["REQUEST_METHOD"], path, headers, body)
        # What is between this and the server is no part of the reply.
        hop = ("connection", "transfer-encoding", "keep-alive")
        start_response(f"{status} {reason}", [one for one in headers if one[0].lower() not in hop])
        return [body]
