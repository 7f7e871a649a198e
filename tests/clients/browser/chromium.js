// Drives a web client in headless Chromium: what the tests of web clients share.

'use strict';

const assert = require('node:assert/strict');
const { chromium } = require('playwright-core');

// Opens Chromium and hands over `open`, which opens a page of a new visitor. Fails on any error in a page.
exports.withChromium = async (drive) => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const faults = [];
    await drive(async () => {
      const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
      page.setDefaultTimeout(15_000);
      page.on('pageerror', (error) => faults.push(error.message));
      return page;
    });
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
};

// Waits for something to be shown, and says so.
exports.seen = (what, locator) => locator.waitFor().then(() => said(what));

let count = 0;
const said = (what) => {
  count += 1;
  console.log(`ok - ${what}`);
};
exports.said = said;

// Runs a test to its end. Says how much was seen, or fails the process.
exports.run = (name, main) => main().then(
  () => console.log(`${name}: ${count} things seen`),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
