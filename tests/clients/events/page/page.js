// A small client of the events dialect: login, rooms, history, send, live events, read receipts.

const get = async (path, options) => {
  const reply = await fetch(`/api/v1/${path}`, options);
  const body = await reply.json();
  if (body.httpStatusCode !== 200) throw new Error(body.errorText);
  return body;
};
const post = (path, body) =>
  get(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const element = (id) => document.getElementById(id);

const users = new Map();
const rooms = new Map();
let messages = [];
let me = 0;
let open = 0;
let pause = 2;

element('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  element('refused').textContent = '';
  try {
    await post('login', Object.fromEntries(new FormData(event.target)));
    await start();
  } catch (error) {
    element('refused').textContent = error.message;
  }
});

element('logout').addEventListener('click', async () => {
  await post('logout', {});
  location.reload();
});

element('send').addEventListener('submit', async (event) => {
  event.preventDefault();
  const content = event.target.content.value;
  event.target.reset();
  await post(`rooms/${open}/messages`, { content });
});

async function start() {
  me = (await get('status')).userId;
  connect();
  for (const user of (await get('users')).users) users.set(user.userId, user.displayName);
  for (const room of (await get('rooms')).rooms) rooms.set(room.roomId, room);
  element('me').textContent = users.get(me);
  element('login').hidden = true;
  element('app').hidden = false;
  showRooms();
}

function connect() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/events`);
  socket.onopen = () => {
    pause = 2;
    element('link').textContent = 'live';
  };
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    hear[event.type]?.(event.data);
  };
  socket.onclose = () => {
    element('link').textContent = 'away';
    setTimeout(connect, pause * 1000);
    pause = Math.min(2 * pause, 30);
  };
}

const put = (message) => {
  if (message.roomId !== open || message.parentMessageId !== 0) return;
  const at = messages.findIndex((one) => one.messageId >= message.messageId);
  if (at < 0) messages.push(message);
  else messages.splice(at, messages[at].messageId === message.messageId ? 1 : 0, message);
};

const hear = {
  TextMessagesCreated(data) {
    data.messages.forEach(put);
    showMessages();
  },
  TextMessagesUpdated(data) {
    data.messages.filter(({ messageId }) => messages.some((one) => one.messageId === messageId)).forEach(put);
    showMessages();
  },
  TextMessageDeleted({ messageId }) {
    messages = messages.filter((one) => one.messageId !== messageId);
    showMessages();
  },
  RoomCreated({ room }) {
    rooms.set(room.roomId, room);
    showRooms();
  },
  RoomUpdated({ room }) {
    rooms.set(room.roomId, room);
    showRooms();
  },
  RoomDeleted({ roomId }) {
    rooms.delete(roomId);
    showRooms();
  },
};

async function enter(roomId) {
  open = roomId;
  messages = (await get(`rooms/${roomId}/messages?cursor=-1&limit=100&direction=backward`)).messages;
  showRooms();
  showMessages();
}

function showRooms() {
  element('rooms').replaceChildren(
    ...[...rooms.values()].map((room) => {
      const button = document.createElement('button');
      const unread = document.createElement('span');
      unread.className = 'unread';
      unread.textContent = room.unreadMessageCount || '';
      button.append(room.displayName, unread);
      button.toggleAttribute('aria-current', room.roomId === open);
      button.addEventListener('click', () => enter(room.roomId));
      return button;
    }),
  );
}

function showMessages() {
  element('messages').replaceChildren(
    ...messages.map((message) => {
      const line = document.createElement('li');
      const who = document.createElement('span');
      who.className = 'who';
      who.textContent = `${users.get(message.userId) ?? message.userId}: `;
      const readers = message.readTimestamps.filter(({ userId }) => userId !== message.userId);
      const read = document.createElement('div');
      read.className = 'read';
      read.textContent = readers.length ? `read by ${readers.map(({ userId }) => users.get(userId)).join(', ')}` : '';
      line.append(who, message.text, read);
      return line;
    }),
  );
  const unread = messages.filter((one) => one.readTimestamps.every(({ userId }) => userId !== me)).at(-1);
  if (unread) post(`messages/${unread.messageId}/read`, {});
}

get('status').then(start, () => {});
