// Bad input against the HTTP API: `SWITCHBOARD_URL=… node hostile.js`.
//
// Every refusal is a 4xx of the documented shape, changes nothing, and leaves a server that answers.
// A row is [name, wanted statuses, request]; `LOOSE` rows are inputs for which no document decides
// between accepting and refusing: those need only not to be a 5xx, and a refusal has the shape.
'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { after, before, test } = require('node:test');
const { randomUUID } = require('node:crypto');
const { agent, asServer, asUser, base64, call, mint, origin, secret, sign, tokenKey } = require('./http');
const shapes = require('./shapes');

const run = Date.now().toString(36);
const alice = `alice-h-${run}`;
const bob = `bob-h-${run}`;
const mallory = `mallory-h-${run}`;
const tokens = Object.fromEntries([alice, bob, mallory].map((user) => [user, mint(user)]));
const as = (user) => asUser(tokens[user]);

const LOOSE = 'loose';
const GONE = [403, 404];
const BAD_ID = [400, 404];
const BIG = [400, 413];

let group;
let hall;
let privately;
let message;
let hallMessage;
let secretMessage;

async function made(answer) {
  const got = await answer;
  assert.ok(got.status === 200 || got.status === 201, `set-up: ${got.status} ${got.text}`);
  return got.json;
}

const post = (user, path, body) => call('POST', path, { headers: as(user), body });
const sendAs = (user, body) => post(user, '/v2/messages/send', body);

/** How many messages the server sees in the conversations of these cases. */
async function counts() {
  const seen = [];
  for (const [user, conversation] of [[alice, group], [bob, group], [alice, hall], [alice, privately]]) {
    const got = await call('GET', `/v2/conversations/${encodeURIComponent(conversation)}/messages/count`, { headers: as(user) });
    assert.equal(got.status, 200, got.text);
    seen.push(got.json.count);
  }
  return seen;
}

function check(got, wanted) {
  const shown = `${got.status} ${got.text.slice(0, 300)}`;
  assert.ok(got.status < 500, `a server error: ${shown}`);
  if (wanted === LOOSE && got.status < 400) return;
  if (wanted !== LOOSE) assert.ok(wanted.includes(got.status), `wanted ${wanted.join(' or ')}, got ${shown}`);
  assert.ok(got.status >= 400, `wanted a refusal, got ${shown}`);
  assert.match(got.headers['content-type'] || '', /^application\/json/, shown);
  assert.ok(got.json, `not JSON: ${shown}`);
  shapes.refusal(got.json, got.status);
}

/** One case; `request` is made only when the case runs, after the set-up. */
function bad(name, wanted, request) {
  const list = typeof wanted === 'number' ? [wanted] : wanted;
  test(`hostile: ${name}`, { timeout: 60_000 }, async () => {
    const earlier = list === LOOSE ? undefined : await counts();
    check(await request(), list);
    const later = await counts();
    if (earlier) assert.deepEqual(later, earlier, 'a refused request changed a conversation');
  });
}

before(async () => {
  for (const user of [alice, bob, mallory]) {
    await made(post(user, '/v2/users/verify_access_token', { accessToken: tokens[user] }));
  }
  group = (await made(post(alice, '/v2/conversations', { title: 'Group', type: 'private', isGroup: true, members: [alice, bob] }))).id;
  hall = (await made(post(alice, '/v2/conversations', { title: 'Hall', type: 'public', isGroup: true, members: [alice, bob] }))).id;
  privately = (await made(post(alice, '/v2/conversations', { title: 'Alone', type: 'private', isGroup: true, members: [alice] }))).id;
  message = (await made(sendAs(alice, { conversationId: group, body: 'hello' }))).id;
  hallMessage = (await made(sendAs(alice, { conversationId: hall, body: 'hello hall' }))).id;
  secretMessage = (await made(sendAs(alice, { conversationId: privately, body: 'hello me' }))).id;
});

after(() => agent.destroy());

// ---- who is calling -------------------------------------------------------------------------------

const soon = () => Math.floor(Date.now() / 1000) + 600;
const [header64, payload64, signature64] = tokens[alice].split('.');
const jwt = (...parts) => asUser(sign(...parts));
const strangers = {
  'no authorization at all': {},
  'an empty authorization': { authorization: '' },
  'Basic without credentials': { authorization: 'Basic' },
  'Basic with nothing in it': { authorization: 'Basic ' },
  'Basic that is not base64': { authorization: 'Basic %%%%' },
  'Basic with a wrong secret': { authorization: `Basic ${base64(`${secret}x`)}` },
  'Basic with a prefix of the secret': { authorization: `Basic ${base64(secret.slice(0, -1))}` },
  'Basic with an empty secret': { authorization: `Basic ${base64(':')}` },
  'Basic with a wrong secret and a user': { authorization: `Basic ${base64('wrong')}`, 'user-id': alice },
  'Basic with the secret as plain text': { authorization: `Basic ${secret}` },
  'Basic with two secrets': { authorization: `Basic ${base64(`${secret}:${secret}x`)}` },
  'the secret as a bearer': { authorization: `Bearer ${secret}` },
  'Bearer without a token': { authorization: 'Bearer' },
  'Bearer garbage': { authorization: 'Bearer garbage' },
  'Bearer garbage in base64': { authorization: `Bearer ${base64('gar.ba.ge')}` },
  'a token encoded twice': { authorization: `Bearer ${base64(base64(tokens[alice]))}` },
  'another scheme': { authorization: `Digest ${tokens[alice]}` },
  'a token of 6 kB': { authorization: `Bearer ${'a.'.repeat(3000)}` },
  'only a user id': { 'user-id': alice },
  'only a public key': { 'public-key': 'public-key' },
  'an expired token': jwt({ sub: alice, exp: soon() - 7200 }),
  'a token signed with another key': jwt({ sub: alice, exp: soon() }, { key: `${tokenKey}x` }),
  'a token signed with an empty key': jwt({ sub: alice, exp: soon() }, { key: '' }),
  'a token with alg none': jwt({ sub: alice, exp: soon() }, { header: { alg: 'none', typ: 'JWT' }, algorithm: null }),
  'a token with alg None and a signature': jwt({ sub: alice, exp: soon() }, { header: { alg: 'None', typ: 'JWT' } }),
  'a token with another algorithm': jwt({ sub: alice, exp: soon() }, { header: { alg: 'HS512', typ: 'JWT' }, algorithm: 'sha512' }),
  'a token that claims RS256': jwt({ sub: alice, exp: soon() }, { header: { alg: 'RS256', typ: 'JWT' } }),
  'a token without a header': { authorization: `Bearer .${payload64}.${signature64}` },
  'a token without a signature': { authorization: `Bearer ${header64}.${payload64}.` },
  'a token with another payload': {
    authorization: `Bearer ${header64}.${Buffer.from(JSON.stringify({ sub: bob, exp: soon(), admin: true })).toString('base64url')}.${signature64}`,
  },
  'a token without a subject': jwt({ exp: soon() }),
  'a token with an empty subject': jwt({ sub: '', exp: soon() }),
  'a token whose subject is a number': jwt({ sub: 7, exp: soon() }),
  'a token whose expiry is text': jwt({ sub: alice, exp: 'tomorrow' }),
  'a token whose payload is an array': jwt(['sub', alice]),
};
for (const [name, headers] of Object.entries(strangers)) {
  bad(`${name} is nobody`, 401, () => call('GET', `/v2/conversations/${group}/messages`, { headers }));
}
bad('a stranger sends nothing', 401, () => call('POST', '/v2/messages/send', { body: { conversationId: group, body: 'x' } }));
bad('a token in the query of a REST call is nobody', 401, () => call('GET', `/v2/conversations/${group}/messages?token=${tokens[alice]}`));
bad('an anonymous user does not write to a private conversation', [401, 403, 404], () => call('POST', '/v2/messages/send', {
  headers: { 'anonymous-user-id': 'anonymous-1', 'public-key': 'p' }, body: { conversationId: group, body: 'x' },
}));
bad('a user stays itself whatever User-Id says', 403, () => call('POST', `/v2/messages/${message}/pin`, {
  headers: { ...as(bob), 'user-id': alice },
}));
bad('the server acts for a user of 5,000 characters', [400, 431], () => call('GET', '/v2/messages/unread/count', { headers: asServer('u'.repeat(5000)) }));
bad('the server acts for a user id that is not UTF-8', [400, 401], () => call('GET', '/v2/messages/unread/count', { headers: asServer('\u00ff\u00fe') }));
bad('the server acts for a user id of spaces', LOOSE, () => call('GET', '/v2/messages/unread/count', { headers: asServer('   ') }));
bad('the server asks for nobody\'s unread messages', LOOSE, () => call('GET', '/v2/messages/unread/count', { headers: asServer() }));
bad('the server acts for an id with slashes and dots', LOOSE, () => call('GET', '/v2/messages/unread/count', { headers: asServer('../../etc/passwd') }));
bad('the server acts for an id with the store\'s separators', LOOSE, () => call('GET', '/v2/messages/unread/count', { headers: asServer('a#b|c:d') }));

// ---- what is asked for ----------------------------------------------------------------------------

const lost = [
  ['GET', '/v2/nope'], ['GET', '/v2'], ['GET', '/v2/'], ['POST', '/v2/messages'], ['DELETE', '/v2/messages/send'],
  ['PATCH', '/v2/conversations/x'], ['PUT', '/v2/messages/send'], ['GET', '/v2/conversations//messages'], ['GET', '/v2/messages//reactions'],
  ['POST', '/v2/messages//pin'], ['TRACE', '/v2/messages/send'], ['GET', '/v2/conversations/x/messages/count/more'],
];
for (const [method, path] of lost) {
  test(`hostile: ${method} ${path} does not exist`, async () => {
    const got = await call(method, path, { headers: as(alice) });
    assert.ok([400, 403, 404, 405].includes(got.status), `${got.status} ${got.text}`);
    // What no function serves is answered by the gateway, in its own words.
    assert.match(got.headers['content-type'] || '', /^application\/json/);
    if (got.json.error) shapes.refusal(got.json, got.status);
    else assert.deepEqual(Object.keys(got.json), ['message']);
  });
}

const odd = {
  'an encoded slash': 'a%2Fb', 'encoded dots': '%2e%2e%2fusers', 'a zero byte': 'a%00b', 'a line break': 'a%0d%0aSet-Cookie:%20a', 'no UTF-8': '%ff%fe',
  'a broken escape': '%zz', 'an emoji': '%F0%9F%92%A5', '5,000 characters': 'x'.repeat(5000), 'the store\'s separators': 'a%23b%7Cc', 'a quote': '%27%22%3B--',
  'a number beyond 64 bits': '99999999999999999999999', 'a space': '%20', 'a wrong uuid': '5a928b10-4258-11ea-9c07-831a487bf6aX',
};
for (const [name, segment] of Object.entries(odd)) {
  bad(`a conversation id with ${name} is unknown`, [400, 403, 404, 414], () => call('GET', `/v2/conversations/${segment}/messages`, { headers: as(alice) }));
  bad(`a message id with ${name} is unknown`, [400, 404, 414], () => post(alice, `/v2/messages/${segment}/add_reaction`, { type: 'like' }));
}
bad('an unknown message has no reactions to list', 404, () => call('GET', `/v2/messages/${randomUUID()}/reactions?type=like`, { headers: as(alice) }));
bad('an unknown message is not pinned', 404, () => post(alice, `/v2/messages/${randomUUID()}/pin`));
bad('an unknown message is not unpinned', 404, () => post(alice, `/v2/messages/${randomUUID()}/unpin`));
bad('an unknown conversation has no messages', GONE, () => call('GET', `/v2/conversations/${randomUUID()}/messages`, { headers: as(alice) }));
bad('an unknown conversation has no count', GONE, () => call('GET', `/v2/conversations/${randomUUID()}/messages/count`, { headers: as(alice) }));
bad('an unknown conversation is not read', GONE, () => call('PUT', `/v2/conversations/${randomUUID()}/mark_as_read`, { headers: as(alice), body: {} }));

const queries = [
  'limit=0', 'limit=-1', 'limit=201', 'limit=abc', 'limit=1.5', 'limit=99999999999999999999', 'limit=1e2', 'limit=%2B5%00', 'skip=-1', 'skip=abc',
  'skip=1.5', 'skip=99999999999999999999', 'types=bogus', 'types=normal,bogus', 'types=Normal', 'sort=createdAt%20DESC', 'sort=updatedAt%20SIDEWAYS',
  'sort=bogus', 'sort=updatedAt%20ASC%3B%20DROP', 'showInConversation=maybe', 'pinned=2', 'pinned=TRUE%20',
];
for (const query of queries) {
  bad(`messages are not listed with ${query}`, 400, () => call('GET', `/v2/conversations/${group}/messages?${query}`, { headers: as(alice) }));
}
for (const query of ['types=bogus', 'showInConversation=maybe', 'pinned=2']) {
  bad(`messages are not counted with ${query}`, 400, () => call('GET', `/v2/conversations/${group}/messages/count?${query}`, { headers: as(alice) }));
}
for (const query of ['', '?limit=3', '?type=like&limit=0', '?type=like&limit=201', '?type=like&limit=x', '?type=like&skip=-1', '?type=']) {
  bad(`reactions are not listed with "${query}"`, 400, () => call('GET', `/v2/messages/${message}/reactions${query}`, { headers: as(alice) }));
}
for (const query of ['limit=0', 'limit=201', 'limit=x', 'skip=-1', 'isGroup=maybe', 'type=bogus']) {
  bad(`conversations are not listed with ${query}`, 400, () => call('GET', `/v2/conversations?${query}`, { headers: as(alice) }));
}
for (const query of ['limit=0', 'limit=x', 'skip=-1']) {
  bad(`users are not listed with ${query}`, 400, () => call('GET', `/v2/users/?${query}`, { headers: as(alice) }));
}
for (const query of [
  'ids=', 'ids=,,,', `ids=${'x'.repeat(7000)}`, `ids=${Array.from({ length: 1001 }, (_, n) => n).join(',')}`, 'ids=%ff', 'parentId=%00', 'limit=5&limit=x', 'x=%zz',
  'bogus=1', '&&&==&', 'skip=4294967296', 'ids[]=a&ids[]=b', `customTypes=${encodeURIComponent('"\\\'')}`, 'sort=', 'types=', 'limit=', 'showInConversation=1',
]) {
  bad(`messages are asked for with ${query.slice(0, 40)}`, LOOSE, () => call('GET', `/v2/conversations/${group}/messages?${query}`, { headers: as(alice) }));
}

// ---- bodies ---------------------------------------------------------------------------------------

const raw = {
  'an empty body': '', 'a brace': '{', 'half an object': '{"body":"x"', 'a trailing comma': '{"body":"x",}', 'single quotes': "{'body':'x'}", 'null': 'null', 'an array': '[]',
  'a string': '"x"', 'a number': '1', 'true': 'true', 'something after the object': '{"a":1}x', 'two objects': '{}{}', 'NaN': '{"metaData":{"a":NaN}}',
  'a lone surrogate': '{"body":"\\ud800"}', 'a raw control character': '{"body":"a\u0001b"}', 'form data': 'body=x&conversationId=y',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0x22, 0x62, 0x6f, 0x64, 0x79, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  'UTF-16': Buffer.from('{"body":"x"}', 'utf16le'), 'a zero byte': Buffer.from([0]), 'a gzip header': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
  '10,000 open brackets': '['.repeat(10_000), '10,000 nested arrays': '['.repeat(10_000) + ']'.repeat(10_000),
};
const bodied = [
  ['POST', () => '/v2/messages/send'], ['POST', () => '/v2/messages/broadcast'], ['POST', () => '/v2/messages/forward'], ['POST', () => '/v2/messages/delete'],
  ['POST', () => '/v2/messages/delete_for_everyone'], ['POST', () => `/v2/messages/${message}/add_reaction`], ['POST', () => `/v2/messages/${message}/remove_reaction`],
  ['POST', () => '/v2/conversations'],
];
for (const [name, body] of Object.entries(raw)) {
  // Every body at the busiest endpoint, the telling ones everywhere.
  const everywhere = ['a brace', 'null', 'an array', 'bytes that are not UTF-8', '10,000 nested arrays'].includes(name);
  for (const [method, path] of everywhere ? bodied : bodied.slice(0, 1)) {
    const shown = path().replace(/undefined/, '{id}');
    bad(`${method} ${shown} with ${name} is refused`, 400, () => call(method, path(), { headers: as(alice), body }));
  }
}
for (const name of ['a brace', 'an array', 'bytes that are not UTF-8', '10,000 nested arrays']) {
  bad(`marking as read with ${name} is refused`, 400, () => call('PUT', `/v2/conversations/${group}/mark_as_read`, { headers: as(alice), body: raw[name] }));
}

const nested = (open, close, depth) => `{"conversationId":"${group}","body":"deep","metaData":{"a":${open.repeat(depth)}1${close.repeat(depth)}}}`;
bad('metaData nested 10,000 objects deep is refused', 400, () => call('POST', '/v2/messages/send', { headers: as(alice), body: nested('{"a":', '}', 10_000) }));
bad('metaData nested 10,000 arrays deep is refused', 400, () => call('POST', '/v2/messages/send', { headers: as(alice), body: nested('[', ']', 10_000) }));

const sized = (key, value) => () => sendAs(alice, { conversationId: group, ...(key !== 'body' && { body: 'x' }), [key]: value });
bad('a body of 100,001 bytes is refused', BIG, sized('body', 'x'.repeat(100_001)));
bad('a body of 100,001 bytes in fewer characters is refused', BIG, sized('body', '€'.repeat(33_334)));
bad('metaData of 100,001 bytes is refused', BIG, sized('metaData', { a: 'x'.repeat(100_001) }));
bad('attachments of 100,001 bytes are refused', BIG, sized('attachments', [{ type: 'text', a: 'x'.repeat(100_001) }]));
bad('a custom type of 100,001 bytes is refused', BIG, sized('customType', 'x'.repeat(100_001)));
bad('a message of many small keys over the limit is refused', BIG, sized('metaData', Object.fromEntries(Array.from({ length: 12_000 }, (_, n) => [`k${n}`, n]))));
bad('a body of 2 MB is refused', BIG, sized('body', 'x'.repeat(2_000_000)));
bad('a broadcast of 100,001 bytes is refused', BIG, () => post(alice, '/v2/messages/broadcast', { conversationIds: [group], body: 'x'.repeat(100_001) }));

// ---- fields of a message --------------------------------------------------------------------------

const fields = {
  body: [1, true, {}, []],
  attachments: ['x', {}, 1, [1], [null], ['x'], [[]], [{}], [{ type: 1 }], [{ type: null }], [{ type: '' }]],
  conversationId: [1, {}, [], true, ''],
  type: ['bogus', 'Normal', '', 1, {}, []],
  customType: [1, {}, [], true],
  parentId: [1, {}, [], ''],
  showInConversation: ['yes', 'true', 1, {}, []],
  recipients: ['bob', {}, 1, [1], [null], [{}], [['bob']]],
  mentionedUsers: [
    'bob', {}, 1, [1], [null], [{}], [{ userId: 1, order: 1, wordCount: 1 }], [{ userId: bob, order: 'x', wordCount: 1 }], [{ userId: bob, order: 1, wordCount: [] }],
    [{ order: 1, wordCount: 1 }],
  ],
  events: ['x', [], 1, { updateUnreadCount: 'no' }, { sendPushNotification: 0 }],
  createdAt: ['yesterday', '', {}, [], true, '2020-13-45T00:00:00.000Z', '2020-01-29'.repeat(100)],
  encrypted: ['no', 1, {}, []],
  metaData: ['x', 1, true, []],
  id: [1, {}, [], true, '', 'x'.repeat(5000)],
};
const short = (value) => {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
for (const [key, values] of Object.entries(fields)) {
  for (const value of values) {
    bad(`a message with ${key} ${short(value)} is refused`, key === 'conversationId' || key === 'parentId' ? BAD_ID : 400, () => sendAs(alice, {
      conversationId: group, body: 'hello', [key]: value,
    }));
  }
}
for (const value of [1, {}, [], true, '']) {
  bad(`a message with userId ${short(value)} is refused`, BAD_ID, () => sendAs(alice, { userId: value, body: 'hello' }));
}
for (const [name, body] of Object.entries({
  'nothing': {}, 'an empty text': { body: '' }, 'no attachments': { attachments: [] }, 'both empty': { body: '', attachments: [] }, 'null': { body: null, attachments: null },
  'only metaData': { metaData: { a: 1 } },
})) {
  bad(`a message that says ${name} is refused`, 400, () => sendAs(alice, { conversationId: group, ...body }));
}
bad('a message to nowhere is refused', 400, () => sendAs(alice, { body: 'hello' }));
bad('a message to an unknown conversation is refused', 404, () => sendAs(alice, { conversationId: randomUUID(), body: 'hello' }));
bad('a message by someone who is not a member is refused', GONE, () => sendAs(mallory, { conversationId: group, body: 'hello' }));
bad('a reply to an unknown message is refused', BAD_ID, () => sendAs(alice, { conversationId: group, body: 'hello', parentId: randomUUID() }));
bad('a reply to a message of another conversation is refused', BAD_ID, () => sendAs(alice, { conversationId: group, body: 'hello', parentId: secretMessage }));
bad('a reply to a message one may not see is refused', [400, 403, 404], () => sendAs(bob, { conversationId: group, body: 'hello', parentId: secretMessage }));
bad('an id of another content is refused', 400, () => sendAs(alice, { id: message, conversationId: group, body: 'something else' }));
bad('an id of another sender is refused', 400, () => sendAs(bob, { id: message, conversationId: group, body: 'hello' }));
bad('an id of another conversation is refused', 400, () => sendAs(alice, { id: message, conversationId: privately, body: 'hello' }));
bad('a number beyond every type is refused', 400, () => call('POST', '/v2/messages/send', {
  headers: as(alice), body: `{"conversationId":"${group}","body":"x","metaData":{"a":1e999}}`,
}));

// ---- forwarding and broadcasting ------------------------------------------------------------------

const many = (n) => Array.from({ length: n }, () => randomUUID());
const lists = ['x', 1, {}, null, [1], [null], [{}], [''], []];
const forward = (user, body) => post(user, '/v2/messages/forward', body);
for (const value of lists) {
  bad(`forwarding messageIds ${short(value)} is refused`, value?.[0] === '' ? BAD_ID : 400, () => forward(alice, { messageIds: value, conversationIds: [group] }));
}
for (const key of ['conversationIds', 'userIds']) {
  for (const value of lists) {
    bad(`forwarding to ${key} ${short(value)} is refused`, value?.[0] === '' ? BAD_ID : 400, () => forward(alice, { messageIds: [message], [key]: value }));
    bad(`broadcasting to ${key} ${short(value)} is refused`, value?.[0] === '' ? BAD_ID : 400, () => post(alice, '/v2/messages/broadcast', { [key]: value, body: 'x' }));
  }
}
bad('forwarding nowhere is refused', 400, () => forward(alice, { messageIds: [message] }));
bad('forwarding nothing is refused', 400, () => forward(alice, { conversationIds: [group] }));
bad('forwarding an unknown message is refused', 404, () => forward(alice, { messageIds: [randomUUID()], conversationIds: [group] }));
bad('forwarding an unknown message with a known one forwards neither', 404, () => forward(alice, { messageIds: [message, randomUUID()], conversationIds: [group] }));
bad('forwarding 1,001 messages is refused', BAD_ID, () => forward(alice, { messageIds: many(1001), conversationIds: [group] }));
bad('forwarding to 1,001 conversations is refused', BAD_ID, () => forward(alice, { messageIds: [message], conversationIds: many(1001) }));
bad('forwarding to an unknown conversation is refused', 404, () => forward(alice, { messageIds: [message], conversationIds: [randomUUID()] }));
bad('forwarding into a conversation one is not in is refused', GONE, () => forward(bob, { messageIds: [message], conversationIds: [privately] }));
bad('forwarding a message one may not see is refused', GONE, () => forward(bob, { messageIds: [secretMessage], conversationIds: [group] }));
bad('a broadcast to nobody is refused', 400, () => post(alice, '/v2/messages/broadcast', { body: 'x' }));
bad('a broadcast of nothing is refused', 400, () => post(alice, '/v2/messages/broadcast', { conversationIds: [group] }));
bad('a broadcast of a number is refused', 400, () => post(alice, '/v2/messages/broadcast', { conversationIds: [group], body: 1 }));
bad('a broadcast of an unknown type is refused', 400, () => post(alice, '/v2/messages/broadcast', { conversationIds: [group], body: 'x', type: 'bogus' }));
bad('a broadcast to 1,001 conversations is refused', BAD_ID, () => post(alice, '/v2/messages/broadcast', { conversationIds: many(1001), body: 'x' }));
bad('a broadcast to an unknown conversation is refused', GONE, () => post(alice, '/v2/messages/broadcast', { conversationIds: [randomUUID()], body: 'x' }));
bad('a broadcast into a conversation one is not in is refused', GONE, () => post(mallory, '/v2/messages/broadcast', { conversationIds: [group], body: 'x' }));
bad('a broadcast that is refused for one conversation reaches none', GONE, () => post(bob, '/v2/messages/broadcast', { conversationIds: [group, privately], body: 'x' }));

// ---- reactions, pins, read marks, deleting --------------------------------------------------------

for (const verb of ['add_reaction', 'remove_reaction']) {
  for (const type of [undefined, null, '', 1, {}, [], true]) {
    bad(`${verb} of type ${short(type)} is refused`, 400, () => post(alice, `/v2/messages/${message}/${verb}`, { type }));
  }
  bad(`${verb} of a type of 200 kB is refused`, verb === 'add_reaction' ? BIG : LOOSE, () => post(alice, `/v2/messages/${message}/${verb}`, { type: 'x'.repeat(200_000) }));
  bad(`${verb} to an unknown message is refused`, 404, () => post(alice, `/v2/messages/${randomUUID()}/${verb}`, { type: 'like' }));
  bad(`${verb} by someone who is not a member is refused`, GONE, () => post(mallory, `/v2/messages/${message}/${verb}`, { type: 'like' }));
}
bad('reactions are not listed for someone who is not a member', GONE, () => call('GET', `/v2/messages/${message}/reactions?type=like`, { headers: as(mallory) }));
for (const verb of ['pin', 'unpin']) {
  bad(`${verb} by a member who is no admin is refused`, 403, () => post(bob, `/v2/messages/${message}/${verb}`));
  bad(`${verb} by someone who is not a member is refused`, GONE, () => post(mallory, `/v2/messages/${message}/${verb}`));
}
const read = (user, conversation, body) => call('PUT', `/v2/conversations/${conversation}/mark_as_read`, { headers: as(user), body });
for (const timestamp of ['x', '', {}, [], true, '2020-02-30T25:61:61Z', 'x'.repeat(10_000)]) {
  bad(`marking as read at ${short(timestamp)} is refused`, 400, () => read(alice, group, { timestamp }));
}
bad('marking as read by someone who is not a member is refused', GONE, () => read(mallory, group, {}));
bad('a read mark of the far future is taken or refused', LOOSE, () => read(bob, group, { timestamp: '9999-12-31T23:59:59.999Z' }));
bad('a read mark of the far past is taken or refused', LOOSE, () => read(bob, group, { timestamp: '0001-01-01T00:00:00.000Z' }));
for (const verb of ['delete', 'delete_for_everyone']) {
  const path = `/v2/messages/${verb}`;
  bad(`${verb} without messageIds is refused`, 400, () => post(alice, path, {}));
  for (const value of lists) {
    bad(`${verb} of ${short(value)} is refused`, value?.[0] === '' ? BAD_ID : 400, () => post(alice, path, { messageIds: value }));
  }
  bad(`${verb} of 1,001 messages is refused`, BAD_ID, () => post(alice, path, { messageIds: many(1001) }));
  bad(`${verb} of an unknown message is refused`, 404, () => post(alice, path, { messageIds: [randomUUID()] }));
  bad(`${verb} by someone who is not a member is refused`, GONE, () => post(mallory, path, { messageIds: [message] }));
}
bad('the own copy of a public message is not deleted', 403, () => post(alice, '/v2/messages/delete', { messageIds: [hallMessage] }));
bad('the own copy of a public message is not deleted by another member', 403, () => post(bob, '/v2/messages/delete', { messageIds: [hallMessage] }));
bad('someone else\'s message is not recalled', 403, () => post(bob, '/v2/messages/delete_for_everyone', { messageIds: [message] }));
bad('a message one may not see is not recalled', GONE, () => post(bob, '/v2/messages/delete_for_everyone', { messageIds: [secretMessage] }));

// ---- conversations --------------------------------------------------------------------------------

const create = (body) => post(alice, '/v2/conversations', body);
const sound = { title: 'T', type: 'private', isGroup: true, members: [alice] };
for (const [key, values] of Object.entries({
  type: ['bogus', 1, {}], title: [1, {}, []], members: ['x', 1, {}, [1], [null], [{}]], isGroup: ['yes', 1, {}], config: ['x', 1, []], metaData: ['x', 1, []],
  customType: [1, {}], id: [1, {}, '', 'x'.repeat(5000)], createdAt: ['yesterday', {}], profileImageUrl: [1, {}],
})) {
  for (const value of values) {
    bad(`a conversation with ${key} ${short(value)} is not created`, 400, () => create({ ...sound, [key]: value }));
  }
}
bad('a group without a title is not created', 400, () => create({ ...sound, title: undefined }));
bad('a private conversation without members is not created', 400, () => create({ ...sound, members: undefined }));
bad('a private conversation of nobody is not created', 400, () => create({ ...sound, members: [] }));
bad('a conversation with an id that exists is not created', 400, () => create({ ...sound, id: group }));
bad('a conversation of 1 MB is not created', BIG, () => create({ ...sound, metaData: { a: 'x'.repeat(1_000_000) } }));
const at = (user, method, tail, body) => call(method, `/v2/conversations/${group}${tail}`, { headers: as(user), body });
bad('a title that is a number is refused', 400, () => at(alice, 'PUT', '/update_title', { title: 1 }));
bad('no title is refused', 400, () => at(alice, 'PUT', '/update_title', {}));
bad('a title by a plain member is refused', 403, () => at(bob, 'PUT', '/update_title', { title: 'mine' }));
bad('a title by someone who is not a member is refused', GONE, () => at(mallory, 'PUT', '/update_title', { title: 'mine' }));
bad('a mute that is no boolean is refused', 400, () => at(alice, 'PUT', '/update_settings', { mute: 'x' }));
bad('an update that is an array is refused', 400, () => at(alice, 'PUT', '', []));
for (const [tail, key] of [['/add_members', 'members'], ['/remove_members', 'members'], ['/ban', 'userIds']]) {
  for (const value of [undefined, 'x', 1, {}, [1], [null]]) {
    bad(`${tail} with ${key} ${short(value)} is refused`, 400, () => at(alice, 'POST', tail, { [key]: value }));
  }
  bad(`${tail} by a plain member is refused`, 403, () => at(bob, 'POST', tail, { [key]: [mallory] }));
  bad(`${tail} by someone who is not a member is refused`, GONE, () => at(mallory, 'POST', tail, { [key]: [mallory] }));
}
bad('a ban until a word is refused', 400, () => at(alice, 'POST', '/ban', { userIds: [mallory], expires: 'x' }));
bad('a ban for a number is refused', 400, () => at(alice, 'POST', '/ban', { userIds: [mallory], reason: 1 }));
bad('lifting a ban without a body is refused', 400, () => at(alice, 'DELETE', '/ban'));
bad('the owner is not removed by a plain member', 403, () => at(bob, 'POST', '/remove_members', { members: [alice] }));
bad('an admin without a name is refused', 400, () => at(alice, 'PUT', '/add_admin', {}));
bad('an admin who is not a member is refused', [400, 403, 404], () => at(alice, 'PUT', '/add_admin', { userId: mallory }));
bad('nobody makes themselves an admin', 403, () => at(bob, 'PUT', '/add_admin', { userId: bob }));
bad('typing with a word is refused', 400, () => at(alice, 'POST', '/send_typing_status', { isTyping: 'x' }));
bad('typing with nothing is refused', 400, () => at(alice, 'POST', '/send_typing_status', {}));
bad('a private conversation is not joined', GONE, () => at(mallory, 'POST', '/join'));
bad('a conversation one is not in is not left', [400, 403, 404], () => at(mallory, 'POST', '/leave'));
bad('a conversation one is not in is not deleted', GONE, () => at(mallory, 'DELETE', '/delete'));
bad('a conversation one is not in is not cleared', GONE, () => at(mallory, 'DELETE', '/clear'));
bad('a conversation one is not in is not read', GONE, () => at(mallory, 'GET', ''));
for (const tail of ['/messages', '/messages/count', '/members', '/watchers', '/ban']) {
  bad(`${tail} of a conversation one is not in is not read`, GONE, () => at(mallory, 'GET', tail));
}

// ---- users ----------------------------------------------------------------------------------------

const user = (path, body, who = alice) => post(who, `/v2/users${path}`, body);
for (const path of ['/block', '/unblock', '/add_friend', '/remove_friend', '/check_relationship_status']) {
  for (const value of [undefined, 1, {}, [], '']) {
    bad(`${path} of ${short(value)} is refused`, BAD_ID, () => user(path, { userId: value }));
  }
}
bad('an unknown user is not read', 404, () => call('GET', `/v2/users/${randomUUID()}`, { headers: as(alice) }));
bad('a friendship of type 7 is refused', 400, () => user('/add_friend', { userId: bob, type: 7 }));
bad('a user who is not oneself is not changed', 403, () => call('PUT', `/v2/users/${bob}`, { headers: as(alice), body: { displayName: 'Mine' } }));
bad('a name that is a number is refused', 400, () => call('PUT', `/v2/users/${alice}`, { headers: as(alice), body: { displayName: 1 } }));
for (const [name, body] of Object.entries({
  'no name': { id: `n-${run}` }, 'a name that is a number': { displayName: 1 }, 'an id that is a number': { id: 1, displayName: 'x' }, 'an empty id': { id: '', displayName: 'x' },
  'an id of 5,000 characters': { id: 'x'.repeat(5000), displayName: 'x' },
  'a password that is a number': { id: `p-${run}`, displayName: 'x', password: 1 },
})) {
  bad(`a user with ${name} is not created`, 400, () => call('POST', '/v2/users', { headers: asServer(), body }));
}
bad('a user with an id that exists is refused or that user', LOOSE, () => call('POST', '/v2/users', {
  headers: asServer(), body: { id: mallory, displayName: 'x' },
}));
bad('a guest without a name is refused', 400, () => call('POST', '/v2/users/create_guest', { headers: { 'public-key': 'p' }, body: {} }));
bad('a user does not make access tokens for others', [401, 403], () => user('/create_access_token', { userId: bob }));
bad('an access token for a number is refused', 400, () => call('POST', '/v2/users/create_access_token', { headers: asServer(), body: { userId: 1 } }));
bad('an access token for nobody is refused', 400, () => call('POST', '/v2/users/create_access_token', { headers: asServer(), body: {} }));
const login = (body) => call('POST', '/v2/users/login', { body });
bad('a login of an unknown e-mail is refused', 401, () => login({ authenticationType: 1, email: 'no@example.invalid', password: 'x' }));
bad('a login without a password is refused', [400, 401], () => login({ authenticationType: 1, email: 'no@example.invalid' }));
bad('a login with an empty password is refused', [400, 401], () => login({ authenticationType: 1, email: alice, password: '' }));
bad('a login of a user who has no password is refused', 401, () => login({ authenticationType: 1, email: alice, password: 'x' }));
bad('a login with a wrong token is refused', 401, () => login({ authenticationType: 0, userId: alice, pmClientServerToken: 'x' }));
bad('a login with another user\'s token is refused', 401, () => login({ authenticationType: 0, userId: alice, pmClientServerToken: tokens[bob] }));
bad('a login of type 7 is refused', 400, () => login({ authenticationType: 7, userId: alice, pmClientServerToken: tokens[alice] }));
bad('a login of nothing is refused', 400, () => login({}));
bad('a login with a number for a password is refused', [400, 401], () => login({ authenticationType: 1, email: alice, password: 1 }));
bad('a wrong access token is not verified', 401, () => user('/verify_access_token', { accessToken: 'x' }));
bad('an expired access token is not verified', 401, () => user('/verify_access_token', { accessToken: sign({ sub: alice, exp: soon() - 7200 }) }));
bad('no access token is not verified', [400, 401], () => user('/verify_access_token', {}));

// ---- the rest -------------------------------------------------------------------------------------

bad('all messages are not for users', GONE, () => call('GET', '/v2/messages', { headers: as(alice) }));

// ---- at the same time -----------------------------------------------------------------------------

const total = async (conversation = group) => {
  const got = await call('GET', `/v2/conversations/${conversation}/messages/count`, { headers: as(alice) });
  assert.equal(got.status, 200, got.text);
  return got.json.count;
};

test('hostile: twenty identical sends with one id are one message', async () => {
  const earlier = await total();
  const id = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => sendAs(alice, { id, conversationId: group, body: 'once', metaData: { a: [1] } })));
  for (const got of answers) assert.equal(got.status, 201, got.text);
  for (const got of answers) assert.deepEqual(got.json, answers[0].json);
  assert.equal(await total(), earlier + 1);
});

test('hostile: of ten different sends with one id exactly one is taken', async () => {
  const earlier = await total();
  const id = randomUUID();
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => sendAs(alice, { id, conversationId: group, body: `number ${n}` })));
  const taken = answers.filter((got) => got.status === 201);
  assert.equal(taken.length, 1, answers.map((got) => got.status).join(' '));
  for (const got of answers.filter((other) => other !== taken[0])) check(got, [400]);
  assert.equal(await total(), earlier + 1);
  const listed = await call('GET', `/v2/conversations/${group}/messages?ids=${id}`, { headers: as(alice) });
  assert.deepEqual(listed.json.map((entry) => entry.body), [taken[0].json.body]);
});

test('hostile: reactions at the same time are counted once per user', async () => {
  const { id } = await made(sendAs(alice, { conversationId: group, body: 'like?' }));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => post(n % 2 ? alice : bob, `/v2/messages/${id}/add_reaction`, { type: 'like' })));
  for (const got of answers) assert.equal(got.status, 204, got.text);
  const [seen] = (await call('GET', `/v2/conversations/${group}/messages?ids=${id}`, { headers: as(alice) })).json;
  assert.deepEqual(seen.reactionsCount, { like: 2 });
  assert.deepEqual([...seen.reactions.like].sort(), [alice, bob].sort());
});

test('hostile: first messages from both sides at the same time make one conversation', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2
    ? sendAs(alice, { userId: mallory, body: `a${n}` }) : sendAs(mallory, { userId: alice, body: `m${n}` }))));
  for (const got of answers) assert.equal(got.status, 201, got.text);
  assert.equal(new Set(answers.map((got) => got.json.conversationId)).size, 1, 'more than one private conversation of two');
  const listed = await call('GET', `/v2/conversations/${answers[0].json.conversationId}/messages?types=normal`, { headers: as(alice) });
  assert.equal(listed.json.length, 10);
});

test('hostile: replies at the same time are all counted by their parent', async () => {
  const { id } = await made(sendAs(alice, { conversationId: group, body: 'question' }));
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => sendAs(n % 2 ? alice : bob, { conversationId: group, parentId: id, body: `${n}` })));
  for (const got of answers) assert.equal(got.status, 201, got.text);
  const [seen] = (await call('GET', `/v2/conversations/${group}/messages?ids=${id}`, { headers: as(alice) })).json;
  assert.equal(seen.replyCount, 12);
});

test('hostile: recalls at the same time all succeed', async () => {
  const { id } = await made(sendAs(alice, { conversationId: group, body: 'oops' }));
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(alice, '/v2/messages/delete_for_everyone', { messageIds: [id] })));
  for (const got of answers) assert.deepEqual([got.status, got.json], [200, []]);
});

test('hostile: two hundred requests at the same time are all answered', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => (n % 4 === 0
    ? call('POST', '/v2/messages/send', { headers: as(alice), body: '{' })
    : call('GET', `/v2/conversations/${group}/messages?limit=5`, { headers: as(n % 2 ? alice : bob) }))));
  answers.forEach((got, n) => assert.equal(got.status, n % 4 === 0 ? 400 : 200, got.text));
});

// ---- the connection -------------------------------------------------------------------------------

const { hostname, port } = new URL(origin);

/** Writes bytes to a fresh connection and leaves, at once or when the server has answered. */
function abuse(bytes, { leave = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, hostname, () => {
      socket.write(bytes, () => leave && socket.destroy());
    });
    let text = '';
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('data', (data) => { text += data; });
    socket.on('error', (error) => (['ECONNRESET', 'EPIPE'].includes(error.code) ? undefined : reject(error)));
    socket.on('close', () => resolve(text));
  });
}

const send = (extra) => `POST /v2/messages/send HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokens[alice]}\r\ncontent-type: application/json\r\n${extra}`;
for (const [name, bytes, options] of [
  ['promises a body and leaves', () => `${send('content-length: 100\r\n\r\n')}{"body"`, { leave: true }],
  ['announces a body of 10 GB', () => `${send('content-length: 10000000000\r\n\r\n')}{`, { leave: true }],
  ['has a negative length', () => `${send('content-length: -5\r\nconnection: close\r\n\r\n')}{}`],
  ['has two lengths', () => `${send('content-length: 2\r\ncontent-length: 20\r\nconnection: close\r\n\r\n')}{}`],
  ['has a length and chunks', () => `${send('content-length: 2\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n')}0\r\n\r\n`],
  ['has a chunk of no size', () => `${send('transfer-encoding: chunked\r\nconnection: close\r\n\r\n')}zz\r\n{}\r\n0\r\n\r\n`],
  ['is not HTTP', () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
  ['has a head of 200 kB', () => send(`x-long: ${'x'.repeat(200_000)}\r\n\r\n`)],
  ['has a token of 20 kB', () => `GET /v2/conversations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${'a.'.repeat(10_000)}\r\nconnection: close\r\n\r\n`],
  ['has 500 headers', () => send(`${Array.from({ length: 500 }, (_, n) => `x-${n}: 1\r\n`).join('')}content-length: 2\r\nconnection: close\r\n\r\n{}`)],
  ['asks for a switch to a socket', () => `GET /v2/conversations HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`],
]) {
  test(`hostile: a connection that ${name} harms nobody`, { timeout: 20_000 }, async () => {
    const earlier = await counts();
    const text = await abuse(bytes(), options);
    assert.doesNotMatch(text.split('\r\n')[0], / 5\d\d /, text.slice(0, 200));
    assert.doesNotMatch(text.split('\r\n')[0], / (101|2\d\d) /, text.slice(0, 200));
    assert.deepEqual(await counts(), earlier);
  });
}

test('hostile: after all this the server is well', async () => {
  const health = await call('GET', '/healthz');
  assert.equal(health.status, 200);
  const sent = await sendAs(alice, { conversationId: group, body: 'still here' });
  assert.equal(sent.status, 201, sent.text);
  shapes.message(sent.json, { body: 'still here' });
});
