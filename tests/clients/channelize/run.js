// Channelize's own SDK against a running switchboard:
//
//   SWITCHBOARD_URL=… SWITCHBOARD_SECRET=… SWITCHBOARD_BIN=… node -r ./redirect.js run.js server|client
//
// `server` signs with the private key and acts for users, `client` signs in with users' tokens. The
// SDK is a singleton of either kind, so each mode is a process of its own. Statuses and bodies are
// asserted as they went over the wire, because the SDK drops what its models do not know.
'use strict';

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { randomUUID } = require('node:crypto');
const { wire } = require('./redirect');
const { agent, asServer, asUser, call, mint, secret } = require('./http');
const shapes = require('./shapes');
const { Events } = require('./socket');
const { client: Client, server: Server } = require('channelize-chat');

const mode = process.argv[2];
assert.ok(['server', 'client'].includes(mode), 'usage: run.js server|client');
const inServerMode = mode === 'server';
const inClientMode = !inServerMode;

const sdk = inServerMode
  ? new Server({ publicKey: 'public-key', privateKey: secret })
  : new Client({ publicKey: 'public-key' });
sdk.setLogLevel('none');

const run = `${mode}-${Date.now().toString(36)}`;
const id = (name) => `${name}-${run}`;
const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map(id);
const names = { [alice]: `Alice ${run}`, [bob]: `Bob ${run}`, [carol]: `Carol ${run}`, [dave]: `Dave ${run}` };
const picture = (user) => `https://example.invalid/${user}.jpg`;
const mention = (user) => ({ id: user, displayName: names[user], profileImageUrl: picture(user) });
const tokens = {};
const token = (user) => (tokens[user] ||= mint(user));

/** What the last request of the SDK was answered. */
function reply(status) {
  const last = wire.at(-1);
  assert.ok(last, 'the SDK sent nothing');
  const shown = `${last.method} ${last.path} answered ${last.raw.slice(0, 400)}`;
  if (status) assert.equal(last.status, status, shown);
  else assert.ok(last.status >= 200 && last.status < 300, `${last.status}: ${shown}`);
  if (last.status === 204) {
    assert.equal(last.raw, '', '204 has no body');
    return undefined;
  }
  if (last.raw === '') return undefined;
  assert.match(last.headers['content-type'] || '', /^application\/json/, shown);
  return JSON.parse(last.raw);
}

let current;

/** Makes this user the one who calls. */
async function as(user) {
  if (current === user) return;
  current = undefined;
  if (inServerMode) {
    await (sdk.connected ? sdk.setCurrentUser(user) : sdk.connect(user));
  } else {
    // Not `disconnect`: that logs out, which has its own case.
    if (sdk.connected) await sdk.__disconnect();
    await sdk.connect(user, token(user));
  }
  assert.equal(sdk.getCurrentUser().id, user);
  current = user;
}

/** The SDK rejects with the inside of the refusal. */
async function refused(status, promise) {
  const error = await promise.then(
    (value) => assert.fail(`wanted ${status}, but it was answered ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  if (error instanceof Error) throw error;
  const last = wire.at(-1);
  assert.equal(last.status, status, `${last.method} ${last.path} answered ${last.raw.slice(0, 400)}`);
  assert.match(last.headers['content-type'] || '', /^application\/json/);
  assert.deepEqual(error, shapes.refusal(JSON.parse(last.raw), status));
}

const { Message, Conversation, User, PushNotification, File: Files } = sdk;

async function conversation(user, conversationId, include) {
  await as(user);
  const model = await Conversation.getConversation(conversationId, include);
  shapes.conversation(reply(200), { id: conversationId });
  return model;
}

async function create(owner, data) {
  await as(owner);
  const model = await Conversation.createConversation(data);
  shapes.conversation(reply());
  return model;
}

async function group(title, owner, ...members) {
  return create(owner, { title, members: [owner, ...members], type: 'private', isGroup: true });
}

async function send(user, conversationId, data) {
  const room = await conversation(user, conversationId);
  const model = await room.sendMessage(typeof data === 'string' ? { body: data } : data);
  const raw = shapes.message(reply(201), { conversationId, ownerId: user });
  // Lists are ordered by time in ms; two sends must not share one.
  await sleep(3);
  return Object.assign(model, { raw });
}

/** The raw list, asked for by the SDK's query with these filters. */
async function list(user, conversationId, filters = {}) {
  const room = await conversation(user, conversationId);
  const query = Object.assign(room.createMessageListQuery(), filters);
  const models = await query.list();
  const raw = reply(200);
  assert.equal(models.length, raw.length);
  raw.forEach((message) => shapes.message(message, { conversationId }));
  return raw;
}

async function count(user, conversationId, filters = {}) {
  const room = await conversation(user, conversationId);
  const query = Object.assign(room.createMessageListQuery(), filters);
  const counted = await query.count();
  assert.deepEqual(reply(200), { count: counted.count });
  assert.ok(Number.isInteger(counted.count) && counted.count >= 0);
  return counted.count;
}

async function only(user, conversationId, messageId) {
  const found = await list(user, conversationId, { ids: messageId });
  assert.equal(found.length, 1, `message ${messageId} is not in the list`);
  return found[0];
}

async function unread(user) {
  await as(user);
  const counted = await Message.getTotalUnreadMessageCount();
  assert.deepEqual(reply(200), { count: counted.count });
  return counted.count;
}

const ids = (values) => values.map((value) => value.id);

// Node would give every case unlimited time; a hanging request is a failure.
const it = (name, body) => test(`${mode}: ${name}`, { timeout: 30_000 }, body);

after(() => {
  if (sdk.connected) sdk.__disconnect(() => {});
  agent.destroy();
});

// ---- users and sign-in ----------------------------------------------------------------------------

if (inServerMode) {
  it('the server creates users and reads them back whole', async () => {
    await sdk.connect();
    const data = (user) => ({
      id: user, displayName: names[user], email: `${user}@example.invalid`, password: `password of ${user}`,
      profileImageUrl: picture(user), metaData: { favourite: user },
    });
    const raw = {};
    for (const user of [alice, bob, carol, dave]) {
      const created = await User.createUser(data(user));
      assert.equal(created.id, user);
      raw[user] = reply();
    }
    for (const user of [alice, bob, carol, dave]) {
      const { password, ...shown } = data(user);
      shapes.user(raw[user], { ...shown, role: 'user', isDeleted: false, isActive: true });
      await User.get(user);
      shapes.user(reply(200), { ...shown, role: 'user', isDeleted: false, isActive: true });
      assert.ok(!wire.at(-1).raw.includes(password) && !/"password/i.test(wire.at(-1).raw), 'a password is never shown');
    }
    await sdk.setCurrentUser(alice);
    current = alice;
    assert.equal(wire.at(-1).requestHeaders.Authorization, `Basic ${Buffer.from(secret).toString('base64')}`);
  });

  it('an access token made by the server signs its user in', async () => {
    const made = await sdk.createAccessToken(alice);
    const raw = reply(201);
    assert.equal(raw.userId, alice);
    assert.equal(raw.ttl, 1_209_600);
    assert.match(raw.created, shapes.DATE);
    shapes.user(raw.user, { id: alice });
    for (const authorization of [`Bearer ${Buffer.from(made.id).toString('base64')}`, `Bearer ${made.id}`]) {
      const answer = await call('GET', '/v2/messages/unread/count', { headers: { authorization } });
      assert.equal(answer.status, 200, answer.text);
    }
  });

  it('the private key is accepted without, with a trailing and with a leading colon', async () => {
    for (const key of [secret, `${secret}:`, `:${secret}`]) {
      const authorization = `Basic ${Buffer.from(key).toString('base64')}`;
      const answer = await call('GET', '/v2/messages/unread/count', { headers: { authorization, 'user-id': alice } });
      assert.equal(answer.status, 200, answer.text);
    }
  });
} else {
  it('a user with a valid token exists from the first call on', async () => {
    const verified = {};
    for (const user of [alice, bob, carol, dave]) {
      await as(user);
      verified[user] = wire.at(-1);
      await sdk.getCurrentUser().updateInfo({ displayName: names[user], profileImageUrl: picture(user) });
      shapes.user(reply(200), { id: user, displayName: names[user], profileImageUrl: picture(user) });
    }
    for (const user of [alice, bob, carol, dave]) {
      const { path, requestHeaders, raw } = verified[user];
      assert.equal(path, '/v2/users/verify_access_token');
      assert.equal(requestHeaders.Authorization, undefined);
      shapes.user(JSON.parse(raw).user, { id: user, displayName: user, role: 'user' });
    }
  });

  it('a wrong token is not verified', async () => {
    await sdk.__disconnect();
    current = undefined;
    await refused(401, sdk.connect(alice, 'not-a-token'));
    assert.equal(sdk.connected, false);
  });

  it('signing in works by e-mail and password and by user id and token', async () => {
    const user = id('erin');
    const email = `${user}@example.invalid`;
    const made = await call('POST', '/v2/users', {
      headers: asServer(), body: { id: user, displayName: 'Erin Eck', email, password: 'correct horse' },
    });
    assert.ok(made.status === 200 || made.status === 201, made.text);
    const byPassword = await sdk.loginWithEmailPassword(email, 'correct horse');
    shapes.user(reply().user, { id: user, displayName: 'Erin Eck' });
    assert.equal(byPassword.userId, user);
    const byToken = await sdk.loginWithUserId(user, mint(user));
    shapes.user(reply().user, { id: user });
    for (const login of [byPassword, byToken]) {
      await sdk.connect(user, login.id);
      await Message.getTotalUnreadMessageCount();
      assert.deepEqual(reply(200), { count: 0 });
      await sdk.disconnect('device-1');
      assert.equal(wire.at(-1).path, '/v2/users/logout');
      reply();
      assert.equal(sdk.connected, false);
    }
    await refused(401, sdk.loginWithEmailPassword(email, 'wrong horse'));
    await refused(401, sdk.loginWithUserId(user, mint(alice)));
  });

  it('a guest gets an access token of its own', async () => {
    await sdk.connectAsGuest({ displayName: 'Gus Guest' });
    const guest = shapes.user(reply(), { displayName: 'Gus Guest', role: 'guest' });
    assert.equal(typeof guest.accessToken, 'string');
    await Message.getTotalUnreadMessageCount();
    assert.deepEqual(reply(200), { count: 0 });
    await sdk.disconnect();

    await sdk.connectAsAnonymous();
    await sdk.switchToGuest('Gina Guest');
    assert.match(wire.at(-1).requestHeaders['Anonymous-User-Id'], /^anonymous-\d+$/);
    shapes.user(reply(), { displayName: 'Gina Guest', role: 'guest' });
    await Message.getTotalUnreadMessageCount();
    reply(200);
    await sdk.disconnect();
  });
}

it('a user reads its own object whole', async () => {
  await as(dave);
  await User.get(dave);
  shapes.user(reply(200), { id: dave, displayName: names[dave], profileImageUrl: picture(dave) }, { whole: true });
});

it('a user changes its own object', async () => {
  await as(dave);
  const me = await User.get(dave);
  const changes = { language: 'de', profileUrl: 'https://example.invalid/dave', notification: false, visibility: false };
  await me.updateInfo(changes);
  shapes.user(reply(200), { id: dave, displayName: names[dave], ...changes });
  await me.updateInfo({ notification: true, visibility: true });
  shapes.user(reply(200), { language: 'de', notification: true, visibility: true });
});

it('users are found and listed', async () => {
  await as(alice);
  const query = Object.assign(User.createUserListQuery(), { search: names[bob], limit: 200, skip: 0 });
  await query.usersList();
  assert.equal(wire.at(-1).path, '/v2/users/');
  const found = reply(200);
  found.forEach((user) => shapes.user(user));
  assert.ok(ids(found).includes(bob), 'the search does not find bob');
  assert.ok(!ids(found).includes(carol), 'the search finds carol');
  await Object.assign(User.createUserListQuery(), { limit: 2 }).usersList();
  assert.equal(reply(200).length, 2);
  await refused(404, User.get(id('nobody')));
});

it('friends are listed and counted', async () => {
  await as(alice);
  await User.addFriend(bob);
  reply();
  await User.addFriend(carol, 1);
  reply();
  await User.createUserListQuery().friendsList();
  const friends = reply(200);
  friends.forEach((user) => shapes.user(user));
  assert.deepEqual(ids(friends).sort(), [bob, carol].sort());
  assert.deepEqual(await User.createUserListQuery().friendsCount(), { count: 2 });
  const related = await User.checkRelationshipStatus(bob);
  reply(200);
  shapes.type(related, 'object', 'the relationship');
  await as(bob);
  assert.deepEqual(await User.createUserListQuery().friendsCount(), { count: 1 });
  await as(alice);
  await User.removeFriend(bob);
  reply();
  await User.removeFriend(carol, 1);
  reply();
  assert.deepEqual(await User.createUserListQuery().friendsList(), []);
});

it('blocks are listed and counted', async () => {
  await as(alice);
  await User.block(dave);
  reply();
  await User.block(dave);
  reply();
  await User.createUserListQuery().blocksList();
  const blocked = reply(200);
  assert.deepEqual(ids(blocked), [dave]);
  shapes.user(blocked[0]);
  assert.deepEqual(await User.createUserListQuery().blocksCount(), { count: 1 });
  shapes.type(await User.checkRelationshipStatus(dave), 'object', 'the relationship');
  await User.unblock(dave);
  reply();
  assert.deepEqual(await User.createUserListQuery().blocksList(), []);
  assert.deepEqual(await User.createUserListQuery().blocksCount(), { count: 0 });
});

// ---- conversations --------------------------------------------------------------------------------

let team;

it('a private group is created with its members and settings', async () => {
  await as(alice);
  const data = {
    title: `Team ${run}`, members: [alice, bob, carol], type: 'private', isGroup: true, customType: 'team',
    metaData: { colour: 'red' }, config: { pin_messages: true, read_events: true }, profileImageUrl: 'https://example.invalid/team.png',
  };
  const created = await Conversation.createConversation({ ...data });
  team = created.id;
  const raw = shapes.conversation(reply(), {
    type: 'private', isGroup: true, title: data.title, customType: 'team', metaData: data.metaData, ownerId: alice, memberCount: 3,
    isAdmin: true, isDeleted: false, isActive: true, mute: false, unreadMessageCount: 0, profileImageUrl: data.profileImageUrl,
  });
  assert.equal(raw.config.pin_messages, true);
  const read = await conversation(alice, team, 'members');
  const { members } = reply(200);
  members.forEach((member) => shapes.membership(member));
  assert.deepEqual(members.map((member) => member.userId).sort(), [alice, bob, carol].sort());
  assert.equal(members.find((member) => member.userId === alice).isAdmin, true);
  assert.equal(members.find((member) => member.userId === bob).isAdmin, false);
  assert.equal(read.members.find((member) => member.userId === bob).user.displayName, names[bob]);
});

it('the creation of a group is told by an admin message', async () => {
  const [told] = await list(bob, team, { types: 'admin' });
  assert.ok(told, 'no admin message');
  shapes.message(told, { type: 'admin', ownerId: alice });
  const { type, adminMessageType, metaData } = told.attachments[0];
  assert.deepEqual({ type, adminMessageType }, { type: 'text', adminMessageType: 'admin_group_create' });
  assert.deepEqual(
    { subId: metaData.subId, subType: metaData.subType, objType: metaData.objType, objValues: metaData.objValues },
    { subId: alice, subType: 'user', objType: 'group', objValues: `Team ${run}` },
  );
  assert.equal(await unread(bob), 0, 'an admin message is never unread');
});

it('members are listed', async () => {
  const room = await conversation(bob, team);
  assert.deepEqual(room.members, []);
  const members = await new Promise((resolve, reject) => {
    room.getMembers((error, value) => (error ? reject(error) : resolve(value)));
  });
  assert.equal(wire.at(-1).path, `/v2/conversations/${team}/members`);
  members.forEach((member) => shapes.membership(member));
  assert.deepEqual(members.map((member) => member.userId).sort(), [alice, bob, carol].sort());
});

it('conversations are filtered, sorted, paged and counted', async () => {
  const other = await group(`Filter ${run}`, alice, bob);
  const hall = await create(alice, { title: `Hall ${run}`, type: 'public', members: [alice], customType: 'hall' });
  await as(alice);
  const ask = async (filters) => {
    const query = Object.assign(Conversation.createConversationListQuery(), filters);
    const models = await query.list();
    const raw = reply(200);
    assert.ok(Array.isArray(models));
    raw.forEach((value) => shapes.conversation(value));
    return raw;
  };
  const total = async (filters) => {
    const counted = await Object.assign(Conversation.createConversationListQuery(), filters).count();
    assert.deepEqual(reply(200), counted);
    return counted.count;
  };
  const mine = [team, other.id, hall.id];
  const table = [
    [{}, mine],
    [{ ids: `${team},${hall.id}` }, [team, hall.id]],
    [{ type: 'private' }, [team, other.id]],
    [{ type: 'public' }, [hall.id]],
    [{ customTypes: 'team,hall' }, [team, hall.id]],
    [{ search: `Filter ${run}` }, [other.id]],
    [{ isGroup: true }, mine],
    [{ isGroup: false }, []],
    [{ membersIncluded: carol }, [team]],
    [{ membersExactly: `${alice},${bob}` }, [other.id]],
  ];
  for (const [filters, expected] of table) {
    assert.deepEqual(ids(await ask(filters)).sort(), [...expected].sort(), JSON.stringify(filters));
    assert.equal(await total(filters), expected.length, `count ${JSON.stringify(filters)}`);
  }
  const ascending = ids(await ask({ sort: 'updatedAt ASC' }));
  assert.deepEqual(ids(await ask({ sort: 'updatedAt DESC' })), [...ascending].reverse());
  assert.deepEqual(ids(await ask({ sort: 'updatedAt ASC', limit: 1, skip: 1 })), [ascending[1]]);
  const [withMembers] = await ask({ ids: team, include: 'members' });
  assert.equal(withMembers.members.length, 3);
  await as(dave);
  assert.deepEqual(await ask({}), [], 'dave is a member of nothing');
});

it('a conversation is renamed, pictured, muted and updated', async () => {
  const room = await group('Before', alice, bob);
  await room.updateTitle('After');
  reply();
  await room.updateProfilePhoto('https://pictures.example.com/after.png');
  reply();
  await room.update({ metaData: { floor: 3 } });
  reply();
  await room.muteConversation();
  reply();
  await conversation(alice, room.id);
  shapes.conversation(reply(200), {
    title: 'After', profileImageUrl: 'https://pictures.example.com/after.png', metaData: { floor: 3 }, mute: true,
  });
  await conversation(bob, room.id);
  shapes.conversation(reply(200), { title: 'After', mute: false, isAdmin: false });
  await as(alice);
  await room.unmuteConversation();
  reply();
  await conversation(alice, room.id);
  shapes.conversation(reply(200), { mute: false });
});

it('members and admins come and go', async () => {
  const room = await group('Doors', alice, bob);
  await room.addMembers([carol, dave]);
  reply();
  await conversation(dave, room.id, 'members');
  shapes.conversation(reply(200), { memberCount: 4 });
  await as(alice);
  await room.addAdmin(bob);
  reply();
  await conversation(bob, room.id);
  shapes.conversation(reply(200), { isAdmin: true });
  await as(alice);
  await room.removeAdmin(bob);
  reply();
  await conversation(bob, room.id);
  shapes.conversation(reply(200), { isAdmin: false });
  await as(alice);
  await room.removeMembers([dave]);
  reply();
  await as(carol);
  await (await conversation(carol, room.id)).leave();
  reply();
  await conversation(alice, room.id, 'members');
  const { members } = shapes.conversation(reply(200), { memberCount: 2 });
  assert.deepEqual(members.map((member) => member.userId).sort(), [alice, bob].sort());
  if (inClientMode) {
    const answer = await call('GET', `/v2/conversations/${room.id}/messages`, { headers: asUser(token(dave)) });
    assert.ok([403, 404].includes(answer.status), `dave was removed, yet: ${answer.status} ${answer.text}`);
    await as(bob);
    const own = await conversation(bob, room.id);
    await refused(403, own.addMembers([dave]));
    await refused(403, own.updateTitle('Mine now'));
  }
});

it('anyone joins a public conversation, and a ban keeps them out', async () => {
  const hall = await create(alice, { title: `Open door ${run}`, type: 'public', members: [alice] });
  // Who is not a member finds a public conversation by the list, which is enough to join it.
  await as(dave);
  const query = Object.assign(Conversation.createConversationListQuery(), { publicMode: true, ids: hall.id });
  const [seen] = await query.list();
  assert.deepEqual(ids(reply(200)), [hall.id], 'the public conversation is not listed');
  shapes.conversation(reply(200)[0], { type: 'public', isAdmin: false });
  await seen.join();
  reply();
  await send(dave, hall.id, 'I am in');
  await as(alice);
  await hall.banUsers([dave], null, 'spam');
  reply();
  await hall.createBanListQuery().list();
  const banned = reply(200);
  shapes.type(banned, 'array', 'the ban list');
  assert.equal(banned.length, 1);
  assert.ok(JSON.stringify(banned[0]).includes(dave), `the ban list does not name dave: ${JSON.stringify(banned)}`);
  if (inClientMode) {
    await as(dave);
    await refused(403, seen.join());
    await refused(403, Message.sendMessage({ userId: alice, conversationId: hall.id, body: 'still here?' }));
  }
  await as(alice);
  await hall.unbanUsers([dave]);
  reply();
  assert.deepEqual(await hall.createBanListQuery().list(), []);
  await as(dave);
  await seen.join();
  reply();
  await seen.leave();
  reply();
});

it('an open conversation is watched', async () => {
  const square = await create(alice, { title: `Square ${run}`, type: 'open', config: { allow_watch: 'user' } });
  const seen = await conversation(carol, square.id);
  await seen.startWatching();
  reply();
  await seen.createWatchersListQuery().list();
  const watchers = reply(200);
  assert.deepEqual(ids(watchers), [carol]);
  await conversation(alice, square.id);
  shapes.conversation(reply(200), { watchersCount: 1 });
  await send(carol, square.id, 'anyone may speak here');
  await as(carol);
  await seen.stopWatching();
  reply();
  assert.deepEqual(await seen.createWatchersListQuery().list(), []);
});

it('typing is accepted', async () => {
  const room = await conversation(bob, team);
  await room.startTyping();
  reply();
  await room.stopTyping();
  reply();
});

it('clearing and deleting a conversation concern only the own copy', async () => {
  const room = await group('Short-lived', alice, bob);
  await send(alice, room.id, 'one');
  await send(bob, room.id, 'two');
  await as(alice);
  await room.clear();
  reply();
  assert.deepEqual(await list(alice, room.id), []);
  assert.equal(await count(alice, room.id), 0);
  assert.equal(await count(bob, room.id, { types: 'normal' }), 2);
  await as(alice);
  await room.delete();
  reply();
  const mine = async () => ids(await Object.assign(Conversation.createConversationListQuery(), { ids: room.id }).list());
  assert.deepEqual(await mine(), []);
  await as(bob);
  assert.deepEqual(await mine(), [room.id]);
  assert.equal(await count(bob, room.id, { types: 'normal' }), 2);
});

// ---- sending --------------------------------------------------------------------------------------

const image = {
  type: 'image', fileUrl: 'https://example.invalid/unnamed.jpg', name: 'unnamed.jpg', mimeType: 'image/jpeg', extension: 'jpg',
  size: 95860, thumbnailUrl: 'https://example.invalid/unnamed-thumbnail.png',
};
const location = {
  type: 'location', latitude: 37.7873589, longitude: -122.408227, title: 'Union Square', address: '320 Geary St, San Francisco 94102, United States',
};

it('a message with everything comes back with everything', async () => {
  const sent = await send(alice, team, {
    body: 'hi Bob Birk', customType: 'text', metaData: { tag: 1, deep: { list: [1, 'two', null] } }, attachments: [image],
    mentionedUsers: [{ userId: bob, order: 1, wordCount: 2 }, { userId: carol, order: 2, wordCount: 2 }], encrypted: true,
  });
  shapes.message(sent.raw, {
    type: 'normal', customType: 'text', isDeleted: false, encrypted: true, body: 'hi Bob Birk', ownerId: alice, reactionsCount: {},
    reactions: {}, metaData: { tag: 1, deep: { list: [1, 'two', null] } }, owner: mention(alice), replyCount: 0, showInConversation: true,
    pinned: false,
    mentionedUsers: [
      { wordCount: 2, order: 1, userId: bob, user: mention(bob) },
      { wordCount: 2, order: 2, userId: carol, user: mention(carol) },
    ],
  });
  const { id: attachmentId, ...attachment } = sent.raw.attachments[0];
  assert.ok(attachmentId);
  assert.deepEqual(attachment, image);
  assert.deepEqual(await only(bob, team, sent.id), sent.raw, 'the list shows what the send answered');
});

it('a message with only a body has the documented defaults', async () => {
  const sent = await send(bob, team, 'hi');
  shapes.message(sent.raw, {
    type: 'normal', customType: null, isDeleted: false, encrypted: false, body: 'hi', ownerId: bob, reactionsCount: {}, reactions: {},
    metaData: {}, attachments: [], mentionedUsers: [], replyCount: 0, showInConversation: true, pinned: false, owner: mention(bob),
  });
  assert.ok(Math.abs(Date.parse(sent.raw.createdAt) - Date.now()) < 10_000);
  assert.equal(sent.raw.createdAt, sent.raw.updatedAt);
});

it('attachments of every kind are kept as they came', async () => {
  const attachments = [
    image,
    location,
    {
      type: 'sticker', downsampledUrl: 'https://example.invalid/200_d.gif', originalUrl: 'https://example.invalid/200.gif',
      stillUrl: 'https://example.invalid/200_s.gif',
    },
    { type: 'document', name: 'a.pdf', size: 0 },
    { type: 'a kind of our own', nested: { keys: ['kept', 1.5, true, null] } },
  ];
  const sent = await send(alice, team, { attachments });
  assert.equal(sent.raw.body, null);
  assert.deepEqual(sent.raw.attachments.map(({ id: ignored, ...rest }) => rest), attachments);
  assert.equal(new Set(ids(sent.raw.attachments)).size, attachments.length);
  assert.deepEqual((await only(carol, team, sent.id)).attachments, sent.raw.attachments);
});

it('text of any script and size up to the limit comes back unchanged', async () => {
  const texts = [
    'emoji 👩‍👩‍👧‍👦 and flags 🇩🇪', 'עברית and العربية', 'combining e\u0301', 'quotes " \\ / </script>', ' space kept ', 'line\nbreak\ttab',
    '\u2028\u2029\u200b', 'x'.repeat(90_000),
  ];
  for (const body of texts) {
    const sent = await send(alice, team, body);
    assert.equal(sent.raw.body, body);
    assert.equal((await only(bob, team, sent.id)).body, body);
  }
});

it('a message keeps the id and the creation time it was sent with', async () => {
  const own = randomUUID();
  const sent = await send(alice, team, { id: own, body: 'mine', createdAt: '2020-01-29T05:29:43.233Z' });
  assert.equal(sent.id, own);
  assert.equal(sent.raw.createdAt, '2020-01-29T05:29:43.233Z');
  assert.ok(Math.abs(Date.parse(sent.raw.updatedAt) - Date.now()) < 10_000, 'updatedAt is the server\'s time');
});

it('an id sent again is a retry when the content is the same and refused otherwise', async () => {
  const own = randomUUID();
  const first = await send(alice, team, { id: own, body: 'once' });
  const total = await count(alice, team);
  const again = await send(alice, team, { id: own, body: 'once' });
  assert.deepEqual(again.raw, first.raw);
  const room = await conversation(alice, team);
  await refused(400, room.sendMessage({ id: own, body: 'something else' }));
  const others = await conversation(bob, team);
  await refused(400, others.sendMessage({ id: own, body: 'once' }));
  assert.equal(await count(alice, team), total);
  assert.deepEqual(await only(alice, team, own), first.raw);
});

it('a reply belongs to its parent', async () => {
  const parent = await send(alice, team, 'a question');
  const answer = await send(bob, team, { body: 'a reply', parentId: parent.id, showInConversation: false });
  shapes.message(answer.raw, { type: 'reply', parentId: parent.id, showInConversation: false, replyCount: 0 });
  if (answer.raw.parentMessage && Object.keys(answer.raw.parentMessage).length > 0) assert.equal(answer.raw.parentMessage.id, parent.id);
  await send(carol, team, { body: 'another', parentId: parent.id });
  shapes.message(await only(alice, team, parent.id), { replyCount: 2, type: 'normal', updatedAt: parent.raw.updatedAt });
  assert.deepEqual((await list(alice, team, { parentId: parent.id, sort: 'updatedAt ASC' })).map((reply_) => reply_.body), ['a reply', 'another']);
  assert.equal(await count(alice, team, { parentId: parent.id }), 2);
});

it('a message for some recipients is not there for the others', async () => {
  const before = { bob: await unread(bob), carol: await unread(carol), seen: await count(carol, team) };
  const sent = await send(alice, team, { body: 'for Bob only', recipients: [bob] });
  await only(alice, team, sent.id);
  await only(bob, team, sent.id);
  assert.deepEqual(await list(carol, team, { ids: sent.id }), []);
  assert.equal(await count(carol, team), before.seen);
  assert.equal(await unread(bob), before.bob + 1);
  assert.equal(await unread(carol), before.carol);
});

it('a message that says so does not count as unread', async () => {
  const before = await unread(bob);
  await send(alice, team, { body: 'quietly', events: { sendPushNotification: false, updateUnreadCount: false } });
  assert.equal(await unread(bob), before);
  await send(alice, team, { body: 'loudly', events: { updateUnreadCount: true } });
  assert.equal(await unread(bob), before + 1);
});

it('an admin message is sent as one', async () => {
  const attachment = {
    type: 'text', adminMessageType: 'admin_call_voice_missed', metaData: { subId: alice, subType: 'user', objType: 'user', objValues: bob },
  };
  const sent = await send(alice, team, { type: 'admin', attachments: [attachment] });
  const { id: ignored, ...kept } = sent.raw.attachments[0];
  assert.equal(sent.raw.type, 'admin');
  assert.deepEqual(kept, attachment);
});

it('the first message to a user makes their private conversation, and later ones find it', async () => {
  await as(alice);
  const first = await Message.sendMessage({ userId: bob, body: 'first contact' });
  shapes.message(reply(201), { body: 'first contact', ownerId: alice, type: 'normal' });
  const direct = first.conversationId;
  const again = await Message.sendMessage({ userId: bob, body: 'again' });
  assert.equal(again.conversationId, direct);
  await as(bob);
  const back = await Message.sendMessage({ userId: alice, body: 'back' });
  assert.equal(back.conversationId, direct);
  await conversation(alice, direct);
  const seen = shapes.conversation(reply(200), { type: 'private', isGroup: false, memberCount: 2 });
  assert.equal(seen.user.id, bob, 'user is the other one');
  await conversation(bob, direct);
  assert.equal(reply(200).user.id, alice);
});

it('a conversation id wins over a user id', async () => {
  await as(alice);
  const sent = await Message.sendMessage({ userId: carol, conversationId: team, body: 'to the team' });
  shapes.message(reply(201), { conversationId: team });
  assert.equal(sent.conversationId, team);
});

it('a broadcast reaches every conversation or user it names', async () => {
  const second = await group('Second', alice, carol);
  await as(alice);
  assert.deepEqual(await Message.broadcast([], [team, second.id], { body: `news ${run}`, metaData: { n: 1 } }), []);
  assert.deepEqual(reply(200), []);
  for (const target of [team, second.id]) {
    const [newest] = await list(carol, target, { types: 'normal', limit: 1 });
    shapes.message(newest, { body: `news ${run}`, ownerId: alice, metaData: { n: 1 } });
  }
  await as(alice);
  assert.deepEqual(await Message.broadcast([bob, dave], null, { body: `personally ${run}`, attachments: [location] }), []);
  assert.deepEqual(reply(200), []);
  for (const user of [bob, dave]) {
    await as(user);
    const answer = await Message.sendMessage({ userId: alice, body: 'thanks' });
    const found = await list(user, answer.conversationId, { ownerIds: alice, types: 'normal', limit: 1 });
    assert.equal(found.length, 1);
    shapes.message(found[0], { body: `personally ${run}` });
    assert.equal(found[0].attachments[0].type, 'location');
  }
});

it('a forwarded message is a new one of the forwarder', async () => {
  const source = await send(bob, team, { body: 'worth sharing', attachments: [image], metaData: { kept: true } });
  const other = await send(bob, team, 'this too');
  const second = await group('Forwarded to', alice, dave);
  await as(alice);
  assert.equal(await Message.forwardMessages([source.id, other.id], [], [second.id]), '');
  reply(204);
  const found = await list(dave, second.id, { types: 'forward', sort: 'updatedAt ASC' });
  assert.deepEqual(found.map((message) => message.body).sort(), ['this too', 'worth sharing']);
  const copy = found.find((message) => message.body === 'worth sharing');
  shapes.message(copy, { type: 'forward', ownerId: alice, originalMessageId: source.id, conversationId: second.id });
  assert.notEqual(copy.id, source.id);
  assert.equal(copy.attachments[0].fileUrl, image.fileUrl);
  await as(alice);
  assert.equal(await Message.forwardMessages([source.id], [dave], []), '');
  reply(204);
  await as(dave);
  const answer = await Message.sendMessage({ userId: alice, body: 'seen' });
  const [shared] = await list(dave, answer.conversationId, { types: 'forward' });
  shapes.message(shared, { body: 'worth sharing', originalMessageId: source.id, ownerId: alice });
});

it('what is neither body nor attachment is refused by the SDK itself and by the server', async () => {
  const room = await conversation(alice, team);
  await assert.rejects(room.sendMessage({}), /One of Body or Attachments is required/);
  await refused(400, room.sendMessage({ attachments: [] }));
});

it('a message to an unknown conversation is refused in the SDK\'s words', async () => {
  await as(alice);
  await refused(404, Message.sendMessage({ userId: alice, conversationId: id('nowhere'), body: 'hello?' }));
});

// ---- listing --------------------------------------------------------------------------------------

it('messages are filtered, sorted, paged and counted', async () => {
  const room = (await group('Library', alice, bob, carol)).id;
  const made = {};
  made.first = await send(alice, room, { body: 'first', customType: 'a' });
  made.photo = await send(bob, room, { body: 'photo', attachments: [image] });
  made.reply = await send(bob, room, { body: 'reply', parentId: made.first.id, showInConversation: false });
  made.place = await send(carol, room, { attachments: [location], customType: 'b' });
  made.both = await send(alice, room, { body: 'both', attachments: [location, image] });
  await as(alice);
  await Message.forwardMessages([made.photo.id], [], [room]);
  reply(204);
  const [forwarded] = await list(alice, room, { types: 'forward' });
  made.forwarded = { id: forwarded.id };
  await as(alice);
  const photo = (await Object.assign((await conversation(alice, room)).createMessageListQuery(), { ids: made.photo.id }).list())[0];
  await photo.pin();
  reply(204);
  await photo.addReaction({ type: 'like' });
  reply(204);

  const name = new Map(Object.entries(made).map(([key, value]) => [value.id, key]));
  const order = ['first', 'photo', 'reply', 'place', 'both', 'forwarded'];
  const said = 'normal,reply,forward';
  const table = [
    [{ types: said }, order],
    [{ types: 'normal' }, ['first', 'photo', 'place', 'both']],
    [{ types: 'reply' }, ['reply']],
    [{ types: 'forward,reply' }, ['reply', 'forwarded']],
    [{ customTypes: 'a' }, ['first']],
    [{ customTypes: 'b,a' }, ['first', 'place']],
    [{ customTypes: 'none such' }, []],
    [{ attachmentTypes: 'image' }, ['photo', 'both', 'forwarded']],
    [{ attachmentTypes: 'location' }, ['place', 'both']],
    [{ attachmentTypes: 'location,image' }, ['photo', 'place', 'both', 'forwarded']],
    [{ ownerIds: bob }, ['photo', 'reply']],
    [{ ownerIds: `${carol},${bob}` }, ['photo', 'reply', 'place']],
    [{ ownerIds: alice, types: said }, ['first', 'both', 'forwarded']],
    [{ parentId: made.first.id }, ['reply']],
    [{ showInConversation: false }, ['reply']],
    [{ showInConversation: true, types: said }, order.filter((key) => key !== 'reply')],
    [{ pinned: true }, ['photo']],
    [{ pinned: false, types: said }, order.filter((key) => key !== 'photo')],
    [{ ids: `${made.place.id},${made.first.id}` }, ['first', 'place']],
    [{ ids: made.first.id, ownerIds: bob }, []],
    [{ ids: randomUUID() }, []],
    [{ attachmentTypes: 'image', ownerIds: alice, types: 'normal' }, ['both']],
  ];
  const named = (raw) => raw.map((message) => name.get(message.id) || message.type);
  for (const [filters, expected] of table) {
    const shown = JSON.stringify(filters);
    assert.deepEqual(named(await list(alice, room, filters)), [...expected].reverse(), `newest first: ${shown}`);
    assert.deepEqual(named(await list(alice, room, { ...filters, sort: 'updatedAt ASC' })), expected, `oldest first: ${shown}`);
    assert.equal(await count(alice, room, filters), expected.length, `count: ${shown}`);
  }
  assert.deepEqual(named(await list(alice, room, { types: said, sort: 'updatedAt ASC', limit: 2, skip: 1 })), order.slice(1, 3));
  assert.deepEqual(named(await list(alice, room, { types: said, sort: 'updatedAt DESC', limit: 2 })), ['forwarded', 'both']);
  assert.deepEqual(await list(alice, room, { types: said, skip: 6 }), []);
  assert.equal((await list(alice, room, { limit: 200 })).length, await count(alice, room));
  // Paging through gives every message once.
  const paged = [];
  for (let skip = 0; skip < 8; skip += 2) paged.push(...named(await list(alice, room, { types: said, limit: 2, skip })));
  assert.deepEqual(paged, [...order].reverse());
});

it('a list without a limit holds fifty', async () => {
  const room = (await group('Long', alice, bob)).id;
  const model = await conversation(alice, room);
  for (let n = 0; n < 55; n += 1) await model.sendMessage({ body: `${n}` });
  const page = await list(bob, room, { types: 'normal' });
  assert.equal(page.length, 50);
  assert.equal((await list(bob, room, { types: 'normal', skip: 50 })).length, 5);
  assert.equal(await count(bob, room, { types: 'normal' }), 55);
});

// ---- reactions and pins ---------------------------------------------------------------------------

async function found(user, conversationId, messageId) {
  const room = await conversation(user, conversationId);
  return (await Object.assign(room.createMessageListQuery(), { ids: messageId }).list())[0];
}

it('reactions are added once per user and type, listed and removed', async () => {
  const sent = await send(alice, team, 'like it?');
  for (const user of [bob, carol, bob]) {
    const message = await found(user, team, sent.id);
    assert.equal(await message.addReaction({ type: 'like' }), '');
    reply(204);
  }
  await (await found(alice, team, sent.id)).addReaction({ type: '🎉 party' });
  reply(204);
  const message = await only(alice, team, sent.id);
  assert.deepEqual(message.reactionsCount, { like: 2, '🎉 party': 1 });
  assert.deepEqual([...message.reactions.like].sort(), [bob, carol].sort());
  assert.equal(message.updatedAt, sent.raw.updatedAt, 'a reaction does not move a message');

  const query = (filters) => Object.assign(sent.createReactionUserListQuery(), filters);
  const users = await query({ type: 'like' }).list();
  const raw = reply(200);
  raw.forEach((user) => shapes.mention(user, 'who reacted'));
  assert.deepEqual([...raw].sort((a, b) => (a.id < b.id ? -1 : 1)), [mention(bob), mention(carol)].sort((a, b) => (a.id < b.id ? -1 : 1)));
  assert.equal(users.length, 2);
  assert.deepEqual(ids(await query({ type: 'like', limit: 1, skip: 1 }).list()), [raw[1].id]);
  assert.deepEqual(await query({ type: 'dislike' }).list(), []);

  const byBob = await found(bob, team, sent.id);
  assert.equal(await byBob.removeReaction({ type: 'like' }), '');
  reply(204);
  await byBob.removeReaction({ type: 'like' });
  reply(204);
  assert.equal((await only(alice, team, sent.id)).reactionsCount.like, 1);
  await (await found(carol, team, sent.id)).removeReaction({ type: 'like' });
  assert.deepEqual((await only(alice, team, sent.id)).reactionsCount, { '🎉 party': 1 });
});

it('a reaction needs a type and an existing message', async () => {
  const sent = await send(alice, team, 'no reaction');
  await refused(400, sent.addReaction({}));
  await refused(400, sent.removeReaction({}));
  sent.id = randomUUID();
  await refused(404, sent.addReaction({ type: 'like' }));
  if (inClientMode) {
    const real = await send(alice, team, 'members only');
    await as(dave);
    await refused(403, real.addReaction({ type: 'like' }));
  }
});

it('admins pin and unpin', async () => {
  const sent = await send(bob, team, 'important');
  const byAlice = await found(alice, team, sent.id);
  assert.equal(await byAlice.pin(), '');
  reply(204);
  assert.equal(wire.at(-1).requestHeaders['Content-Type'], 'application/x-www-form-urlencoded');
  shapes.message(await only(bob, team, sent.id), { pinned: true, updatedAt: sent.raw.updatedAt });
  assert.ok(ids(await list(bob, team, { pinned: true })).includes(sent.id));
  await as(alice);
  await byAlice.pin();
  reply(204);
  assert.equal(await byAlice.unpin(), '');
  reply(204);
  shapes.message(await only(bob, team, sent.id), { pinned: false });
  if (inClientMode) {
    const byBob = await found(bob, team, sent.id);
    await refused(403, byBob.pin());
    await refused(403, byBob.unpin());
  }
});

// ---- read marks -----------------------------------------------------------------------------------

it('marking as read moves the mark and the unread counts', async () => {
  const room = (await group('Reading', alice, bob, carol)).id;
  const before = await unread(bob);
  const one = await send(alice, room, 'one');
  const two = await send(alice, room, 'two');
  await send(bob, room, 'my own is not unread');
  await send(alice, room, 'three');
  assert.equal(await unread(bob), before + 3);
  const model = await conversation(bob, room);
  assert.equal(reply(200).unreadMessageCount, 3);
  assert.equal(await model.markAsRead(two.raw.createdAt), '');
  reply(204);
  assert.equal(await unread(bob), before + 1);
  await as(bob);
  await model.markAsRead();
  reply(204);
  assert.equal(await unread(bob), before);

  const seen = await conversation(alice, room);
  const raw = reply(200);
  assert.match(raw.lastReadAt[bob], shapes.DATE);
  assert.ok(raw.lastReadAt[bob] >= one.raw.createdAt);
  assert.ok(bob in seen.getReadMembers(one));
  assert.equal(seen.readByAllMembers(one), !Object.keys(raw.lastReadAt).some((user) => user !== alice && raw.lastReadAt[user] <= one.raw.createdAt));
  assert.equal(await unread(carol) >= 3, true);

  // An older mark never takes the newer one back.
  await as(bob);
  await model.markAsRead('2020-01-29T05:29:43.233Z');
  reply(204);
  assert.equal(await unread(bob), before);
});

it('marking as read needs no timestamp and no body', async () => {
  for (const body of ['{}', undefined]) {
    await send(alice, team, 'unread for a moment');
    assert.ok(await unread(bob) > 0);
    const headers = inServerMode ? asServer(bob) : asUser(token(bob));
    const answer = await call('PUT', `/v2/conversations/${team}/mark_as_read`, { headers, body });
    assert.equal(answer.status, 204, answer.text);
    const left = await conversation(bob, team);
    assert.equal(left.unreadMessageCount, 0);
  }
});

// ---- deleting and recalling -----------------------------------------------------------------------

it('deleting concerns only the own copy', async () => {
  const one = await send(alice, team, 'bob will not keep this');
  const two = await send(alice, team, 'nor that');
  const before = await unread(bob);
  const total = await count(bob, team);
  await as(bob);
  assert.equal(await Message.deleteMessagesForMe([one.id]), '');
  reply(204);
  const message = await found(bob, team, two.id);
  assert.equal(await message.deleteForMe(), '');
  reply(204);
  await message.deleteForMe();
  reply(204);
  assert.deepEqual(await list(bob, team, { ids: `${one.id},${two.id}` }), []);
  assert.equal(await count(bob, team), total - 2);
  assert.equal(await unread(bob), before - 2, 'what is deleted is not unread');
  assert.deepEqual(await only(alice, team, one.id), one.raw);
});

it('a recalled message stays in the lists as deleted, without its content', async () => {
  const one = await send(alice, team, { body: 'oops', attachments: [image] });
  const two = await send(alice, team, 'oops again');
  const total = await count(bob, team);
  await as(alice);
  assert.deepEqual(await Message.deleteMessagesForEveryone([one.id]), []);
  assert.deepEqual(reply(200), []);
  assert.deepEqual(await two.deleteForEveryone(), []);
  assert.deepEqual(reply(200), []);
  assert.deepEqual(await two.deleteForEveryone(), [], 'a recall repeated succeeds again');
  assert.deepEqual(reply(200), []);
  for (const user of [alice, bob]) {
    for (const sent of [one, two]) {
      const left = shapes.message(await only(user, team, sent.id), { isDeleted: true, attachments: [], updatedAt: sent.raw.updatedAt });
      assert.ok(left.body === null || left.body === '', `the body is still there: ${left.body}`);
      assert.doesNotMatch(JSON.stringify(left), /oops/);
    }
  }
  assert.equal(await count(bob, team), total);
  if (inClientMode) {
    const other = await send(alice, team, 'not yours');
    await as(bob);
    await refused(403, Message.deleteMessagesForEveryone([other.id]));
    shapes.message(await only(bob, team, other.id), { isDeleted: false, body: 'not yours' });
  }
});

it('unknown messages are neither deleted nor recalled', async () => {
  await as(alice);
  await refused(404, Message.deleteMessagesForMe([randomUUID()]));
  await refused(404, Message.deleteMessagesForEveryone([randomUUID()]));
});

// ---- the events socket ----------------------------------------------------------------------------

// Says something that the listener does hear: all that was said before has been delivered by then.
async function last(from, to, events) {
  const body = `the last word ${randomUUID()}`;
  const headers = { authorization: `Bearer ${token(from)}` };
  const sent = await call('POST', '/v2/messages/send', { headers, body: { userId: to, body } });
  assert.equal(sent.status, 201, sent.text);
  await events.take('TextMessagesCreated', ({ messages }) => messages[0].text === body);
}

it('a member\'s events socket hears what the SDK does, whole', async (context) => {
  const events = await Events.open(token(bob));
  context.after(() => events.close());
  const room = await group('Heard', alice, bob);
  const created = await events.take('RoomCreated', ({ room: { displayName } }) => displayName === 'Heard');
  const { roomId } = shapes.room(created.room, {
    roomType: 'Private', unreadMessageCount: 0, isArchived: false, isModerator: false, isPinned: false,
  });

  const sent = await send(alice, room.id, { body: 'hear me', metaData: { kept: 'by every dialect' } });
  const heard = await events.take('TextMessagesCreated', ({ messages }) => messages[0].text === 'hear me');
  assert.equal(heard.messages.length, 1);
  const text = shapes.textMessage(heard.messages[0], {
    roomId, parentMessageId: 0, text: 'hear me', commentCount: 0, attachments: [],
  });
  const counted = await events.take('RoomUpdated', (data) => data.room.lastMessage?.messageId === text.messageId);
  shapes.room(counted.room, { roomId, displayName: 'Heard', unreadMessageCount: 1 });

  await send(alice, room.id, { body: 'and this', parentId: sent.id });
  const comment = await events.take('TextMessagesCreated', ({ messages }) => messages[0].text === 'and this');
  shapes.textMessage(comment.messages[0], { roomId, parentMessageId: text.messageId, userId: text.userId });
  assert.ok(comment.messages[0].messageId > text.messageId, 'message ids grow');
  const parent = await events.take('TextMessagesUpdated', ({ messages }) => messages[0].messageId === text.messageId);
  shapes.textMessage(parent.messages[0], { commentCount: 1, text: 'hear me' });

  await as(bob);
  await (await conversation(bob, room.id)).markAsRead();
  const read = await events.take('RoomUpdated', (data) => data.room.roomId === roomId && data.room.unreadMessageCount === 0);
  shapes.room(read.room, { displayName: 'Heard' });

  await as(alice);
  assert.deepEqual(await Message.deleteMessagesForEveryone([sent.id]), []);
  const deleted = await events.take('TextMessageDeleted');
  assert.deepEqual(deleted, { parentMessageId: 0, roomId, messageId: text.messageId });

  await as(alice);
  await room.updateTitle('Heard again');
  const renamed = await events.take('RoomUpdated', (data) => data.room.displayName === 'Heard again');
  shapes.room(renamed.room, { roomId, roomType: 'Private' });

  await room.removeMembers([bob]);
  assert.deepEqual(await events.take('RoomDeleted'), { roomId });
  await send(alice, room.id, 'bob is gone');
  await last(alice, bob, events);
  assert.ok(!JSON.stringify(events.frames).includes('bob is gone'), 'a removed member still hears');
});

it('someone who is not a member hears nothing', async (context) => {
  const events = await Events.open(token(dave));
  context.after(() => events.close());
  await send(alice, team, 'not for dave');
  await last(alice, dave, events);
  assert.deepEqual(events.frames.filter((frame) => JSON.stringify(frame).includes('not for dave')), []);
});
