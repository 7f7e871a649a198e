"""Runs the original server of the installed `channelstream` on a loopback port: `original.py PORT SECRET`.

Its own command also opens a port on all addresses, for Flash, and does not know this Python: the name that the
package asks `collections` for is put back first.
"""

from gevent import monkey

monkey.patch_all()

import collections
import collections.abc
import copy
import logging
import sys

collections.Mapping = collections.abc.Mapping

import gevent
from channelstream.cli import SHARED_DEFAULTS
from channelstream.cli.start import RoutingApplication
from channelstream.gc import gc_conns_forever, gc_users_forever
from channelstream.utils import set_config_types
from ws4py.server.geventserver import WSGIServer


def main(port, secret):
    logging.basicConfig(level=logging.WARNING)
    config = dict(copy.deepcopy(SHARED_DEFAULTS), host="127.0.0.1", port=port, secret=secret)
    config = set_config_types(config)
    gevent.spawn(gc_conns_forever)
    gevent.spawn(gc_users_forever)
    server = WSGIServer(("127.0.0.1", config["port"]), RoutingApplication(config))
    server.start()
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
