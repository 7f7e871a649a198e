"""Shadows the package that the released tests import: what they call here is asked of a server over HTTP.

`CHANNELSTREAM_URL` names the server, `CHANNELSTREAM_SECRET` its secret. Whatever a test can see (a channel's history,
who is connected, what was counted) is read from the server's own replies.
"""
