// Three visitors chat with the released client. Says what they saw, line by line.

'use strict';

const assert = require('node:assert/strict');
const { run, said, seen, withChromium } = require('../browser/chromium');
const { ask, start } = require('./application');

const shots = process.env.SCREENSHOTS;
const system = (channel, text) => ask('POST', '/message', [{ user: 'system', channel, message: { text } }]);
const line = (page, text) => page.locator('#messages li', { hasText: text });
const note = (page, text, what) => line(page, text).locator('.note', { hasText: what });
const user = (page, name) => page.locator('#users li', { hasText: name });

async function enter(page, url, name, poll = false) {
  await page.goto(url);
  await page.fill('[name=username]', name);
  if (poll) await page.check('[name=poll]');
  await page.click('#login button');
  await page.locator('#link.live').waitFor();
}

async function say(page, text, to = '') {
  await page.fill('#send [name=text]', text);
  await page.fill('#send [name=to]', to);
  await page.click('#send button');
}

async function main() {
  let missed = null;
  const application = await start(async (name) => {
    if (name !== missed) return;
    await system('lobby', `You were away, ${name}`);
    await ask('POST', '/message', [{ user: 'system', pm_users: [name], message: { text: 'Between us' } }]);
  });
  try {
    await withChromium(async (open) => {
      await ask('POST', '/channel_config', { lobby: { store_history: true, notify_presence: true, notify_state: true,
        broadcast_presence_with_user_lists: true } });
      await system('lobby', 'Welcome to the lobby');
      const [ann, bob, cat] = [await open(), await open(), await open()];

      await enter(ann, application.url, 'Ann');
      said('the client connects and opens its socket');
      await seen('the history comes with the connection', line(ann, 'Welcome to the lobby'));
      await enter(bob, application.url, 'Bob');
      await seen('somebody who comes is shown to who is there', user(ann, 'Bob'));
      await seen('and sees who was there', user(bob, 'Ann'));
      await enter(cat, application.url, 'Cat', true);
      await seen('one who polls is there too', user(bob, 'Cat'));

      await say(ann, 'Good morning');
      for (const page of [ann, bob, cat]) await line(page, 'Good morning').waitFor();
      said('a message reaches everybody, by socket and by poll');
      await line(ann, 'Good morning').getByText('edit').click();
      for (const page of [ann, bob, cat]) await note(page, 'Good morning, corrected', 'edited').waitFor();
      said('an edit reaches everybody');
      await say(bob, 'A slip');
      await line(ann, 'A slip').waitFor();
      await line(bob, 'A slip').getByText('delete').click();
      for (const page of [ann, bob, cat]) await line(page, 'A slip').waitFor({ state: 'detached' });
      said('what is deleted goes from every page');

      await say(ann, 'Only for you', 'Bob');
      await seen('a private message reaches whom it is for', note(bob, 'Only for you', 'private'));
      await say(bob, 'For all again');
      await line(cat, 'For all again').waitFor();
      assert.equal(await line(cat, 'Only for you').count(), 0);
      said('and nobody else');

      await ann.fill('#join [name=channel]', 'side');
      await ann.click('#join button');
      await seen('a subscription is confirmed', ann.locator('#channels', { hasText: 'lobby side' }));
      await system('side', 'Aside');
      await seen('and its channel is heard', note(ann, 'Aside', 'side'));
      assert.equal(await line(bob, 'Aside').count(), 0);
      await ann.evaluate(() => window.connection.unsubscribe(['side']));
      await ann.locator('#channels', { hasText: /^lobby$/ }).waitFor();
      await system('side', 'Unheard');
      await system('lobby', 'Heard');
      await line(ann, 'Heard').waitFor();
      assert.equal(await line(ann, 'Unheard').count(), 0);
      said('until it is left');

      await bob.fill('#state input', 'green');
      await bob.click('#state button');
      await seen('a public state is told', user(ann, 'Bob').locator('.colour', { hasText: 'green' }));
      assert.ok(!(await ann.content()).includes('@example.org'));
      said('a private one is not');

      missed = 'Bob';
      await bob.evaluate(() => window.connection.websocket.close());
      await seen('after a cut the client comes back, and what it missed is told', note(bob, 'You were away, Bob', 'missed'));
      await seen('also what was for it alone', note(bob, 'Between us', 'missed'));
      await line(ann, 'You were away, Bob').waitFor();
      assert.equal(await note(ann, 'You were away, Bob', 'missed').count(), 0);
      said('who was there heard it live');
      await system('lobby', 'All here again');
      for (const page of [ann, bob, cat]) await line(page, 'All here again').waitFor();
      said('and everybody hears on');
      await bob.screenshot({ path: `${shots}/chat.png` });

      await cat.click('#leave');
      await seen('a goodbye reaches the server from another origin', cat.locator('#me', { hasText: 'gone' }));
      await user(ann, 'Cat').waitFor({ state: 'detached' });
      said('and who went is gone from the others\' pages');
    });
  } finally {
    application.close();
  }
}

run('channelstream', main);
