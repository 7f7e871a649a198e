"""The configuration that the tests copy: the secret is the running server's."""

import os

SHARED_DEFAULTS = {
    "secret": os.environ["CHANNELSTREAM_SECRET"],
    "admin_secret": "admin_secret",
    "allow_posting_from": ["127.0.0.1"],
    "validate_requests": True,
    "enforce_https": False,
}
