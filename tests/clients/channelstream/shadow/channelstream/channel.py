"""A channel, as the tests make one and look at it."""

import uuid

from channelstream.over_http import call

SETTINGS = (
    "notify_presence",
    "store_history",
    "history_size",
    "broadcast_presence_with_user_lists",
    "notify_state",
    "store_frames",
)


class Channel(object):
    def __init__(self, name):
        self.name = name

    def config(self):
        """The settings that were given to it."""
        return {key: getattr(self, key) for key in SETTINGS if hasattr(self, key)}

    @property
    def history(self):
        told = call("POST", "/info", {"info": {"channels": [self.name]}})
        history = told["channels"][self.name]["history"]
        return [dict(one, uuid=uuid.UUID(one["uuid"])) for one in history]

    @property
    def frames(self):
        raise NotImplementedError("what a server keeps for catching up cannot be seen over HTTP")
