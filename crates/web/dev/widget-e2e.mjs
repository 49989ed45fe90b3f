// The widget in Chromium, on a page of another site with a strict policy. `npm run build && node dev/widget-e2e.mjs [PART OF A NAME]`.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit, openBrowser, patient, until } from './browser.mjs';
import { createChat, KEY, signed } from './mock/chat.mjs';

/** A site on an origin of its own, which allows our scripts and frames and nothing else. */
function site(desk, body) {
  const policy = `default-src 'none'; script-src ${desk}; frame-src ${desk}`;
  return createServer((request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy, 'referrer-policy': 'no-referrer' })
      .end(`<!doctype html><html lang="en"><head><title>Shop</title><meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>Shop</h1><p>Shoes and lamps.</p><a href="#x">A link</a>${request.url === '/form' ? '<div data-switchboard-form="contact" data-title="Contact us" data-prefill=\'{"email":"kari"}\'></div>' : ''}</main>${body}</body></html>`),
  );
}

export async function openShop(browser, { chat: options = {}, width = 1280, height = 800, locale = 'en-GB', colorScheme = 'light', path = '/', zoom = 1, tag, touch = false } = {}) {
  // The site has to be known before the widget names it, and the widget's address before the site allows it.
  const shop = createServer();
  await new Promise((done) => shop.listen(0, 'localhost', done));
  const address = `http://localhost:${shop.address().port}`;
  const chat = createChat({ origins: [address], ...options });
  const desk = await chat.listen();
  const script = tag ? tag(desk) : `<script async src="${desk}/sb/${KEY}.js"></script>`;
  const pages = site(desk, script);
  shop.on('request', (request, response) => pages.emit('request', request, response));
  const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme, timezoneId: 'Europe/Oslo', reducedMotion: 'reduce', deviceScaleFactor: zoom, hasTouch: touch, isMobile: touch });
  // No server is silent for too long, nobody stops writing, and no file waits in vain.
  await patient(context, 10_000);
  const complaints = [];
  const open = async (where = path) => {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
    page.on('console', (message) => {
      if (!/Failed to load resource|net::ERR|WebSocket connection to/.test(message.text())) complaints.push(`console: ${message.text().slice(0, 200)}`);
    });
    await page.goto(address + where);
    return page;
  };
  const page = await open();
  return {
    chat, desk, address, context, page, open, complaints,
    cookies: () => context.cookies(),
    close: async () => {
      await context.close();
      await new Promise((done) => (shop.close(done), shop.closeAllConnections()));
      await chat.close();
    },
  };
}

const launcher = (page) => page.locator('body > button');
const inside = (page) => page.frameLocator('iframe[src*="/w/"]');
const bubblesOf = (page) => page.locator('.bubble');
const message = (page, text) => inside(page).locator('.message', { hasText: text });
const field = (page) => inside(page).getByRole('textbox', { name: 'Write a message' });
const bubbles = (page) => inside(page).locator('.bubble');
const prefer = (page) => inside(page).getByRole('button', { name: 'I prefer an answer by email' });
const call = (page, ...values) => page.evaluate((given) => window.switchboard(...given), values);
async function write(page, text) {
  await field(page).fill(text);
  await field(page).press('Enter');
}
async function openChat(page) {
  await launcher(page).click();
  await field(page).waitFor();
}
const connected = (page) => until('it is connected', async () => (await inside(page).locator('.dot.on').count()) === 1);
/** The page that the frame is in keeps the session that the server has begun. */
const kept = ({ context }) => until('the session is kept', async () => (await context.cookies()).length === 1);
/** This message is stored, and the frame knows it. */
const sent = (page, text) => message(page, text).getByText('· Sent').waitFor();
async function say(page, text) {
  await write(page, text);
  await sent(page, text);
}
/** The first message of a visitor, whose session is kept from then on. */
async function begin(shop, text) {
  await openChat(shop.page);
  await say(shop.page, text);
  await kept(shop);
}
/** The chat, which was closed, is opened, and the frame knows it. */
async function reopen(page) {
  await launcher(page).click();
  await heard(page);
}
const frameOf = (page) => page.frames().find((one) => one.url().includes('/w/'));
const box = (page) => page.locator('iframe[src*="/w/"]').evaluate((node) => {
  const { width, height, bottom } = node.getBoundingClientRect();
  return { width, height, bottom, shown: getComputedStyle(node).visibility === 'visible' };
});
let marks = 0;
/** The frame has heard everything that its page has said until now. */
async function heard(page) {
  const color = `#0050${10 + (marks = (marks + 1) % 90)}`;
  await call(page, 'update', { color });
  await until('the frame has heard it', () => frameOf(page).evaluate((wanted) => document.documentElement.style.getPropertyValue('--brand') === wanted, color));
}
/** The server, which is silent, has heard this message. */
const unanswered = (chat, text) => until('it is heard and not answered', () => chat.state.frames.some((frame) => frame.text === text));
/** The server has heard everything that the frame has said until now. */
async function told({ page, chat }) {
  const pings = () => chat.state.frames.filter((frame) => frame.type === 'ping').length;
  await connected(page);
  // The first that comes may have been on its way before.
  for (let round = 0; round < 2; round += 1) {
    const before = pings();
    await frameOf(page).evaluate(() => window.dispatchEvent(new Event('focus')));
    await until('the server has heard it', () => pings() > before);
  }
}
/** The server is there again, and the widget, which may wait for long by now, is told that the network is. */
async function returns({ page, chat }) {
  chat.back();
  await until('it is connected again', async () => {
    if ((await inside(page).getByText(/No connection/).count()) > 0) await frameOf(page).evaluate(() => window.dispatchEvent(new Event('online')));
    return (await inside(page).locator('.dot.on').count()) === 1;
  });
}
/** The page has heard everything that its frame has said until now. */
async function answered(page) {
  const code = `mark ${(marks += 1)}`;
  await page.evaluate((wanted) => document.addEventListener('switchboard:error', ({ detail }) => detail.code === wanted && (window.mark = wanted)), code);
  await frameOf(page).evaluate((mark) => window.parent.postMessage({ sb: 1, type: 'event', value: 'error', detail: { code: mark } }, '*'), code);
  await until('the page has heard it', () => page.evaluate((wanted) => window.mark === wanted, code));
}
async function closeChat(page) {
  await call(page, 'close');
  await heard(page);
}
/** A talk has begun, and the chat is closed. */
async function leave(shop) {
  const { page, chat } = shop;
  await begin(shop, 'Do you have lamps?');
  await closeChat(page);
  assert.equal(chat.texts.length, 1);
}
const peeks = (page) => inside(page).locator('.peek');
const hasFocus = (locator) => locator.evaluate((node) => node === document.activeElement && document.hasFocus());
/** What the frame would play, counted instead. */
const playTones = () => {
  window.made = window.played = 0;
  const node = () => ({ gain: { exponentialRampToValueAtTime() {} }, connect: (next) => next });
  window.GainNode = function () { return node(); };
  window.OscillatorNode = function (context) {
    return { ...node(), start: () => (window.played += 1), stop() { queueMicrotask(() => context.suspend()); } };
  };
  window.AudioContext = function () {
    window.made += 1;
    return { state: 'suspended', currentTime: 0, suspend() { this.state = 'suspended'; }, resume() { this.state = 'running'; } };
  };
};
const shows = (page, texts, all = bubbles(page)) => until(`the talk is ${texts}`, async () => JSON.stringify((await all.allInnerTexts()).map((text) => text.trim())) === JSON.stringify(texts));

const tests = {
  async 'visitor and agent talk both ways under the strictest policy, and nothing is kept before the visitor writes'(shop) {
    const { page, chat, cookies, address } = shop;
    await launcher(page).waitFor();
    await page.evaluate(() => {
      window.heard = [];
      for (const name of ['ready', 'open', 'close', 'unread', 'conversation:start', 'message:sent', 'message:received']) {
        document.addEventListener(`switchboard:${name}`, (event) => window.heard.push(name + (name === 'unread' ? event.detail : '')));
      }
    });
    assert.equal(await launcher(page).getAttribute('aria-expanded'), 'false');
    await launcher(page).hover();
    await until('it is loaded for whoever points', () => page.evaluate(() => window.heard.join() === 'ready'));
    await openChat(page);
    assert.equal(await launcher(page).getAttribute('aria-expanded'), 'true');
    await connected(page);
    await told(shop);
    await answered(page);
    assert.deepEqual(await cookies(), []);
    await write(page, 'Do you have lamps?');
    await until('it is stored', () => chat.texts.length === 1);
    await inside(page).getByText('You are number 2 in line.').waitFor();
    chat.change({ wait: [2, 5] });
    await inside(page).getByText('You are number 2 in line. It will probably take 2 to 5 minutes.').waitFor();
    chat.change({ position: 1, wait: [0, 1] });
    await inside(page).getByText('You are next in line. It will probably take less than a minute.').waitFor();
    chat.writes(true);
    await inside(page).getByText('Pia is writing').waitFor();
    chat.reply('We do: https://shop.test/lamps.');
    await bubbles(page).getByText('We do: ').waitFor();
    assert.equal(await inside(page).getByRole('link').getAttribute('href'), 'https://shop.test/lamps');
    await inside(page).getByText('You are talking to Pia').waitFor();
    assert.equal(await inside(page).getByText('Pia is writing').count(), 0);
    chat.change({ seen: chat.state.conversations[0].messages[0].id });
    await inside(page).getByText('· Read').waitFor();
    await until('it was read', () => chat.state.conversations[0].read === chat.state.conversations[0].messages[1].id);
    await kept(shop);
    const [cookie, ...others] = await cookies();
    assert.deepEqual([cookie.name, cookie.domain, cookie.sameSite, others.length], [`sb_${KEY}`, 'localhost', 'Lax', 0]);
    assert.ok(chat.state.sessions.has(cookie.value));
    assert.ok(!chat.state.addresses.some((one) => one.includes(cookie.value)), 'no token in an address');
    await field(page).press('Escape');
    await until('it is closed', async () => (await launcher(page).getAttribute('aria-expanded')) === 'false');
    await heard(page);
    chat.reply('Anything else?');
    await until('the badge counts', async () => (await launcher(page).getAttribute('aria-label')) === 'Chat with us, 1 unread');
    assert.equal(await launcher(page).locator('span').innerText(), '1');
    await launcher(page).click();
    await until('nothing is unread', async () => (await launcher(page).getAttribute('aria-label')) === 'Chat with us');
    assert.deepEqual(await page.evaluate(() => window.heard), ['ready', 'open', 'conversation:start', 'message:sent', 'message:received', 'close', 'message:received', 'unread1', 'open', 'unread0']);
    assert.equal(new URL(chat.state.hellos[0].page.url).origin, address);
  },

  async 'a server that is gone for a while, and one that dies before it answers, lose and double nothing'(shop) {
    const { page, chat } = shop;
    await begin(shop, 'one');
    chat.drop();
    await inside(page).getByText(/No connection/).waitFor();
    await write(page, 'two');
    await write(page, 'three');
    await until('both are on their way', async () => (await inside(page).getByText('Sending…').count()) === 2);
    await returns(shop);
    await until('all is stored', () => chat.texts.join() === 'one,two,three');
    await until('nothing is on its way', async () => (await inside(page).getByText('Sending…').count()) === 0);
    chat.state.cut_before_answer = true;
    const hellos = chat.state.hellos.length;
    await write(page, 'four');
    await until('it was stored', () => chat.texts.length === 4);
    await until('it came back', () => chat.state.hellos.length > hellos && chat.clients.size === 1);
    chat.reply('five');
    await shows(page, ['one', 'two', 'three', 'four', 'five']);
    await told(shop);
    assert.deepEqual(chat.texts, ['one', 'two', 'three', 'four', 'five']);
    assert.equal(chat.state.conversations.length, 1);
  },

  async 'the browser offline for half a minute'(shop) {
    const { page, chat, context } = shop;
    await page.clock.install();
    await begin(shop, 'before');
    await context.setOffline(true);
    chat.cut();
    await inside(page).getByText(/No connection/).waitFor();
    await write(page, 'meanwhile');
    chat.reply('you were away');
    await Promise.all([page.waitForEvent('requestfailed', (request) => request.url().endsWith('/stream')), page.clock.fastForward(30_000)]);
    assert.deepEqual(chat.texts, ['before', 'you were away']);
    await context.setOffline(false);
    await returns(shop);
    await until('both sides have all', () => chat.texts.join() === 'before,you were away,meanwhile');
    await shows(page, ['before', 'you were away', 'meanwhile']);
  },

  async 'a reload and a second tab see the same, and neither doubles anything'(shop) {
    const { page, chat, open } = shop;
    await begin(shop, 'one');
    await page.reload();
    await launcher(page).click();
    await shows(page, ['one']);
    const second = await open();
    await second.bringToFront();
    await launcher(second).click();
    await shows(second, ['one']);
    await write(second, 'two');
    await shows(page, ['one', 'two']);
    chat.reply('three');
    await shows(page, ['one', 'two', 'three']);
    await shows(second, ['one', 'two', 'three']);
    assert.equal(chat.state.conversations.length, 1);
    assert.equal(chat.state.sessions.size, 1);
  },

  async 'what was on its way when the page was left is sent after the reload'({ page, chat, desk }) {
    // As a page of its own: in a frame of another site browsers may give no storage at all.
    await page.goto(`${desk}/w/${KEY}`);
    const own = page.getByRole('textbox', { name: 'Write a message' });
    await until('it is connected', async () => (await page.locator('.dot.on').count()) === 1);
    chat.state.silent = true;
    await own.fill('do not lose this');
    await own.press('Enter');
    await page.getByText('Sending…').waitFor();
    await unanswered(chat, 'do not lose this');
    chat.state.silent = false;
    await page.reload();
    await until('it is stored', () => chat.texts.length === 1);
    await page.getByText('· Sent').waitFor();
    chat.reply('found');
    await shows(page, ['do not lose this', 'found'], bubblesOf(page));
  },

  async 'a tab that was open before takes over the session of another'(shop) {
    const { page, chat, open } = shop;
    await launcher(page).waitFor();
    const second = await open();
    await begin({ ...shop, page: second }, 'from the second');
    await page.bringToFront();
    await openChat(page);
    await shows(page, ['from the second']);
    await write(page, 'from the first');
    await shows(second, ['from the second', 'from the first']);
    assert.equal(chat.state.conversations.length, 1);
  },

  async 'anonymous, identified and wrongly signed visitors are told apart'({ page, chat }) {
    await openChat(page);
    await connected(page);
    assert.deepEqual(chat.state.hellos.map((hello) => hello.identity), [undefined]);
    await page.evaluate(() => document.addEventListener('switchboard:error', (event) => (window.fault = event.detail.code)));
    await call(page, 'identify', { id: '4711', name: 'Kari', hash: '00' });
    await until('it is refused', () => page.evaluate(() => window.fault === 'identity_signature'));
    await call(page, 'identify', { id: '4711', name: 'Kari', hash: signed('4711') });
    await until('it is believed', () => chat.state.hellos.at(-1).identity?.hash === signed('4711') && chat.clients.size === 1);
    await write(page, 'mine');
    await until('it belongs to the account', () => chat.state.conversations[0]?.visitor === 'id-4711');
    await call(page, 'logout');
    await until('nobody is known', () => chat.state.hellos.at(-1).identity === undefined && chat.state.hellos.at(-1).session === undefined);
    await until('the talk is gone', async () => (await bubbles(page).count()) === 0);
    assert.deepEqual(await page.context().cookies(), []);
  },

  async 'a session that the page hears of at a logout is nobody’s afterwards'(shop) {
    const { page, chat, cookies } = shop;
    await launcher(page).waitFor();
    // Before the loader listens: what the frame asks to keep is held back.
    await page.evaluate(() =>
      addEventListener('message', (event) => {
        if (event.data.type !== 'store' || window.late) return;
        window.late = event;
        event.stopImmediatePropagation();
      }),
    );
    await openChat(page);
    await say(page, 'Hello');
    await until('it is held back', () => page.evaluate(() => window.late !== undefined));
    await page.evaluate(() => {
      window.switchboard('logout');
      const { source, origin, data } = window.late;
      dispatchEvent(new MessageEvent('message', { source, origin, data }));
    });
    await heard(page);
    await answered(page);
    await heard(page);
    assert.deepEqual(await cookies(), []);
    await shows(page, []);
    await until('nobody is known', () => chat.state.hellos.at(-1).session === undefined && chat.clients.size === 1);
    await say(page, 'Hello again');
    assert.equal(new Set(chat.state.conversations.map((one) => one.visitor)).size, 2);
  },

  async 'who comes after another account sees and sends nothing of it, without any logout'(shop) {
    const { page, chat, cookies } = shop;
    await begin(shop, 'before signing in');
    const kari = { id: '4711', hash: signed('4711') };
    await call(page, 'identify', kari);
    await until('Kari is known', () => chat.clients.size === 1 && chat.state.hellos.at(-1).identity?.id === '4711');
    await connected(page);
    await shows(page, ['before signing in']);
    await sent(page, 'before signing in');
    chat.state.silent = true;
    await write(page, 'not for others');
    await inside(page).getByText('Sending…').waitFor();
    await field(page).fill('a draft of Kari');
    await unanswered(chat, 'not for others');
    chat.state.silent = false;
    const nonce = chat.state.hellos.at(-1).nonce;
    await call(page, 'identify', { id: '4712', hash: signed('4712') });
    await until('Ola is known', () => chat.clients.size === 1 && chat.state.hellos.at(-1).identity?.id === '4712');
    await connected(page);
    await shows(page, []);
    assert.equal(await field(page).inputValue(), '');
    await answered(page);
    const { session, after, nonce: next } = chat.state.hellos.at(-1);
    assert.deepEqual([session, after, next === nonce, await cookies()], [undefined, undefined, false, []]);
    await write(page, 'of Ola');
    await until('it is stored', () => chat.texts.includes('of Ola'));
    assert.deepEqual(chat.state.conversations.map((one) => one.messages.map((two) => two.text)), [['before signing in'], ['of Ola']]);
    assert.equal(chat.state.conversations[1].visitor, 'id-4712');
    await call(page, 'identify', null);
    await until('nobody is known', () => chat.state.hellos.at(-1).identity === undefined);
    await shows(page, []);
    assert.equal(chat.state.hellos.at(-1).session, undefined);
  },

  async 'a first message whose session never arrived is one message of one visitor, after a reload as well'(shop) {
    const { page, chat, desk } = shop;
    await openChat(page);
    chat.state.cut_before_session = true;
    await say(page, 'once');
    assert.equal(chat.state.sessions.size, 2, 'the session was begun twice');
    assert.equal(new Set(chat.state.sessions.values()).size, 1, 'for one visitor');
    assert.deepEqual(chat.texts, ['once']);
    await kept(shop);
    await page.context().clearCookies();
    await page.goto(`${desk}/w/${KEY}`);
    await until('it is connected', async () => (await page.locator('.dot.on').count()) === 1);
    assert.equal(chat.state.hellos.at(-1).session, undefined);
    chat.state.cut_before_session = chat.state.silent_after_cut = true;
    await page.getByRole('textbox', { name: 'Write a message' }).fill('across the reload');
    await page.keyboard.press('Enter');
    await until('it is stored', () => chat.texts.length === 2 && chat.state.silent);
    await page.reload();
    await page.getByText('Sending…').waitFor();
    chat.state.silent = false;
    chat.cut();
    await page.getByText('· Sent').waitFor();
    assert.deepEqual(chat.texts, ['once', 'across the reload']);
    assert.equal(chat.state.conversations.length, 2);
    assert.equal(new Set(chat.state.sessions.values()).size, 2);
  },

  async 'a page that is left before it keeps the session finds the talk again'({ page, chat, desk, cookies }) {
    await page.goto(`${desk}/w/${KEY}`);
    const own = page.getByRole('textbox', { name: 'Write a message' });
    const says = async (text) => (await own.fill(text), await own.press('Enter'));
    const has = (...texts) => shows(page, texts, bubblesOf(page));
    await page.evaluate(() => Object.defineProperty(document, 'cookie', { get: () => '', set: () => {}, configurable: true }));
    await says('one');
    await until('it is stored', () => chat.texts.length === 1);
    await says('two');
    await until('both are stored', () => chat.texts.length === 2);
    chat.reply('three');
    await has('one', 'two', 'three');
    assert.deepEqual(await cookies(), []);
    await page.reload();
    await has('one', 'two', 'three');
    await until('the session is kept', async () => (await cookies()).length === 1);
    await until('nothing is left to send again', () => page.evaluate(() => sessionStorage.length === 0));
    await page.reload();
    await has('one', 'two', 'three');
    assert.deepEqual([chat.texts, new Set(chat.state.sessions.values()).size], [['one', 'two', 'three'], 1]);
  },

  async 'a session that another tab begins or renews takes no draft and no unsent message away'(shop) {
    const { page, chat, open, context } = shop;
    await openChat(page);
    await field(page).fill('a draft without a session');
    const second = await open();
    await begin({ ...shop, page: second }, 'from the second');
    await page.bringToFront();
    await call(page, 'close');
    await call(page, 'open');
    await until('the session is taken over', () => chat.state.hellos.at(-1).session && chat.clients.size === 2);
    await connected(page);
    assert.equal(await field(page).inputValue(), 'a draft without a session');
    await field(page).press('Enter');
    await sent(page, 'a draft without a session');
    assert.deepEqual(chat.texts, ['from the second', 'a draft without a session']);
    chat.state.silent = true;
    await write(page, 'on its way');
    await inside(page).getByText('Sending…').waitFor();
    await field(page).fill('a draft');
    await unanswered(chat, 'on its way');
    const [cookie] = await context.cookies();
    const renewed = cookie.value.slice(0, 21) + 'x'.repeat(20);
    chat.state.sessions.set(renewed, chat.state.sessions.get(cookie.value));
    await context.addCookies([{ ...cookie, value: renewed }]);
    await call(page, 'close');
    await call(page, 'open');
    await heard(page);
    chat.state.silent = false;
    chat.cut();
    await until('it comes back with the renewed one', () => chat.state.hellos.some((one) => one.session === renewed));
    await sent(page, 'on its way');
    assert.equal(chat.texts.filter((text) => text === 'on its way').length, 1);
    assert.equal(await field(page).inputValue(), 'a draft');
    assert.equal(new Set(chat.state.conversations.map((one) => one.visitor)).size, 1);
  },

  async 'an answer to a closed chat shows itself above the launcher and opens the talk at it'(shop) {
    const { page, chat } = shop;
    await leave(shop);
    await page.getByRole('link', { name: 'A link' }).focus();
    chat.reply('We do: tall ones and small ones, in brass and in glass, and some of them can be dimmed by hand. Shall I show you a few?');
    await until('it shows itself', async () => (await box(page)).shown);
    assert.equal(await peeks(page).getByRole('button').first().innerText(), 'Pia\nWe do: tall ones and small ones, in brass and in glass, and some of them can be dimmed by hand. Shall I show you a few?');
    await until('the frame is as high as what it shows', async () => Math.abs((await box(page)).height - (await peeks(page).evaluate((node) => node.offsetHeight))) < 1);
    const { width, height, bottom } = await box(page);
    const button = await launcher(page).boundingBox();
    assert.ok(width <= 300 && height <= 180 && height > 60 && bottom <= button.y, JSON.stringify({ width, height, bottom }));
    assert.ok(await hasFocus(page.getByRole('link', { name: 'A link' })), 'the focus stays where it was');
    assert.equal(await launcher(page).getAttribute('aria-expanded'), 'false');
    await told(shop);
    assert.equal(chat.state.conversations[0].read, null, 'shown is not read');
    await inside(page).getByRole('log').getByText('Pia: We do').waitFor({ state: 'attached' });
    chat.reply('Or come by.');
    await peeks(page).getByText('Or come by.').waitFor();
    await until('it is lower now', async () => (await box(page)).height < height);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await until('the keyboard reaches it', () => hasFocus(peeks(page).getByRole('button').first()));
    await page.keyboard.press('Enter');
    await until('the chat is open', async () => (await launcher(page).getAttribute('aria-expanded')) === 'true');
    await until('the field has the focus', () => hasFocus(field(page)));
    await until('it was read', () => chat.state.conversations[0].read === chat.state.conversations[0].messages[2].id);
    await until('it is at the newest', () => inside(page).locator('.log').evaluate((node) => node.clientHeight > 200 && node.scrollHeight - node.scrollTop - node.clientHeight < 2));
    assert.equal(await peeks(page).count(), 0);
    assert.equal((await box(page)).height, 640);
  },

  async 'a preview that is closed stays away until the chat is opened again'(shop) {
    const { page, chat } = shop;
    await leave(shop);
    chat.reply('one');
    await until('it shows itself', async () => (await box(page)).shown);
    await peeks(page).getByRole('button', { name: 'Close the preview' }).click();
    await until('it is gone', async () => !(await box(page)).shown);
    assert.ok((await box(page)).height <= 180, 'it fades away as small as it was');
    await until('the launcher has the focus', () => hasFocus(launcher(page)));
    chat.reply('two');
    await until('the badge counts', async () => (await launcher(page).locator('span').innerText()) === '2');
    await answered(page);
    assert.ok(!(await box(page)).shown && (await peeks(page).count()) === 0);
    await launcher(page).click();
    await until('nothing is unread', async () => (await launcher(page).getAttribute('aria-label')) === 'Chat with us');
    await closeChat(page);
    chat.reply('three');
    await until('it shows itself again', async () => (await box(page)).shown);
    await peeks(page).getByRole('button').first().focus();
    await page.keyboard.press('Escape');
    await until('Escape closes it, too', async () => !(await box(page)).shown);
    await until('the launcher has the focus', () => hasFocus(launcher(page)));
    assert.equal(await launcher(page).getAttribute('aria-expanded'), 'false');
  },

  async 'a preview goes when it was read elsewhere, is switched off, or somebody else comes'(shop) {
    const { page, chat } = shop;
    await leave(shop);
    const gone = () => until('it is gone', async () => !(await box(page)).shown && (await peeks(page).count()) === 0);
    chat.reply('one');
    await until('it shows itself', async () => (await box(page)).shown);
    chat.change({ read: chat.state.conversations[0].messages.at(-1).id });
    await gone();
    chat.reply('two');
    await until('it shows itself again', async () => (await box(page)).shown);
    await call(page, 'update', { preview: false });
    await gone();
    await call(page, 'update', { preview: true });
    await until('it comes back', async () => (await box(page)).shown);
    await call(page, 'logout');
    await gone();
    await heard(page);
    assert.equal((await frameOf(page).locator('body').innerText()).includes('two'), false);
  },

  async 'a preview hides no more than a third of a small page, and its height is checked'(shop) {
    const { page, chat } = shop;
    await leave(shop);
    chat.reply('A long answer, of which three lines can be seen here, and then no more of it, because it is only a preview of what is in the talk itself.');
    await peeks(page).waitFor({ state: 'attached' });
    await answered(page);
    assert.ok(!(await box(page)).shown, 'three lines are too many on 320 px');
    for (const value of [181, -1, '1px;background:red', null, {}, [90, 90]]) await frameOf(page).evaluate((px) => window.parent.postMessage({ sb: 1, type: 'peek', value: px }, '*'), value);
    await answered(page);
    assert.ok(!(await box(page)).shown);
    chat.reply('Short.');
    await until('one line is not too much', async () => (await box(page)).shown);
    await until('the frame is as high as what it shows', async () => Math.abs((await box(page)).height - (await peeks(page).evaluate((node) => node.offsetHeight))) < 1);
    const before = await box(page);
    for (const value of [1000, 181, -1, 'x', {}]) await frameOf(page).evaluate((px) => window.parent.postMessage({ sb: 1, type: 'peek', value: px }, '*'), value);
    await answered(page);
    assert.deepEqual(await box(page), before);
    assert.ok(before.height < 320 / 3 && before.width <= 300, JSON.stringify(before));
    await launcher(page).click();
    await until('open it fills the page', async () => (await box(page)).height === 320);
    await until('it was read', () => chat.state.conversations[0].read !== null);
  },

  async 'an answer is heard after a gesture, once, and only while nobody looks or has muted it'({ page, chat, context }) {
    await context.addInitScript(playTones);
    await page.reload();
    await openChat(page);
    const tones = () => frameOf(page).evaluate(() => [window.made, window.played]);
    assert.deepEqual(await tones(), [0, 0], 'opening the chat from the page is no gesture in the frame');
    await say(page, 'Hello');
    const [made] = await tones();
    assert.equal(made, 1);
    chat.reply('one');
    await bubbles(page).getByText('one').waitFor();
    assert.deepEqual(await tones(), [1, 0], 'it is looked at');
    await closeChat(page);
    chat.reply('two');
    await peeks(page).getByText('two').waitFor();
    assert.deepEqual(await tones(), [1, 1]);
    await reopen(page);
    await inside(page).getByRole('button', { name: 'Mute' }).click();
    await until('it is muted', async () => (await inside(page).getByRole('button', { name: 'Mute' }).getAttribute('aria-pressed')) === 'true');
    await closeChat(page);
    chat.reply('three');
    await peeks(page).getByText('three').waitFor();
    assert.deepEqual(await tones(), [1, 1]);
    await reopen(page);
    await inside(page).getByRole('button', { name: 'Mute' }).click();
    await until('it is not muted any more', async () => (await inside(page).getByRole('button', { name: 'Mute' }).getAttribute('aria-pressed')) === 'false');
    await frameOf(page).evaluate(() => Object.defineProperty(document, 'hidden', { get: () => true }));
    chat.reply('four');
    await bubbles(page).getByText('four').waitFor();
    assert.deepEqual(await tones(), [1, 2], 'nobody sees a page that is hidden');
    await call(page, 'update', { sound: false });
    await until('there is nothing to mute', async () => (await inside(page).getByRole('button', { name: 'Mute' }).count()) === 0);
    chat.reply('five');
    await bubbles(page).getByText('five').waitFor();
    assert.deepEqual(await tones(), [1, 2]);
  },

  async 'without a gesture there is no sound, and being muted is kept once there is a talk'({ page, chat, context, desk }) {
    await context.addInitScript(playTones);
    await page.goto(`${desk}/w/${KEY}`);
    const mute = page.getByRole('button', { name: 'Mute' });
    const kept = () => page.evaluate(() => [localStorage.length, sessionStorage.length]);
    await mute.click();
    await until('it is muted', async () => (await mute.getAttribute('aria-pressed')) === 'true');
    assert.deepEqual(await kept(), [0, 0], 'nothing is kept before the visitor writes');
    await page.getByRole('textbox', { name: 'Write a message' }).fill('Hello');
    await page.keyboard.press('Enter');
    await page.getByText('· Sent').waitFor();
    await until('it is kept', async () => (await kept())[0] === 1);
    await page.reload();
    await until('it is still muted', async () => (await mute.getAttribute('aria-pressed')) === 'true');
    await mute.click();
    await until('it is kept no more', async () => (await kept())[0] === 0);
    await page.reload();
    await bubblesOf(page).getByText('Hello').waitFor();
    await until('it is connected', async () => (await page.locator('.dot.on').count()) === 1);
    await page.evaluate(() => Object.defineProperty(document, 'hidden', { get: () => true }));
    chat.reply('unheard');
    await bubblesOf(page).getByText('unheard').waitFor();
    assert.deepEqual(await page.evaluate(() => [window.made, window.played]), [0, 0]);
  },

  async 'emoji are picked by keyboard and put where the caret is'({ page, chat }) {
    await openChat(page);
    const button = inside(page).getByRole('button', { name: 'Emoji', exact: true });
    const picker = inside(page).getByRole('dialog', { name: 'Emoji' });
    const picked = (one) => until(`${one} has the focus`, () => hasFocus(picker.getByRole('button', { name: one, exact: true })));
    assert.ok(!chat.state.addresses.some((one) => one.includes('emoji')), 'it is loaded when it is asked for');
    await field(page).fill('Hello Pia');
    for (let place = 0; place < 4; place += 1) await field(page).press('ArrowLeft');
    await button.click();
    await picked('😀');
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('ArrowLeft');
    await picked('😀');
    for (const [key, one] of [['ArrowRight', '😄'], ['ArrowDown', '😋'], ['End', '🏠'], ['ArrowDown', '🏠'], ['ArrowUp', '🌧️'], ['Home', '😀'], ['ArrowDown', '😘']]) {
      await page.keyboard.press(key);
      await picked(one);
    }
    await page.keyboard.press('Enter');
    await until('it is in the text', async () => (await field(page).inputValue()) === 'Hello😘 Pia');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await until('the next one is behind it', async () => (await field(page).inputValue()) === 'Hello😘😋 Pia');
    await page.keyboard.press('Escape');
    await until('the field has the focus', () => hasFocus(field(page)));
    assert.deepEqual([await picker.count(), await button.getAttribute('aria-expanded'), await launcher(page).getAttribute('aria-expanded')], [0, 'false', 'true']);
    await page.keyboard.type('!');
    await until('one types where the caret was', async () => (await field(page).inputValue()) === 'Hello😘😋! Pia');
    await button.click();
    await picker.getByRole('button', { name: '👍', exact: true }).click();
    await field(page).click();
    await until('it closes where something else is done', async () => (await picker.count()) === 0);
    await field(page).press('Enter');
    await until('it is sent', () => chat.texts.join() === 'Hello😘😋!👍 Pia');
  },

  async 'what one does while the chat still connects is not disturbed once it does'({ page, chat }) {
    chat.hold();
    await openChat(page);
    const picker = inside(page).getByRole('dialog', { name: 'Emoji' });
    await field(page).fill('Hello');
    await inside(page).getByRole('button', { name: 'Emoji', exact: true }).click();
    await until('the first has the focus', () => hasFocus(picker.getByRole('button', { name: '😀', exact: true })));
    chat.go();
    await connected(page);
    await page.keyboard.press('Enter');
    await until('it is in the text', async () => (await field(page).inputValue()) === 'Hello😀');
    assert.ok(await hasFocus(picker.getByRole('button', { name: '😀', exact: true })));
  },

  async 'what the page says while the words are still on their way is not lost'({ page }) {
    let goOn;
    const late = new Promise((done) => (goOn = done));
    await page.route('**/assets/en-*', async (route) => (await late, route.continue()));
    await Promise.all([page.waitForRequest(/assets.en-/), launcher(page).hover()]);
    await frameOf(page).evaluate(() => {
      window.came = new Promise((done) => addEventListener('message', ({ data }) => data.type === 'start' && done()));
    });
    await call(page, 'startConversation', { text: 'About order 12' });
    await frameOf(page).evaluate(() => window.came);
    goOn();
    await until('the text is in the field', async () => (await field(page).inputValue()) === 'About order 12');
    await connected(page);
  },

  async 'what one does while the first message is on its way is not disturbed once it is stored'({ page, chat }) {
    chat.hold();
    await openChat(page);
    const picker = inside(page).getByRole('dialog', { name: 'Emoji' });
    await write(page, 'Hello');
    await inside(page).getByRole('button', { name: 'Emoji', exact: true }).click();
    await until('the first has the focus', () => hasFocus(picker.getByRole('button', { name: '😀', exact: true })));
    chat.go();
    await sent(page);
    await page.keyboard.press('Enter');
    await until('it is in the text', async () => (await field(page).inputValue()) === '😀');
    assert.ok(await hasFocus(picker.getByRole('button', { name: '😀', exact: true })));
  },

  async 'phones have their own emoji'({ page }) {
    await launcher(page).tap();
    await field(page).waitFor();
    assert.equal(await inside(page).getByRole('button', { name: 'Emoji', exact: true }).count(), 0);
  },

  async 'where an identity is required, strangers are told'({ page }) {
    await launcher(page).click();
    await inside(page).getByText('Please sign in on this site to chat.').first().waitFor();
  },

  async 'everything works by keyboard alone'({ page, chat }) {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await until('the launcher has the focus', () => launcher(page).evaluate((node) => node === document.activeElement));
    await page.keyboard.press('Enter');
    await until('the field has the focus', () => field(page).evaluate((node) => node === document.activeElement && document.hasFocus()));
    await page.keyboard.type('typed');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and more');
    await page.keyboard.press('Enter');
    await until('it is sent', () => chat.texts[0] === 'typed\nand more');
    await page.keyboard.press('Escape');
    await until('the launcher has the focus again', () => launcher(page).evaluate((node) => node === document.activeElement && node.getAttribute('aria-expanded') === 'false'));
  },

  async 'answers before the talk are checked, sent along, and not asked twice'({ page, chat }) {
    await launcher(page).click();
    const form = inside(page).locator('form');
    await form.getByRole('button', { name: 'Start the chat' }).click();
    await until('the first fault has the focus', () => inside(page).locator('[aria-invalid]').first().evaluate((node) => node === document.activeElement));
    await inside(page).getByLabel('What is it about?').selectOption({ label: 'Delivery' });
    await inside(page).getByLabel('Email').fill('kari@eksempel');
    await form.getByRole('button', { name: 'Start the chat' }).click();
    await inside(page).getByText('This is not an email address').waitFor();
    await inside(page).getByLabel('Email').fill('kari@eksempel.test');
    await inside(page).getByLabel('Order number (optional)').fill('1234');
    await form.getByRole('button', { name: 'Start the chat' }).click();
    await write(page, 'Where is it?');
    await until('the answers came along', () => chat.state.conversations.length === 1);
    await until('the session is kept', async () => (await page.context().cookies()).length === 1);
    assert.deepEqual([chat.state.conversations[0].fields, chat.state.conversations[0].topic], [[['email', 'kari@eksempel.test'], ['order', '1234']], 'delivery']);
    await page.reload();
    await launcher(page).click();
    await shows(page, ['Where is it?']);
  },

  async 'outside of hours a message is taken with an address, and the next opening is shown'({ page, chat }) {
    await launcher(page).click();
    await inside(page).getByRole('heading', { name: /We are back/ }).waitFor();
    await inside(page).getByLabel('Name (optional)').fill('Kari');
    await inside(page).getByLabel('Email').fill('kari@eksempel.test');
    await inside(page).getByRole('textbox', { name: 'Message' }).fill('Call me.');
    await inside(page).getByRole('button', { name: 'Send' }).click();
    await inside(page).getByText('Thank you. Your message is here').waitFor();
    await until('it is stored with the address', () => /name: Kari\nemail: kari@eksempel\.test\n\nCall me\./.test(chat.texts[0]));
  },

  async 'a message outside of hours asks for its answer by mail, where anything is mailed'({ page, chat }) {
    await launcher(page).click();
    await inside(page).getByLabel('Email').fill('kari@eksempel.test');
    await inside(page).getByRole('combobox').selectOption('delivery');
    await inside(page).getByRole('textbox', { name: 'Message' }).fill('Call me.');
    await inside(page).getByRole('button', { name: 'Send' }).click();
    await inside(page).getByText('We answer by email to kari@eksempel.test').waitFor();
    assert.equal(await prefer(page).count(), 0);
    const { text, email, answer_by } = chat.state.conversations[0].messages[0];
    assert.deepEqual([text, email, answer_by], ['Call me.', 'kari@eksempel.test', 'mail']);
  },

  async 'whoever waits asks for the answer by mail, and it stays so'(shop) {
    const { page, chat } = shop;
    await openChat(page);
    await connected(page);
    assert.equal(await prefer(page).count(), 0);
    await write(page, 'Where is it?');
    await prefer(page).click();
    const address = inside(page).getByLabel('Email');
    await until('one may type', () => address.evaluate((node) => node === document.activeElement));
    await address.press('Escape');
    await until('the form is closed and its button has the focus', () => prefer(page).evaluate((node) => node === document.activeElement));
    await answered(page);
    assert.deepEqual([await address.count(), await launcher(page).getAttribute('aria-expanded')], [0, 'true']);
    await prefer(page).press('Enter');
    await address.fill('kari');
    await inside(page).locator('.mail').getByRole('button', { name: 'Send' }).click();
    await inside(page).getByText('This is not an email address').waitFor();
    await until('the fault is read with the field', () => address.evaluate((node) => node === document.activeElement && node.getAttribute('aria-invalid') === 'true'));
    await address.fill(' kari@eksempel.test ');
    await address.press('Enter');
    const done = inside(page).getByRole('status').filter({ hasText: 'We answer by email to kari@eksempel.test. You may close this window.' });
    await done.waitFor();
    await until('it is read', () => done.evaluate((node) => node === document.activeElement));
    assert.equal(await prefer(page).count(), 0);
    const { text, email, answer_by } = chat.state.conversations[0].messages[1];
    assert.deepEqual([text, email, answer_by], ['Please answer by email: kari@eksempel.test', 'kari@eksempel.test', 'mail']);
    await kept(shop);
    await page.reload();
    await openChat(page);
    await done.waitFor();
    await write(page, 'Thank you');
    await until('it is stored', () => chat.texts.length === 3);
    chat.reply('It left on Friday.');
    await bubbles(page).getByText('It left').waitFor();
    await done.waitFor();
    assert.equal(await prefer(page).count(), 0);
    assert.equal(chat.state.frames.filter((frame) => frame.answer_by).length, 1);
    // An address that was wrong.
    await inside(page).getByRole('button', { name: 'Use another address' }).click();
    await address.fill('ola@eksempel.test');
    await address.press('Enter');
    await inside(page).getByRole('status').filter({ hasText: 'We answer by email to ola@eksempel.test.' }).waitFor();
    await until('it is asked for', () => chat.state.conversations[0].messages.at(-1).email === 'ola@eksempel.test');
  },

  async 'after minutes without an answer mail is suggested, and an answer of a person ends that'({ page, chat }) {
    await page.clock.install();
    await openChat(page);
    await write(page, 'Where is it?');
    await prefer(page).waitFor();
    chat.reply('We are looking into it.', 'Shop', undefined, true);
    await bubbles(page).getByText('looking into it').waitFor();
    assert.equal(await inside(page).getByText('It takes longer').count(), 0);
    await page.clock.fastForward(181_000);
    await inside(page).getByRole('status').filter({ hasText: 'It takes longer than usual' }).waitFor();
    chat.reply('It left on Friday.');
    await until('nobody waits', async () => (await prefer(page).count()) === 0);
    await say(page, 'And the other one?');
    assert.equal(await prefer(page).count(), 0);
    await page.clock.fastForward(181_000);
    await inside(page).getByText('It takes longer than usual').waitFor();
    await prefer(page).waitFor();
  },

  async 'an address that the page names stands in the field'({ page, chat }) {
    await call(page, 'identify', { id: '4711', hash: signed('4711'), email: 'kari@eksempel.test' });
    await openChat(page);
    await write(page, 'Where is it?');
    await prefer(page).click();
    await until('it is filled in', async () => (await inside(page).getByLabel('Email').inputValue()) === 'kari@eksempel.test');
    chat.state.refusing = 'unstorable';
    await inside(page).getByLabel('Email').press('Enter');
    await inside(page).getByText('Not sent.').waitFor();
    await prefer(page).waitFor();
    chat.state.refusing = null;
    await inside(page).getByRole('button', { name: 'Try again' }).click();
    await inside(page).getByText('We answer by email to kari@eksempel.test').waitFor();
    assert.equal(chat.texts.length, 2);
  },

  async 'an address that the site has proven need not be typed'({ page, chat }) {
    await openChat(page);
    await write(page, 'Where is it?');
    await prefer(page).click();
    await inside(page).getByText('We answer by email to kari@eksempel.test').waitFor();
    assert.equal(chat.state.conversations[0].messages[1].email, 'kari@eksempel.test');
  },

  async 'a message that is refused can be sent again or taken away'({ page, chat }) {
    await openChat(page);
    chat.state.refusing = 'unstorable';
    await write(page, 'first');
    await inside(page).getByText('Not sent.').waitFor();
    chat.state.refusing = null;
    await inside(page).getByRole('button', { name: 'Try again' }).click();
    await until('it is stored', () => chat.texts.join() === 'first');
    await sent(page, 'first');
    chat.state.refusing = 'too_long';
    await write(page, 'second');
    await inside(page).getByText('The message is too long.').waitFor();
    await inside(page).getByRole('button', { name: 'Remove' }).click();
    await shows(page, ['first']);
  },

  async 'files are picked, dropped and pasted, within the rules'({ page, chat, cookies }) {
    await openChat(page);
    const picker = inside(page).locator('input[type=file]');
    await picker.setInputFiles([{ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') }, { name: 'b.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('x') }]);
    await inside(page).getByText('b.exe is of a type that is not taken here.').waitFor();
    await until('picking was acting', async () => (await cookies()).length === 1);
    const give = (kind, target) =>
      target.evaluate((node, [type]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(40)], `${type}.png`, { type: 'image/png' }));
        node.dispatchEvent(type === 'drop' ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }) : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
      }, [kind]);
    await give('drop', inside(page).locator('.talk'));
    await give('paste', field(page));
    await inside(page).getByText('Only 2 files fit into one message.').waitFor();
    await until('both are up', () => chat.state.uploads.size === 2);
    await field(page).fill('two files');
    await until('it may be sent', async () => (await inside(page).getByRole('button', { name: 'Send' }).getAttribute('aria-disabled')) === 'false');
    await field(page).press('Enter');
    await until('they are stored', () => chat.state.conversations[0]?.messages[0].files.length === 2);
    const [saved] = await Promise.all([page.waitForEvent('download'), inside(page).getByRole('button', { name: 'Download a.txt' }).click()]);
    assert.equal(saved.suggestedFilename(), 'a.txt');
    assert.ok(!chat.state.addresses.some((one) => one.includes('pass-')), 'no pass in an address');
  },

  async 'a file that is refused says why, and one that cannot be checked yet is sent again'({ page, chat }) {
    await openChat(page);
    const picker = inside(page).locator('input[type=file]');
    const give = (name) => picker.setInputFiles([{ name, mimeType: 'text/plain', buffer: Buffer.from('hello') }]);
    chat.state.refusing_files = [[422, 'infected']];
    await give('a.txt');
    await inside(page).getByText('a.txt was refused by the virus check.').waitFor();
    chat.state.refusing_files = [[503, 'unavailable'], [503, 'unavailable']];
    await give('b.txt');
    await until('it is up', () => chat.state.uploads.size === 1);
    assert.equal(await inside(page).getByRole('alert').count(), 0);
  },

  async 'more than one conversation is a list, and a closed one opens again'({ page, chat }) {
    await openChat(page);
    await say(page, 'about shoes');
    chat.change({ open: false });
    await inside(page).getByText('This conversation is closed.').waitFor();
    await inside(page).getByRole('button', { name: 'New conversation' }).click();
    await say(page, 'about lamps');
    assert.equal(chat.state.conversations.length, 2);
    await inside(page).getByRole('button', { name: 'All conversations' }).click();
    await inside(page).getByRole('button', { name: /about shoes/ }).click();
    await shows(page, ['about shoes']);
    await write(page, 'more shoes');
    await until('the first goes on', () => chat.state.conversations[0].open && chat.texts.includes('more shoes'));
    assert.equal(chat.state.conversations.length, 2);
  },

  async 'the verbs do what they say, twice is once, and nothing throws'({ page, chat, desk }) {
    await launcher(page).waitFor();
    await page.evaluate((address) => new Promise((done) => Object.assign(document.head.appendChild(document.createElement('script')), { src: address, onload: done })), `${desk}/sb/${KEY}.js`);
    assert.equal(await launcher(page).count(), 1);
    await call(page, 'nonsense', 1);
    await page.evaluate(() => {
      window.counted = [];
      window.counter = (n) => window.counted.push(n);
      window.switchboard('on', 'open', () => { throw new Error('the page’s own'); });
      window.switchboard('on', 'open', window.counter);
    });
    await call(page, 'startConversation', { text: 'About order 12', topic: 'x' });
    await until('the text is in the field', async () => (await field(page).inputValue()) === 'About order 12');
    assert.equal(await page.evaluate(() => window.counted.length), 1);
    await page.evaluate(() => window.switchboard('off', 'open', window.counter));
    await call(page, 'close');
    await call(page, 'toggle');
    assert.equal(await page.evaluate(() => window.counted.length), 1);
    await call(page, 'update', { color: '#ffee00', position: 'left', theme: 'dark', locale: 'da' });
    await until('it is on the left, in black on yellow', () => launcher(page).evaluate((node) => node.getBoundingClientRect().left === 20 && getComputedStyle(node).color === 'rgb(0, 0, 0)'));
    await inside(page).getByRole('textbox', { name: 'Skriv en besked' }).waitFor();
    assert.equal(await inside(page).locator('html').getAttribute('data-theme'), 'dark');
    await call(page, 'consent', true);
    await until('opening with consent is remembered', async () => (await page.context().cookies()).length === 1);
    await call(page, 'consent', false);
    assert.deepEqual(await page.context().cookies(), []);
    await call(page, 'destroy');
    assert.equal(await page.locator('body > button, iframe').count(), 0);
    await until('the socket is gone', () => chat.clients.size === 0);
    await call(page, 'destroy');
    await call(page, 'boot');
    await openChat(page);
  },

  async 'where no WebSocket gets through, one long answer does'(shop) {
    await talks(shop);
    assert.ok(shop.chat.state.addresses.includes('/channels/shop_chat/stream'));
    shop.chat.drop();
    await inside(shop.page).getByText(/No connection/).waitFor();
    await write(shop.page, 'while you were gone');
    await returns(shop);
    await sent(shop.page, 'while you were gone');
    assert.equal(shop.chat.texts.length, 3);
  },

  async 'where answers are kept back until their end, polls do'(shop) {
    await silence(shop);
    await closeChat(shop.page);
    await talks(shop);
    assert.ok(shop.chat.state.addresses.includes('/channels/shop_chat/poll'));
  },

  async 'a conversation that costs work begins with it, and nobody sees any of that'({ page, chat }) {
    await openChat(page);
    await write(page, 'one');
    await write(page, 'two');
    await until('both are stored', () => chat.texts.join() === 'one,two');
    await shows(page, ['one', 'two']);
    assert.equal(chat.state.conversations.length, 1);
    const [first, second] = chat.state.frames.filter((frame) => frame.type === 'message');
    assert.match(first.work, /^[\w-]{32}\.\d+$/);
    assert.deepEqual([second.work, second.conversation], [undefined, chat.state.conversations[0].id]);
    await say(page, 'three');
    assert.equal(chat.texts.length, 3);
    // The next conversation, with a challenge that has become too old.
    chat.state.challenges.clear();
    await page.evaluate(() => window.switchboard('startConversation', { text: 'four' }));
    await until('it is in the field', async () => (await field(page).inputValue()) === 'four');
    await field(page).press('Enter');
    await until('it is stored', () => chat.texts.length === 4);
    assert.deepEqual(chat.state.conversations.map((one) => one.messages.map((two) => two.text)), [['one', 'two', 'three'], ['four']]);
    await sent(page, 'four');
  },

  async 'work that cannot be loaded is told, and what waits for it does not wait for ever'({ page, chat, complaints }) {
    await page.route('**/assets/work-*', (route) => route.abort());
    await openChat(page);
    await write(page, 'one');
    await inside(page).getByText('Not sent.').waitFor();
    await write(page, 'two');
    await until('both are told', async () => (await inside(page).getByText('Not sent.').count()) === 2);
    assert.equal(await inside(page).getByText('Sending…').count(), 0);
    assert.deepEqual(chat.texts, []);
    await page.unroute('**/assets/work-*');
    await page.reload();
    await openChat(page);
    await write(page, 'three');
    await until('it is stored', () => chat.texts.includes('three'));
    complaints.length = 0;
  },

  async 'a message outside of hours costs work as well, and over plain HTTP'(shop) {
    const { page, chat } = shop;
    await silence(shop);
    await inside(page).getByLabel('Email').fill('kari@eksempel.test');
    await inside(page).getByRole('textbox', { name: 'Message' }).fill('Call me.');
    await inside(page).getByRole('button', { name: 'Send' }).click();
    await until('it is stored', () => chat.texts.length === 1);
    await inside(page).getByText('Thank you. Your message is here').waitFor();
    assert.deepEqual(chat.state.conversations[0].fields, [['email', 'kari@eksempel.test']]);
    assert.ok(chat.state.addresses.includes('/channels/shop_chat/poll'));
  },

  async 'work that takes long is explained, and not done for whoever need not do it any more'({ page, chat }) {
    await openChat(page);
    await write(page, 'one');
    await write(page, 'two');
    await inside(page).getByText('Checking your browser …').first().waitFor();
    assert.deepEqual(chat.texts, []);
    chat.state.bits = 0;
    chat.cut();
    await until('it is stored', () => chat.texts.join() === 'one,two');
    await sent(page, 'two');
    await until('nothing is explained', async () => (await inside(page).getByText('Checking your browser …').count()) === 0);
  },

  async 'a page from a file shows the widget where web views are let in'({ context, chat, desk, page }) {
    await withFile(desk, async (address) => {
      const app = await context.newPage();
      await app.goto(address);
      await openChat(app);
      await write(app, 'from the app');
      await until('it is stored', () => chat.texts.join() === 'from the app');
      chat.reply('to the app');
      await shows(app, ['from the app', 'to the app']);
      await field(app).press('Escape');
      await until('it is closed', async () => (await launcher(app).getAttribute('aria-expanded')) === 'false');
    });
    // A site is as exactly known as ever.
    await openChat(page);
  },

  async 'a page from a file gets an empty frame where they are not'({ context, chat, desk }) {
    await withFile(desk, async (address) => {
      const app = await context.newPage();
      await app.goto(address);
      await Promise.all([app.waitForEvent('console', (message) => /frame-ancestors/.test(message.text())), launcher(app).click()]);
      await until('the browser shows its own page', () => app.frames().some((one) => one.url().startsWith('chrome-error:')));
      assert.deepEqual(chat.state.hellos, []);
    });
  },

  async 'a message of another window changes nothing'({ page, chat }) {
    await openChat(page);
    await page.evaluate((name) => {
      window.postMessage({ sb: 1, type: 'store', value: 'stolen' }, '*');
      window.postMessage({ sb: 1, type: 'unread', value: 7 }, '*');
      document.querySelector('iframe').contentWindow.postMessage({ sb: 2, type: 'logout' }, '*');
      void name;
    }, KEY);
    await say(page, 'still here');
    await answered(page);
    assert.equal(await launcher(page).getAttribute('aria-label'), 'Chat with us');
    assert.ok(!(await page.context().cookies()).some((one) => one.value === 'stolen'));
  },

  async 'a form stands in the page as high as it is, filled in, and says when it was sent'({ page, chat }) {
    const form = page.frameLocator('iframe[src*="/channels/"]');
    await until('it is filled in', async () => (await form.getByLabel('Email').inputValue()) === 'kari');
    await page.evaluate(() => {
      window.heard = [];
      for (const name of ['form:sent', 'form:error']) document.addEventListener(`switchboard:${name}`, (event) => window.heard.push(`${name} ${event.detail.form}`));
    });
    const height = () => page.locator('iframe[src*="/channels/"]').evaluate((node) => [node.clientHeight, node.getBoundingClientRect().height]);
    await until('the frame is as high as the form', async () => {
      const wanted = await form.locator('html').evaluate((node) => node.querySelector('body').scrollHeight);
      return Math.abs((await height())[0] - wanted) < 3;
    });
    await form.getByRole('button').click();
    await form.getByText('Something is missing').waitFor();
    await page.reload();
    await page.evaluate(() => {
      window.heard = [];
      document.addEventListener('switchboard:form:sent', (event) => window.heard.push(`form:sent ${event.detail.form}`));
    });
    await until('it is filled in again', async () => (await form.getByLabel('Email').inputValue()) === 'kari');
    await form.getByLabel('Email').fill('kari@eksempel.test');
    await form.getByRole('button').click();
    await form.getByText('Thank you').waitFor();
    await until('the page is told', () => page.evaluate(() => window.heard.join() === 'form:sent contact'));
    assert.equal(chat.state.submitted.email, 'kari@eksempel.test');
  },

  async 'a loader that is pinned by its digest works the same'({ page, chat }) {
    await openChat(page);
    await write(page, 'pinned');
    await until('it is stored', () => chat.texts.length === 1);
  },

  async 'the page in the frame stands alone as well'({ page, chat, desk }) {
    await page.goto(`${desk}/w/${KEY}`);
    await page.getByRole('textbox', { name: 'Write a message' }).fill('from a link');
    await page.keyboard.press('Enter');
    await until('it is stored', () => chat.texts.length === 1);
    await page.reload();
    await page.getByText('from a link').waitFor();
  },
};

const soon = Date.now() + 2 * 86_400_000;
const PRECHAT = {
  topics: [{ value: 'delivery', label: { en: 'Delivery' } }],
  prechat: [{ name: 'email', kind: 'email', required: true, label: { en: 'Email' } }, { name: 'order', kind: 'number', required: false, label: { en: 'Order number' }, topics: ['delivery'] }],
};
/** A page that a computer opens from its own files, as the web views of apps do. */
async function withFile(desk, run) {
  const folder = mkdtempSync(join(tmpdir(), 'widget-file-'));
  const path = join(folder, 'app.html');
  writeFileSync(path, `<!doctype html><html lang="en"><title>App</title><body><script async src="${desk}/sb/${KEY}.js"></script></body></html>`);
  try {
    await run(`file://${path}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
/** The answers are kept back so long that the widget takes another way. */
async function silence({ page, chat }) {
  await page.clock.install();
  await launcher(page).click();
  await until('it waits for an answer', () => chat.state.addresses.includes('/channels/shop_chat/stream'));
  await page.clock.fastForward(10_000);
  await until('it has taken another way', () => chat.clients.size === 1);
}
/** Both ways, and nothing of the way in an address. */
async function talks({ page, chat }) {
  await openChat(page);
  await write(page, 'Do you have lamps?');
  await until('it is stored', () => chat.texts.length === 1);
  chat.reply('We do.');
  await shows(page, ['Do you have lamps?', 'We do.']);
  assert.equal(chat.clients.size, 1);
  assert.ok(chat.state.addresses.every((one) => !one.includes('?') || one.startsWith('/channels/contact')));
}

export const SETTINGS = {
  'a preview hides no more than a third of a small page, and its height is checked': { width: 375, height: 320 },
  'phones have their own emoji': { width: 375, height: 700, touch: true },
  'where no WebSocket gets through, one long answer does': { chat: { sockets: false } },
  'where answers are kept back until their end, polls do': { chat: { sockets: false, streams: false } },
  'where an identity is required, strangers are told': { chat: { requires: true } },
  'answers before the talk are checked, sent along, and not asked twice': { chat: PRECHAT },
  'outside of hours a message is taken with an address, and the next opening is shown': { chat: { open: false, opens_at: soon } },
  'a message outside of hours asks for its answer by mail, where anything is mailed': { chat: { ...PRECHAT, mail: { after_minutes: 3 }, open: false, opens_at: soon } },
  'whoever waits asks for the answer by mail, and it stays so': { chat: { mail: { after_minutes: 3 } } },
  'after minutes without an answer mail is suggested, and an answer of a person ends that': { chat: { mail: { after_minutes: 3 } } },
  'an address that the page names stands in the field': { chat: { mail: { after_minutes: 3 } } },
  'an address that the site has proven need not be typed': { chat: { mail: { after_minutes: 3, address: 'kari@eksempel.test' } } },
  'a conversation that costs work begins with it, and nobody sees any of that': { chat: { bits: 12 } },
  'work that cannot be loaded is told, and what waits for it does not wait for ever': { chat: { bits: 12 } },
  'a message outside of hours costs work as well, and over plain HTTP': { chat: { bits: 12, open: false, opens_at: soon, sockets: false, streams: false, prechat: PRECHAT.prechat.slice(0, 1) } },
  'work that takes long is explained, and not done for whoever need not do it any more': { chat: { bits: 32 } },
  'a page from a file shows the widget where web views are let in': { chat: { web_views: true } },
  'a form stands in the page as high as it is, filled in, and says when it was sent': { path: '/form' },
  'a loader that is pinned by its digest works the same': { tag: (desk) => `<script async crossorigin data-widget-key="${KEY}" src="${desk}/sb/loader-pinned.js"></script>` },
};

/** What axe finds in the frame and around it, in every mood and size. */
async function accessible(browser) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of [[1280, 800], [375, 700]]) {
      for (const [scene, options] of [['talk', {}], ['emoji', {}], ['preview', {}], ['questions', { chat: PRECHAT }], ['away', { chat: { open: false, opens_at: soon } }], ['mail', { chat: { mail: { after_minutes: 0 } } }]]) {
        const shop = await openShop(browser, { ...options, colorScheme, width, height });
        const { page, chat } = shop;
        await launcher(page).click();
        await (scene === 'away' ? inside(page).getByRole('heading', { name: /We are back/ }).waitFor() : connected(page));
        if (scene === 'talk') {
          await write(page, 'Hello');
          await until('it is stored', () => chat.texts.length === 1);
          chat.reply('Hello, this is Pia. See https://shop.test/');
          await bubbles(page).getByText('this is Pia').waitFor();
          await field(page).fill('Thank you');
        }
        if (scene === 'mail') {
          await write(page, 'Hello');
          await inside(page).getByText('It takes longer').waitFor();
          await prefer(page).click();
          await inside(page).locator('.mail').getByRole('button', { name: 'Send' }).click();
          await inside(page).getByText('Please fill this in.').waitFor();
        }
        if (scene === 'emoji') {
          await inside(page).getByRole('button', { name: 'Mute' }).click();
          await inside(page).getByRole('button', { name: 'Emoji', exact: true }).click();
          await until('they are there', () => hasFocus(inside(page).getByRole('button', { name: '😀', exact: true })));
        }
        if (scene === 'preview') {
          await write(page, 'Hello');
          await inside(page).getByText('· Sent').waitFor();
          await closeChat(page);
          chat.reply('Hello, this is Pia. We do have lamps: tall ones and small ones, in brass and in glass. Shall I show you a few of them?');
          await until('it shows itself', async () => (await box(page)).shown && (await box(page)).height < 180);
        }
        const frame = page.frames().find((one) => one.url().includes('/w/'));
        const wide = await frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        const lines = [...(await audit(page)), ...(await audit(frame)), ...shop.complaints, ...(wide > 0 ? [`${wide} px too wide`] : [])];
        found.push(...lines.map((line) => `${scene} ${colorScheme} ${width}: ${line}`));
        if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${scene}-${colorScheme}-${width}.png` });
        await shop.close();
      }
    }
  }
  assert.deepEqual(found, []);
}

const { browser, close } = await openBrowser();
let failed = 0;
const report = async (name, run) => {
  if (process.argv[2] && !name.includes(process.argv[2])) return;
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n        ${String(error.stack ?? error).split('\n').slice(0, 40).join('\n        ')}`);
  }
};
for (const [name, run] of Object.entries(tests)) {
  await report(name, async () => {
    const shop = await openShop(browser, SETTINGS[name]);
    try {
      await run(shop);
      assert.deepEqual(shop.complaints, []);
    } catch (error) {
      if (process.env.SHOTS) await shop.page.screenshot({ path: `${process.env.SHOTS}/failed-${name.slice(0, 24).replaceAll(' ', '-')}.png` }).catch(() => {});
      const heard = shop.chat.state.frames.map(({ type }) => type).join(' ');
      error.stack += `\nThe server heard: ${heard}\nThe talk: ${JSON.stringify(shop.chat.texts)}\nComplaints: ${JSON.stringify(shop.complaints)}`;
      throw error;
    } finally {
      await shop.close();
    }
  });
}
await report('axe finds nothing, light and dark, wide and narrow', () => accessible(browser));
await close();
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
