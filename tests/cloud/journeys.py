#!/usr/bin/env python3
"""The same journeys over real sockets, against anything that serves Switchboard: the runner, an emulator, AWS.

    journeys.py --base http://127.0.0.1:3000                     the runner: one port, a path for each socket
    journeys.py --http URL --channels WSS --channelstream WSS --events WSS --nkchat WSS      a stack's outputs

`--secret` and `--token-key` are the secrets of the server that is asked; by default they are SWITCHBOARD_SECRET and
SWITCHBOARD_TOKEN_KEY, or `dev-secret`. Each run makes users and conversations of its own, and leaves them there. It
prints a line for each journey and ends with 1 if one fails. Nothing sleeps: a frame is waited for, up to `--patience`
seconds. Needs Python 3.11 and `websockets`.
"""

import argparse
import asyncio
import base64
import copy
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request

import websockets

SOCKETS = {"channels": "/realtime", "channelstream": "/ws", "events": "/api/v1/events", "nkchat": "/nkchat"}


class Failed(Exception):
    """What a journey did not see."""


def first(what, found):
    """The first of what was found."""
    for one in found:
        return one
    raise Failed(f"there is no {what}")


class Site:
    """Where it is served, and what opens it."""

    def __init__(self, options):
        base = (options.base or "").rstrip("/")
        self.http = (options.http or base).rstrip("/")
        self.sockets = {
            dialect: getattr(options, dialect) or base.replace("http", "ws", 1) + path
            for dialect, path in SOCKETS.items()
        }
        self.secret, self.key, self.patience = options.secret, options.token_key, options.patience
        nonce = secrets.token_hex(4)
        self.ann, self.bob, self.room = f"ann-{nonce}", f"bob-{nonce}", f"room-{nonce}"
        self.number = None

    def token(self, user):
        """A user's token: a JWT, HS256."""
        def part(bytes_):
            return base64.urlsafe_b64encode(bytes_).rstrip(b"=").decode()

        claims = {"sub": user, "exp": int(time.time()) + 3600}
        signed = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
        return signed + "." + part(hmac.new(self.key.encode(), signed.encode(), "sha256").digest())

    def signature(self):
        """Channelstream's: the way of itsdangerous' TimestampSigner."""
        def part(bytes_):
            return base64.urlsafe_b64encode(bytes_).rstrip(b"=").decode()

        key = hashlib.sha1(b"itsdangerous.Signersigner" + self.secret.encode()).digest()
        value = "channelstream." + part(int(time.time()).to_bytes(4, "big"))
        return value + "." + part(hmac.new(key, value.encode(), "sha1").digest())

    def headers(self, who):
        """`server`, `channelstream` (its signature), or the id of a user."""
        if who == "server":
            return {"Authorization": "Basic " + base64.b64encode(self.secret.encode()).decode()}
        if who == "channelstream":
            return {"x-channelstream-secret": self.signature()}
        return {"Authorization": "Bearer " + self.token(who)}

    async def ask(self, who, method, path, body=None, *, expect=(200, 201, 204), kind="application/json"):
        """The status, the headers and the body of an answer; a redirection is not followed."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = self.headers(who) | ({} if data is None else {"Content-Type": kind})
        request = urllib.request.Request(self.http + path, data=data, method=method, headers=headers)
        status, answered, text = await asyncio.to_thread(fetch, request, self.patience)
        if status not in expect:
            raise Failed(f"{method} {path}: {status} {text[:300]!r}")
        return status, answered, text

    async def json(self, *request, **more):
        """The body of an answer, read as JSON."""
        return json.loads((await self.ask(*request, **more))[2])


class Plain(urllib.request.HTTPRedirectHandler):
    """Shows a redirection instead of following it."""

    def redirect_request(self, *_):
        return None


def fetch(request, patience):
    """Status, headers and body, whatever the status is."""
    try:
        with urllib.request.build_opener(Plain).open(request, timeout=patience) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Ear:
    """A socket, and everything that it heard."""

    def __init__(self, dialect, socket, patience):
        self.dialect, self.socket, self.patience = dialect, socket, patience
        self.frames, self.more = [], asyncio.Condition()
        self.reading = asyncio.create_task(self.read())

    @classmethod
    async def open(cls, site, dialect, **query):
        pairs = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"{site.sockets[dialect]}?{pairs}"
        socket = await websockets.connect(url, open_timeout=site.patience, ping_interval=None)
        return cls(dialect, socket, site.patience)

    async def read(self):
        try:
            async for text in self.socket:
                frame = json.loads(text)
                async with self.more:
                    # Channelstream's frames are lists of events.
                    self.frames.extend(frame if isinstance(frame, list) else [frame])
                    self.more.notify_all()
        except websockets.ConnectionClosed:
            pass

    async def send(self, frame):
        await self.socket.send(json.dumps(frame))

    async def hear(self, what, matches):
        """The first frame that matches, now or later."""
        def found():
            return [frame for frame in self.frames if matches(frame)]

        try:
            async with asyncio.timeout(self.patience), self.more:
                await self.more.wait_for(found)
        except TimeoutError:
            last = json.dumps(self.frames[-3:])[:600]
            raise Failed(f"{self.dialect} did not hear {what}; of {len(self.frames)} frames the last: {last}") from None
        return found()[0]

    async def close(self):
        await self.socket.close()
        await self.reading


def says(site, text):
    """How each dialect's socket hears a message of this text (nkchat: of this id)."""
    return {
        "channels": lambda f: f.get("type") == "channel_message" and f["data"]["content"] == text,
        "channelstream": lambda f: f.get("type") == "message" and f["message"].get("text") == text,
        "events": lambda f: f.get("type") == "TextMessagesCreated"
        and any(message["text"] == text for message in f["data"]["messages"]),
        "nkchat": lambda f: f.get("class") == "event"
        and f["data"].get("type") == "created_message"
        and f["data"].get("obj_id") == site.room
        and f["data"]["body"]["message_id"] == text,
    }


async def listen(site):
    """Bob's four sockets."""
    token = site.token(site.bob)
    ears = {}
    for dialect in ("channels", "events", "nkchat"):
        ears[dialect] = await Ear.open(site, dialect, token=token)
    await ears["channels"].send({"action": "subscribe", "channels": [f"channel:{site.room}"]})
    await ears["channels"].hear("that it is subscribed", lambda f: f.get("type") == "subscribed")
    nkchat = [
        {"cmd": "login", "subclass": "user", "data": {"user": site.bob, "password": token}},
        {"cmd": "subscribe", "subclass": "event", "data": {"class": "chat", "subclass": "conversation"}},
    ]
    for tid, command in enumerate(nkchat):
        await ears["nkchat"].send({"class": "core", "tid": f"t{tid}"} | command)
        answer = await ears["nkchat"].hear(command["cmd"], lambda f: f.get("tid") == f"t{tid}" and "result" in f)
        if answer["result"] != "ok":
            raise Failed(f"nkchat {command['cmd']}: {answer}")
    made = {"username": site.bob, "channels": [site.room]}
    connection = (await site.json("channelstream", "POST", "/connect", made))["conn_id"]
    ears["channelstream"] = await Ear.open(site, "channelstream", conn_id=connection)
    return ears


def sends(site, text):
    """How each dialect sends a message to the room: who, method, path, body."""
    room = site.room
    rpc = {"class": "chat", "subclass": "message", "cmd": "create",
           "data": {"conversation_id": room, "user_id": site.ann, "message": text}}
    return {
        "channels": (site.ann, "POST", f"/channels/{room}/messages", {"content": text}),
        "channelize": (site.ann, "POST", "/v2/messages/send", {"conversationId": room, "body": text}),
        "channelstream": ("channelstream", "POST", "/message",
                          [{"channel": room, "user": site.ann, "message": {"text": text}}]),
        "events": (site.ann, "POST", f"/api/v1/rooms/{site.number}/messages", {"content": text}),
        "nkchat": (site.ann, "POST", "/nkchat/rpc", rpc),
    }


async def identify(site, text):
    """The id of the message of this text, by the history of a dialect that tells both."""
    history = await site.json(site.bob, "GET", f"/v2/conversations/{site.room}/messages?limit=50")
    return first(f"message {text!r}", (message["id"] for message in history if message["body"] == text))


async def prepare(site):
    """Two users, and a room with both of them; its number as the events dialect has it."""
    for user in (site.ann, site.bob):
        await site.ask("server", "POST", "/v2/users", {"id": user, "displayName": user})
    room = {"id": site.room, "title": site.room, "isGroup": True, "members": [site.bob]}
    await site.ask(site.ann, "POST", "/v2/conversations", room)
    rooms = (await site.json(site.bob, "GET", "/api/v1/rooms"))["rooms"]
    site.number = first("room", (room["roomId"] for room in rooms if room["displayName"] == site.room))
    return f"{site.room} is room {site.number}"


async def everyone_hears(site, sender):
    """A message of one dialect is at the sockets of all four that have sockets."""
    ears = await listen(site)
    text = f"{sender} says {secrets.token_hex(3)}"
    began = time.monotonic()
    await site.ask(*sends(site, text)[sender])
    heard = []
    for dialect, ear in ears.items():
        wanted = await identify(site, text) if dialect == "nkchat" else text
        await ear.hear(repr(text), says(site, wanted)[dialect])
        heard.append(dialect)
    took = time.monotonic() - began
    for ear in ears.values():
        await ear.close()
    return f"heard by {', '.join(heard)} within {took:.2f} s"


async def a_large_audience_hears_in_order(site):
    """A room of more members than the site takes for few: all sockets hear all that is said in it, in order."""
    large = copy.copy(site)
    large.room = f"{site.room}-large"
    room = {"id": large.room, "title": "large", "isGroup": True, "members": [site.bob]}
    await site.ask(site.ann, "POST", "/v2/conversations", room)
    crowd = [f"{large.room}-{n}" for n in range(12)]
    await site.ask("server", "POST", f"/v2/conversations/{large.room}/add_members", {"members": crowd})
    ears = await listen(large)
    texts = [f"to all {n} {secrets.token_hex(3)}" for n in range(5)]
    for text in texts:
        await site.ask(*sends(large, text)["channelize"])
    for dialect, ear in ears.items():
        places = []
        for text in texts:
            wanted = await identify(large, text) if dialect == "nkchat" else text
            frame = await ear.hear(repr(text), says(large, wanted)[dialect])
            places.append(ear.frames.index(frame))
        if places != sorted(places):
            raise Failed(f"{dialect} heard them at {places}")
    for ear in ears.values():
        await ear.close()
    return f"{len(crowd) + 2} members, {len(texts)} messages, heard by {', '.join(ears)}"


async def strangers_are_refused(site):
    """A socket without a token, or with a wrong one, is refused at the handshake."""
    statuses = []
    for dialect, query in [
        ("channels", {"token": "wrong"}), ("channels", {}), ("events", {"token": "wrong"}), ("events", {}),
        ("nkchat", {"token": "wrong"}), ("channelstream", {"conn_id": "11111111-1111-4111-8111-111111111111"}),
    ]:
        try:
            ear = await Ear.open(site, dialect, **query)
        except websockets.InvalidStatus as refused:
            status = refused.response.status_code
            if status not in (401, 403):
                raise Failed(f"{dialect} {query}: {status}") from None
            statuses.append(status)
        else:
            await ear.close()
            raise Failed(f"{dialect} {query}: let in")
    return f"{len(statuses)} sockets refused with {', '.join(map(str, sorted(set(statuses))))}"


async def what_was_missed_comes_first(site):
    """A channels socket that was away gets what it missed, then `subscribed`."""
    topic, token = f"channel:{site.room}", site.token(site.bob)
    away = await Ear.open(site, "channels", token=token)
    await away.send({"action": "subscribe", "channels": [topic]})
    subscribed = await away.hear("that it is subscribed", lambda f: f.get("type") == "subscribed")
    positions = subscribed["data"]["positions"]
    await away.close()
    texts = [f"missed {n} {secrets.token_hex(3)}" for n in range(3)]
    for text in texts:
        await site.ask(*sends(site, text)["channels"])
    again = await Ear.open(site, "channels", token=token)
    after = {topic: {"epoch": positions[topic]["epoch"], "seq": positions[topic]["seq"]}}
    await again.send({"action": "subscribe", "channels": [topic], "after": after})
    subscribed = await again.hear("that it is subscribed", lambda f: f.get("type") == "subscribed")
    recovered = subscribed["data"]["positions"][topic]["recovered"]
    before = again.frames[: again.frames.index(subscribed)]
    heard = [frame["data"]["content"] for frame in before if frame["type"] == "channel_message"]
    await again.close()
    if recovered is not True or heard != texts:
        raise Failed(f"recovered {recovered}, heard {heard}")
    return "3 missed messages, in order, before `subscribed`"


async def a_removed_member_hears_no_more(site):
    """Who was removed hears nothing of the room; what is sent elsewhere after it still comes."""
    events = await Ear.open(site, "events", token=site.token(site.bob))
    room = {"id": f"{site.room}-b", "title": "other", "isGroup": True, "members": [site.bob]}
    await site.ask(site.ann, "POST", "/v2/conversations", room)
    await site.ask(site.ann, "DELETE", f"/channels/{site.room}/members/{site.bob}")
    secret, public = f"secret {secrets.token_hex(3)}", f"public {secrets.token_hex(3)}"
    await site.ask(*sends(site, secret)["channelize"])
    body = {"conversationId": room["id"], "body": public}
    await site.ask(site.ann, "POST", "/v2/messages/send", body)
    await events.hear(repr(public), says(site, public)["events"])
    await site.ask(site.bob, "GET", f"/channels/{site.room}/messages", expect=(403, 404))
    heard = [frame for frame in events.frames if secret in json.dumps(frame)]
    await events.close()
    if heard:
        raise Failed(f"heard {heard}")
    back = {"members": [site.bob]}
    await site.ask(site.ann, "POST", f"/v2/conversations/{site.room}/add_members", back)
    return "no frame, and 403 or 404 by REST"


async def a_file_goes_up_and_comes_down(site):
    """A file is attached by Ann, announced to Bob, and fetched by him, byte by byte the same."""
    events = await Ear.open(site, "events", token=site.token(site.bob))
    text, content = f"with a file {secrets.token_hex(3)}", secrets.token_bytes(100_000)
    await site.ask(*sends(site, text)["events"])
    created = await events.hear(repr(text), says(site, text)["events"])
    message = first("id", (m["messageId"] for m in created["data"]["messages"] if m["text"] == text))
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
    form = head + content + b"\r\n--edge--\r\n"
    kind = "multipart/form-data; boundary=edge"
    await site.ask(site.ann, "POST", f"/api/v1/messages/{message}/attachments", form, kind=kind)
    updated = await events.hear("the file", lambda f: f.get("type") == "TextMessagesUpdated" and any(
        m["messageId"] == message and m["attachments"] for m in f["data"]["messages"]))
    await events.close()
    found = first("file", (m["attachments"][0] for m in updated["data"]["messages"] if m["messageId"] == message))
    path = f"/api/v1/attachments/{found['attachmentId']}/{found['fileName']}"
    status, headers, body = await site.ask(site.bob, "GET", path, expect=(200, 302))
    way = "by the function"
    if status == 302:
        elsewhere = urllib.request.Request(headers["Location"])
        status, _, body = await asyncio.to_thread(fetch, elsewhere, site.patience)
        way = "from the bucket, by a presigned URL"
    if status != 200 or body != content:
        raise Failed(f"{status}, {len(body)} bytes of {len(content)}")
    if found["fileChecksum"] != hashlib.sha1(content).hexdigest():
        raise Failed(f"checksum {found['fileChecksum']}")
    return f"{len(content)} bytes, {way}"


JOURNEYS = [
    ("two users and a room are made", prepare),
    *[(f"a message of {name} is heard in all dialects", lambda site, name=name: everyone_hears(site, name))
      for name in ("channelize", "channels", "channelstream", "events", "nkchat")],
    ("a large audience hears everything in order", a_large_audience_hears_in_order),
    ("strangers are refused at the handshake", strangers_are_refused),
    ("what was missed comes first", what_was_missed_comes_first),
    ("a removed member hears no more", a_removed_member_hears_no_more),
    ("a file goes up and comes down", a_file_goes_up_and_comes_down),
]


async def run(site):
    """Every journey, and how many failed. Without the first none of the others can be made."""
    failures = 0
    for name, journey in JOURNEYS:
        try:
            good, told = True, await journey(site)
        except (Failed, OSError, ValueError, KeyError, websockets.WebSocketException) as error:
            good, told = False, f"{type(error).__name__}: {error}"
        print(f"{'ok  ' if good else 'FAIL'}  {name:<52}  {told}", flush=True)
        failures += not good
        if not good and journey is prepare:
            break
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base")
    for name in ["http", *SOCKETS]:
        parser.add_argument(f"--{name}")
    parser.add_argument("--secret", default=os.environ.get("SWITCHBOARD_SECRET", "dev-secret"))
    parser.add_argument("--token-key", default=os.environ.get("SWITCHBOARD_TOKEN_KEY", "dev-secret"))
    parser.add_argument("--patience", type=float, default=60)
    options = parser.parse_args()
    if not options.base and not all(getattr(options, name) for name in ["http", *SOCKETS]):
        parser.error("either --base, or --http and all four sockets")
    failures = asyncio.run(run(Site(options)))
    print(f"{len(JOURNEYS)} journeys, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
