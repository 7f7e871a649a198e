// What a reply must look like, key by key. Channelize's documentation decides; keys it shows in only
// one of its two message examples are required, keys that appear only in some cases are optional.
'use strict';

const assert = require('node:assert/strict');

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ATTACHMENT_ID = /^[0-9a-f]{24}$/;

function keys(object, required, optional, what) {
  assert.ok(object !== null && typeof object === 'object' && !Array.isArray(object), `${what} is not an object: ${JSON.stringify(object)}`);
  const have = new Set(Object.keys(object));
  const missing = required.filter((key) => !have.has(key));
  const unknown = [...have].filter((key) => !required.includes(key) && !optional.includes(key));
  assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, `keys of ${what}: ${JSON.stringify(object)}`);
}

function type(value, allowed, what) {
  const got = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  assert.ok(allowed.split('|').includes(got), `${what} is ${got}, wanted ${allowed}: ${JSON.stringify(value)}`);
}

function types(object, table, what) {
  for (const [key, allowed] of Object.entries(table)) {
    if (key in object) type(object[key], allowed, `${what}.${key}`);
  }
}

/** A user where a message or a reaction only names it. */
function mention(user, what) {
  keys(user, ['id', 'displayName', 'profileImageUrl'], [], what);
  types(user, { id: 'string', displayName: 'string', profileImageUrl: 'string|null' }, what);
}

const MESSAGE = [
  'id', 'conversationId', 'type', 'customType', 'isDeleted', 'encrypted', 'createdAt', 'updatedAt', 'body', 'ownerId',
  'reactionsCount', 'reactions', 'metaData', 'attachments', 'owner', 'mentionedUsers', 'replyCount', 'showInConversation', 'pinned',
];
const MESSAGE_SOMETIMES = ['parentId', 'parentMessage', 'originalMessageId', 'refMsgId', 'recipients', 'events'];

function message(value, expected = {}) {
  const what = 'the message';
  keys(value, MESSAGE, MESSAGE_SOMETIMES, what);
  types(value, {
    id: 'string', conversationId: 'string', type: 'string', customType: 'string|null', isDeleted: 'boolean', encrypted: 'boolean',
    body: 'string|null', ownerId: 'string', reactionsCount: 'object', reactions: 'object', metaData: 'object', attachments: 'array',
    mentionedUsers: 'array', replyCount: 'number', showInConversation: 'boolean', pinned: 'boolean', parentId: 'string|null',
    parentMessage: 'object|null', originalMessageId: 'string|null', recipients: 'array',
  }, what);
  assert.match(value.id, UUID, 'the message id');
  assert.match(value.createdAt, DATE, 'createdAt');
  assert.match(value.updatedAt, DATE, 'updatedAt');
  assert.ok(['normal', 'reply', 'forward', 'admin'].includes(value.type), `type ${value.type}`);
  mention(value.owner, 'the owner');
  assert.equal(value.owner.id, value.ownerId, 'owner.id');
  for (const attachment of value.attachments) {
    // The documented admin attachment carries no id; every other one does.
    if (value.type !== 'admin' || 'id' in attachment) assert.match(attachment.id, ATTACHMENT_ID, 'the attachment id');
    type(attachment.type, 'string', 'attachment.type');
  }
  for (const mentioned of value.mentionedUsers) {
    keys(mentioned, ['wordCount', 'order', 'userId', 'user'], [], 'a mentioned user');
    types(mentioned, { wordCount: 'number', order: 'number', userId: 'string' }, 'a mentioned user');
    mention(mentioned.user, 'a mentioned user');
    assert.equal(mentioned.user.id, mentioned.userId);
  }
  for (const [reaction, users] of Object.entries(value.reactions)) {
    type(users, 'array', `reactions.${reaction}`);
    assert.equal(value.reactionsCount[reaction], users.length, `reactionsCount.${reaction}`);
    assert.equal(new Set(users).size, users.length, `reactions.${reaction} names a user twice`);
  }
  for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(value[key], wanted, `message.${key}`);
  return value;
}

const USER = [
  'id', 'displayName', 'email', 'language', 'profileImageUrl', 'profileUrl', 'metaData', 'isOnline', 'lastSeen', 'visibility',
  'notification', 'role', 'isDeleted', 'isActive', 'createdAt', 'updatedAt',
];

/** A user object; `whole` wants every key of the SDK's model, which only the user itself may see. */
function user(value, expected = {}, { whole = false } = {}) {
  const what = 'the user';
  const always = ['id', 'displayName', 'profileImageUrl', 'role', 'createdAt', 'updatedAt'];
  keys(value, whole ? USER : always, [...USER, 'accessToken', 'friendshipStatus', 'hasBlocked', 'isBlocked'], what);
  types(value, {
    id: 'string', displayName: 'string', email: 'string|null', language: 'string|null', profileImageUrl: 'string|null',
    profileUrl: 'string|null', metaData: 'object|null', isOnline: 'boolean', lastSeen: 'string|null', visibility: 'boolean',
    notification: 'boolean', isDeleted: 'boolean', isActive: 'boolean',
  }, what);
  assert.ok(['user', 'guest', 'anonymous'].includes(value.role), `role ${value.role}`);
  assert.match(value.createdAt, DATE, 'createdAt');
  assert.match(value.updatedAt, DATE, 'updatedAt');
  for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(value[key], wanted, `user.${key}`);
  return value;
}

const CONVERSATION = [
  'id', 'type', 'config', 'customType', 'metaData', 'lastReadAt', 'title', 'isGroup', 'createdAt', 'updatedAt', 'memberCount', 'ownerId',
  'profileImageUrl', 'isActive', 'isAdmin', 'isDeleted', 'mute', 'unreadMessageCount', 'watchersCount',
];

function conversation(value, expected = {}) {
  const what = 'the conversation';
  keys(value, CONVERSATION, ['lastMessage', 'members', 'user', 'ban'], what);
  types(value, {
    id: 'string', config: 'object', customType: 'string|null', metaData: 'object', lastReadAt: 'object', title: 'string|null',
    isGroup: 'boolean', memberCount: 'number', ownerId: 'string|null', profileImageUrl: 'string|null', isActive: 'boolean',
    isAdmin: 'boolean', isDeleted: 'boolean', mute: 'boolean', unreadMessageCount: 'number', watchersCount: 'number',
    // The SDK reads `members.length` and would throw on null.
    members: 'array', lastMessage: 'object|null', user: 'object|null', ban: 'object|null',
  }, what);
  assert.ok(['private', 'public', 'open'].includes(value.type), `type ${value.type}`);
  assert.match(value.createdAt, DATE, 'createdAt');
  assert.match(value.updatedAt, DATE, 'updatedAt');
  for (const [id, read] of Object.entries(value.lastReadAt)) assert.match(read, DATE, `lastReadAt.${id}`);
  for (const member of value.members || []) membership(member);
  if (value.lastMessage && Object.keys(value.lastMessage).length > 0) message(value.lastMessage);
  for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(value[key], wanted, `conversation.${key}`);
  return value;
}

function membership(value, expected = {}) {
  type(value, 'object', 'the member');
  types(value, { userId: 'string', isAdmin: 'boolean', user: 'object' }, 'the member');
  for (const key of ['userId', 'isAdmin', 'user']) assert.ok(key in value, `the member lacks ${key}: ${JSON.stringify(value)}`);
  assert.equal(value.user.id, value.userId);
  type(value.user.displayName, 'string', 'member.user.displayName');
  for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(value[key], wanted, `member.${key}`);
  return value;
}

/** The body of every refusal, LoopBack's way; the SDK hands its inside to the caller. */
function refusal(body, status) {
  keys(body, ['error'], [], 'the refusal');
  keys(body.error, ['statusCode', 'name', 'message', 'code'], [], 'error');
  assert.equal(body.error.statusCode, status, 'error.statusCode');
  for (const key of ['name', 'message', 'code']) {
    type(body.error[key], 'string', `error.${key}`);
    assert.notEqual(body.error[key], '', `error.${key}`);
  }
  assert.doesNotMatch(body.error.message, /panicked|\.rs:|dynamo|sqlite|arn:aws|stack backtrace/i, 'the refusal shows the inside');
  return body.error;
}

const TEXT_MESSAGE = [
  'messageId', 'parentMessageId', 'userId', 'roomId', 'text', 'createdUtc', 'lastEditedUtc', 'lastModifiedUtc', 'markupType',
  'messageType', 'priority', 'commentCount', 'attachments', 'readTimestamps',
];

/** A message as the `events` dialect's socket carries it. */
function textMessage(value, expected = {}) {
  const what = 'the text message';
  keys(value, TEXT_MESSAGE, ['issueProperties', 'meetingProperties'], what);
  for (const key of ['messageId', 'parentMessageId', 'userId', 'roomId', 'createdUtc', 'lastModifiedUtc', 'commentCount']) {
    assert.ok(Number.isSafeInteger(value[key]), `${key} is not an integer: ${value[key]}`);
  }
  types(value, { lastEditedUtc: 'number|null', text: 'string', attachments: 'array', readTimestamps: 'array' }, what);
  assert.ok(Math.abs(value.createdUtc - Date.now()) < 60_000, `createdUtc is not now in ms: ${value.createdUtc}`);
  for (const read of value.readTimestamps) keys(read, ['userId', 'readUtc'], [], 'a read timestamp');
  const wanted = { markupType: 'TextPlain', messageType: 'Regular', priority: 'Normal', ...expected };
  for (const [key, want] of Object.entries(wanted)) assert.deepEqual(value[key], want, `${what}: ${key}`);
  return value;
}

const ROOM = [
  'roomId', 'displayName', 'roomType', 'createdUtc', 'lastModifiedUtc', 'unreadMessageCount', 'isArchived', 'isModerator', 'isPinned',
  'lastMessage',
];

/** A conversation as the `events` dialect's socket carries it. */
function room(value, expected = {}) {
  const what = 'the room';
  // The documentation's sample spells the display name `name`; both may be sent.
  keys(value, ROOM, ['name'], what);
  types(value, { displayName: 'string', isArchived: 'boolean', isModerator: 'boolean', isPinned: 'boolean', lastMessage: 'object|null' }, what);
  for (const key of ['roomId', 'createdUtc', 'lastModifiedUtc', 'unreadMessageCount']) {
    assert.ok(Number.isSafeInteger(value[key]), `${key} is not an integer: ${value[key]}`);
  }
  assert.ok(['Private', 'Public'].includes(value.roomType), `roomType ${value.roomType}`);
  if (value.lastMessage) keys(value.lastMessage, ['messageId', 'createdUtc'], ['userId'], 'lastMessage');
  for (const [key, wanted] of Object.entries(expected)) assert.deepEqual(value[key], wanted, `${what}: ${key}`);
  return value;
}

module.exports = {
  DATE, UUID, conversation, keys, membership, mention, message, refusal, room, textMessage, type, user,
};
