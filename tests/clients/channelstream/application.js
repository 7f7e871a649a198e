// A small chat application, as Channelstream wants one between its client and its server: it serves the page, decides
// who may do what (here everybody everything), and passes on, signed, what the client asks.

'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const server = process.env.CHANNELSTREAM_URL;
const secret = process.env.CHANNELSTREAM_SECRET;

// itsdangerous' TimestampSigner.
function sign(text) {
  const time = Buffer.alloc(4);
  time.writeUInt32BE(Math.floor(Date.now() / 1000));
  const value = `${text}.${time.toString('base64url')}`;
  const key = crypto.createHash('sha1').update(`itsdangerous.Signersigner${secret}`).digest();
  return `${value}.${crypto.createHmac('sha1', key).update(value).digest('base64url')}`;
}

// Asks the server as the application.
async function ask(method, to, body) {
  const reply = await fetch(server + to, {
    method,
    headers: { 'content-type': 'application/json', 'x-channelstream-secret': sign('channelstream') },
    body: JSON.stringify(body),
  });
  return { status: reply.status, text: await reply.text() };
}

const lobby = {
  notify_presence: true, broadcast_presence_with_user_lists: true, notify_state: true, store_history: true,
};

// What each call of the client becomes.
const calls = {
  'POST /app/connect': ({ username, channels }) => ['/connect', {
    username,
    channels,
    fresh_user_state: { colour: 'grey', email: `${username}@example.org` },
    state_public_keys: ['colour'],
    channel_configs: { lobby },
  }],
  'POST /app/subscribe': (body) => ['/subscribe', body],
  'POST /app/unsubscribe': (body) => ['/unsubscribe', body],
  'POST /app/state': ({ username, update_state }) => ['/user_state', { user: username, user_state: update_state }],
  'POST /app/message': (message) => ['/message', [message]],
  'PATCH /app/message': (message) => ['/message', [message]],
  'DELETE /app/message': (message) => ['/message', [message]],
};

const files = {
  '/': ['page/index.html', 'text/html'],
  '/page.js': ['page/page.js', 'text/javascript'],
  '/page.css': ['page/page.css', 'text/css'],
  '/channelstream.js': [process.env.CLIENT, 'text/javascript'],
  '/server.js': [null, 'text/javascript'],
};

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

// Serves on a free loopback port. `connected(username)` is awaited between the server's reply to a connect and the
// client's hearing of it.
exports.start = async (connected) => {
  const application = http.createServer(async (request, response) => {
    const file = request.method === 'GET' && files[request.url];
    if (file) {
      response.setHeader('content-type', file[1]);
      response.end(file[0]
        ? fs.readFileSync(path.resolve(__dirname, file[0]))
        : `export const server = ${JSON.stringify(server)};`);
      return;
    }
    const call = calls[`${request.method} ${request.url}`];
    if (!call) {
      response.writeHead(404).end();
      return;
    }
    const body = await read(request);
    const { status, text } = await ask(request.method, ...call(body));
    if (request.url === '/app/connect') await connected(body.username);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${application.address().port}`, close: () => application.close() };
};

exports.ask = async (method, to, body) => {
  const { status, text } = await ask(method, to, body);
  if (status !== 200) throw new Error(`${method} ${to}: ${status} ${text}`);
  return JSON.parse(text);
};
