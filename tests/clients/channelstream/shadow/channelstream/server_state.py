"""The server's state, as far as it can be seen over HTTP."""

import uuid

from channelstream.over_http import call


class Channels(object):
    """The channels there are. To put one in is to configure it."""

    def _told(self):
        return call("POST", "/info")["channels"]

    def __eq__(self, other):
        return self._told() == other

    def __setitem__(self, name, channel):
        call("POST", "/channel_config", {name: channel.config()})

    def keys(self):
        return self._told().keys()


class State(object):
    """What the tests assign to it, to begin anew, is not needed: each has a server of its own."""

    @property
    def channels(self):
        return Channels()

    @channels.setter
    def channels(self, value):
        assert value == {}, value

    @property
    def connections(self):
        users = call("GET", "/admin/admin.json")["users"]
        return {uuid.UUID(one): user["user"] for user in users for one in user["connections"]}

    @connections.setter
    def connections(self, value):
        assert value == {}, value

    @property
    def users(self):
        return {user["user"]: user for user in call("GET", "/admin/admin.json")["users"]}

    @users.setter
    def users(self, value):
        assert value == {}, value

    @property
    def stats(self):
        return call("GET", "/admin/admin.json")

    @stats.setter
    def stats(self, value):
        assert value["total_messages"] == value["total_unique_messages"] == 0, value


def get_state():
    return State()
