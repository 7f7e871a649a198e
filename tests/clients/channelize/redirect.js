// Preloaded by `node -r`: points the unmodified SDK at the server under test.
//
// - Every request to https://api.channelize.io/v2 goes to SWITCHBOARD_URL + /v2; nothing else about
//   it changes. What went over the wire is kept in `wire`, because the SDK hides statuses.
// - The SDK's realtime edge is AWS IoT, which is neither ours nor reachable: a stub accepts the
//   connection, so that `connect` completes, and carries no frames.
// - No socket may leave the loopback interface. A test that tries to is a failing test.
'use strict';

const { EventEmitter } = require('node:events');
const Module = require('node:module');
const net = require('node:net');

const HARD_CODED = 'https://api.channelize.io/v2';
const target = new URL(process.env.SWITCHBOARD_URL || 'http://127.0.0.1:3000');
const base = `${target.origin}/v2`;

/** One entry per answered request, oldest first. */
const wire = [];

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function guarded(...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = typeof options === 'object' ? options.host : args[1];
  if (host && !LOOPBACK.has(host)) throw new Error(`the test tried to reach ${host}`);
  return connect.apply(this, args);
};

class Device extends EventEmitter {
  constructor() {
    super();
    setImmediate(() => this.emit('connect', {}));
  }

  subscribe() {}

  unsubscribe() {}

  publish() {}

  updateWebSocketCredentials() {}

  end() {}
}

class CognitoIdentityCredentials {
  constructor() {
    this.accessKeyId = 'stub';
    this.secretAccessKey = 'stub';
    this.sessionToken = 'stub';
  }

  get(done) {
    done(null);
  }
}

const stubs = {
  'aws-iot-device-sdk': { device: () => new Device() },
  'aws-sdk/global': { config: {}, CognitoIdentityCredentials },
};

function hook(axios) {
  axios.interceptors.request.use(async (config) => {
    if (config.url.startsWith(`${HARD_CODED}/`)) {
      config.url = base + config.url.slice(HARD_CODED.length);
    }
    // A browser sends a File as its bytes; axios for node knows only buffers.
    if (typeof File !== 'undefined' && config.data instanceof File) {
      config.data = Buffer.from(await config.data.arrayBuffer());
    }
    // The SDK would otherwise hide what the server really answered.
    config.transformResponse = [];
    return config;
  });
  const keep = (response) => {
    const raw = typeof response.data === 'string' ? response.data : String(response.data);
    const url = new URL(response.request.path || '/', target);
    wire.push({
      method: response.config.method.toUpperCase(),
      path: url.pathname,
      search: url.search,
      requestHeaders: response.config.headers,
      status: response.status,
      headers: response.headers,
      raw,
    });
    // What axios' own transformResponse does.
    try {
      response.data = JSON.parse(raw);
    } catch {
      response.data = raw;
    }
    return response;
  };
  axios.interceptors.response.use(keep, (error) => {
    if (error.response) keep(error.response);
    return Promise.reject(error);
  });
}

const load = Module._load;
const hooked = new WeakSet();
Module._load = function redirected(request, ...rest) {
  if (Object.hasOwn(stubs, request)) return stubs[request];
  const loaded = load.call(this, request, ...rest);
  if (request === 'axios' && !hooked.has(loaded)) {
    hooked.add(loaded);
    hook(loaded);
  }
  return loaded;
};

module.exports = { wire, base, origin: target.origin };
