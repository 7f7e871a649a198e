// Drives the page in Chromium, with another user beside it over the API. Says what it saw, line by line.

'use strict';

const assert = require('node:assert/strict');
const { run, said, seen, withChromium } = require('../browser/chromium');

const base = process.env.SWITCHBOARD_URL;
const secret = process.env.SWITCHBOARD_SECRET;
const shots = process.env.SCREENSHOTS;

const asServer = (path, body, user) =>
  ask('POST', path, body, {
    authorization: `Basic ${Buffer.from(secret).toString('base64')}`,
    ...(user && { 'user-id': user }),
  });

async function ask(method, path, body, headers) {
  const reply = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

async function main() {
  for (const id of ['ann', 'bob']) {
    const user = { id, displayName: id === 'ann' ? 'Ann' : 'Bob', email: `${id}@example.org`, password: 'correct horse' };
    await asServer('/v2/users', user);
  }
  const asBob = (method, path, body) => ask(method, `/api/v1/${path}`, body, {
    authorization: `Basic ${Buffer.from(secret).toString('base64')}`, 'user-id': 'bob',
  });
  const { users } = await asBob('GET', 'users');
  const number = (name) => users.find((user) => user.userName === name).userId;
  const general = { displayName: 'General', members: [number('ann')] };
  const { room } = await asBob('POST', 'rooms', general);
  await asBob('POST', `rooms/${room.roomId}/messages`, { content: 'Hello from Bob' });

  await withChromium(async (open) => {
    const page = await open();
    const line = (text) => page.locator('#messages li', { hasText: text });

    await page.goto(`${base}/`);
    await page.fill('[name=userName]', 'ann');
    await page.fill('[name=password]', 'wrong');
    await page.click('#login button');
    await seen('a wrong password is refused in the API\'s words',
      page.getByText('The username or password is invalid.'));
    await page.fill('[name=password]', 'correct horse');
    await page.click('#login button');
    await seen('the socket opens with the cookie', page.locator('#link', { hasText: 'live' }));
    const cookies = await page.context().cookies();
    const cookie = cookies.find(({ name }) => name === 'VirolaUserSessionId');
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax' && !cookie.secure, JSON.stringify(cookie));
    await seen('the room is listed with what is unread',
      page.locator('#rooms button', { hasText: 'General' }).locator('.unread', { hasText: '1' }));
    await page.screenshot({ path: `${shots}/rooms.png` });

    await page.locator('#rooms button', { hasText: 'General' }).click();
    await seen('history is shown, and read', line('Hello from Bob').locator('.read', { hasText: 'read by Ann' }));
    await page.locator('#rooms .unread').filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
    said('nothing is unread any more');

    await page.fill('#send input', 'Hello from the page');
    await page.click('#send button');
    await seen('what is sent comes back as an event', line('Hello from the page'));
    await asBob('POST', `rooms/${room.roomId}/messages`, { content: 'A live answer' });
    await seen('what another writes arrives live', line('A live answer'));
    const { messages } = await asBob('GET', `rooms/${room.roomId}/messages`);
    const sent = messages.find(({ text }) => text === 'Hello from the page');
    await asBob('POST', `messages/${sent.messageId}/read`, {});
    await seen('the other\'s receipt is shown', line('Hello from the page').locator('.read', { hasText: 'read by Bob' }));
    const answer = messages.find(({ text }) => text === 'A live answer');
    await asBob('PUT', `messages/${answer.messageId}`, { content: 'An edited answer' });
    await seen('an edit is shown', line('An edited answer'));
    const made = await asBob('POST', 'rooms', { displayName: 'New Room', members: [number('ann')] });
    await seen('a new room appears', page.locator('#rooms button', { hasText: 'New Room' }));
    await asBob('PUT', `rooms/${made.room.roomId}`, { displayName: 'Updated Room Name' });
    await seen('and takes its new name', page.locator('#rooms button', { hasText: 'Updated Room Name' }));
    await page.screenshot({ path: `${shots}/chat.png` });

    await page.reload();
    await seen('the session outlives a reload', page.locator('#link', { hasText: 'live' }));
    await page.click('#logout');
    await seen('a logout leads back to the login', page.locator('#login button'));
    assert.equal((await fetch(`${base}/api/v1/status`, {
      headers: { cookie: `${cookie.name}=${cookie.value}` },
    })).status, 401);
    said('and its cookie opens nothing any more');
  });
}

run('events', main);
