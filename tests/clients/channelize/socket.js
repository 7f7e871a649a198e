// A member's events socket: keeps every frame and lets a case wait for the one it expects.
'use strict';

const assert = require('node:assert/strict');
const WebSocket = require('ws');
const { origin } = require('./http');

class Events {
  static async open(token) {
    const events = new Events();
    events.frames = [];
    events.socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/api/v1/events?token=${encodeURIComponent(token)}`);
    events.socket.on('message', (data, binary) => {
      assert.equal(binary, false, 'a frame is text');
      events.frames.push(JSON.parse(data.toString()));
      events.socket.emit('frame');
    });
    await new Promise((resolve, reject) => {
      events.socket.once('open', resolve);
      events.socket.once('error', reject);
    });
    return events;
  }

  /** Takes the first kept or coming frame of this type that the test accepts out of the list. */
  async take(type, accepts = () => true, within = 5000) {
    const deadline = Date.now() + within;
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.type === type && accepts(frame.data));
      if (at >= 0) {
        const [frame] = this.frames.splice(at, 1);
        assert.deepEqual(Object.keys(frame).sort(), ['data', 'type'], 'keys of a frame');
        return frame.data;
      }
      const left = deadline - Date.now();
      const kept = JSON.stringify(this.frames).slice(0, 2000);
      assert.ok(left > 0, `no ${type} within ${within} ms; heard ${kept}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.socket.once('frame', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close() {
    this.socket.terminate();
  }
}

module.exports = { Events };
