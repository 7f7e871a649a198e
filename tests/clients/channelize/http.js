// Plain HTTP beside the SDK, and tokens: what the SDK cannot send, and what only the server key may set up.
'use strict';

const crypto = require('node:crypto');
const http = require('node:http');
const { execFileSync } = require('node:child_process');

const origin = new URL(process.env.SWITCHBOARD_URL || 'http://127.0.0.1:3000').origin;
const secret = process.env.SWITCHBOARD_SECRET || 'dev-secret';
const tokenKey = process.env.SWITCHBOARD_TOKEN_KEY || 'dev-secret';

const base64 = (text) => Buffer.from(text).toString('base64');
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** A compact JWS, also the wrong ones: `algorithm` null leaves the signature empty. */
function sign(payload, { header = { alg: 'HS256', typ: 'JWT' }, key = tokenKey, algorithm = 'sha256' } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  const signature = algorithm ? crypto.createHmac(algorithm, key).update(signed).digest('base64url') : '';
  return `${signed}.${signature}`;
}

/** A user's token from the program itself, or signed here when no binary is given. */
function mint(user, ...flags) {
  const binary = process.env.SWITCHBOARD_BIN;
  if (!binary) return sign({ sub: user, exp: Math.floor(Date.now() / 1000) + 3600, ...(flags.includes('--admin') && { admin: true }) });
  return execFileSync(binary, ['token', user, ...flags, '--token-key', tokenKey], { encoding: 'utf8' }).trim();
}

const asServer = (user) => ({ authorization: `Basic ${base64(secret)}`, ...(user && { 'user-id': user }) });
const asUser = (token) => ({ authorization: `Bearer ${base64(token)}` });

/** Sends the path and the body byte for byte; `json` is undefined when the reply is none. */
function call(method, path, { headers = {}, body, type = 'application/json' } = {}) {
  const url = new URL(origin);
  const bytes = body === undefined ? undefined
    : Buffer.isBuffer(body) ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent,
      host: url.hostname,
      port: url.port,
      method,
      path,
      timeout: 20_000,
      headers: {
        accept: 'application/json',
        ...(bytes && { 'content-type': type, 'content-length': bytes.length }),
        ...headers,
      },
    }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          // Left undefined: the caller decides whether that is wrong.
        }
        resolve({ status: response.statusCode, headers: response.headers, text, json });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path.slice(0, 80)}: no answer within 20 s`)));
    request.on('error', reject);
    request.end(bytes);
  });
}

module.exports = { agent, asServer, asUser, base64, call, mint, origin, secret, sign, tokenKey };
