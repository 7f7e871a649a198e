// A chat with the released client: what it hears is what is shown, nothing is shown because it was sent.

import { ChannelStreamConnection } from './channelstream.js';
import { server } from './server.js';

const $ = (id) => document.getElementById(id);
const messages = new Map();
const users = new Map();
const connection = new ChannelStreamConnection();

Object.assign(connection, {
  connectUrl: '/app/connect',
  subscribeUrl: '/app/subscribe',
  unsubscribeUrl: '/app/unsubscribe',
  userStateUrl: '/app/state',
  messageUrl: '/app/message',
  messageEditUrl: '/app/message',
  messageDeleteUrl: '/app/message',
  disconnectUrl: `${server}/disconnect`,
  websocketUrl: `${server.replace('http', 'ws')}/ws`,
  longPollUrl: `${server}/listen`,
  increaseBounceIv: 100,
});
window.connection = connection;

function show() {
  $('users').replaceChildren(...[...users].sort().map(([name, state]) => {
    const line = document.createElement('li');
    line.textContent = name;
    line.append(note(state.colour, 'colour'));
    return line;
  }));
  $('messages').replaceChildren(...[...messages.values()].map(line));
}

function note(text, kind = 'note') {
  const note = document.createElement('span');
  note.className = kind;
  note.textContent = text;
  return note;
}

function line({ uuid, user, channel, message, edited, catchup }) {
  const line = document.createElement('li');
  const name = document.createElement('b');
  name.textContent = user;
  line.append(name, message.text);
  if (channel === null) line.append(note('private'));
  else if (channel !== 'lobby') line.append(note(channel));
  if (edited) line.append(note('edited'));
  if (catchup) line.append(note('missed'));
  if (user === connection.username) {
    const to = channel === null ? { pm_users: [...users.keys()] } : { channel };
    line.append(
      button('edit', () => connection.edit({ uuid, ...to, message: { text: `${message.text}, corrected` } })),
      button('delete', () => connection.delete({ uuid, ...to })),
    );
  }
  return line;
}

function button(text, act) {
  const button = document.createElement('button');
  button.textContent = text;
  button.onclick = act;
  return button;
}

const heard = {
  message: (event) => messages.set(event.uuid, event),
  'message:edit': (event) => {
    const known = messages.get(event.uuid);
    if (known) Object.assign(known, { message: event.message, edited: event.edited });
  },
  'message:delete': (event) => messages.delete(event.uuid),
  presence: (event) => {
    if (event.message.action === 'joined') users.set(event.user, event.state);
    else users.delete(event.user);
    event.users.forEach(({ user, state }) => users.set(user, state));
  },
  user_state_change: (event) => users.set(event.user, event.message.state),
};

connection.listenMessageCallback = (events) => {
  events.forEach((event) => heard[event.type](event));
  show();
};
connection.connectCallback = (request, { channels_info: info }) => {
  users.clear();
  info.users.forEach(({ user, state }) => users.set(user, state));
  info.channels.lobby.history.forEach((event) => messages.set(event.uuid, { ...event, ...messages.get(event.uuid) }));
  show();
};
connection.channelsChangedCallback = (channels) => { $('channels').textContent = channels.join(' '); };
const live = (is) => {
  $('link').textContent = is ? 'live' : 'away';
  $('link').classList.toggle('live', is);
};
connection.listenOpenedCallback = () => live(true);
connection.listenCloseCallback = () => live(false);
connection.connectionClosedCallback = () => live(false);
connection.disconnectCallback = (request, known) => { $('me').textContent = known ? 'gone' : 'unknown'; };

function on(form, act) {
  $(form).onsubmit = (event) => {
    event.preventDefault();
    act(Object.fromEntries(new FormData(event.target)));
    event.target.reset();
  };
}

on('login', ({ username, poll }) => {
  connection.username = username;
  connection.channels = ['lobby'];
  connection.noWebsocket = Boolean(poll);
  $('login').hidden = true;
  $('app').hidden = false;
  $('me').textContent = username;
  connection.connect();
});
on('join', ({ channel }) => connection.subscribe([channel]));
on('send', ({ text, to }) => {
  const target = to ? { pm_users: [to, connection.username] } : { channel: 'lobby' };
  connection.message({ user: connection.username, message: { text }, ...target });
});
on('state', ({ colour }) => connection.updateUserState({ colour }));
$('leave').onclick = () => connection.disconnect();
