// Opens the built desk in Chromium against the mock, with the axe-core checks at hand.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { createMock } from './mock/server.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ARGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

/** Patience on a busy machine; nothing waits that long where things work. */
export const LONGEST_MS = 60_000;

/**
 * Keeps asking until it holds; nothing here waits for a fixed time. Between two questions the browser gets the processor,
 * and one more is asked when the time is up, since the machine may have stood still.
 */
export async function until(what, holds) {
  const end = Date.now() + LONGEST_MS;
  let fault = '';
  for (let is_last = false; !is_last; ) {
    is_last = Date.now() >= end;
    try {
      if (await holds()) return;
      fault = '';
    } catch (error) {
      fault = `: ${error.message}`;
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.fail(`it never came true that ${what}${fault}`);
}

/**
 * What the pages would do by themselves after so long they leave. A machine may stand still for seconds between any two
 * steps of a scene, and that a toast has gone by then, or a server was silent, says nothing about the page. Scenes about
 * such a time move the page's clock.
 */
export async function patient(context, from_ms) {
  context.setDefaultTimeout(LONGEST_MS);
  context.setDefaultNavigationTimeout(LONGEST_MS);
  await context.addInitScript((from) => {
    const later = window.setTimeout;
    window.setTimeout = (run, ms = 0, ...values) => later(run, ms >= from ? 0x7fffffff : ms, ...values);
  }, from_ms);
}

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'desk-profile-'));
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [...ARGS, ...sandbox, `--crash-dumps-dir=${profile}`] });
  return {
    browser,
    async close() {
      await browser.close();
      // What writes there may end a little later than the browser.
      rmSync(profile, { recursive: true, force: true, maxRetries: 50 });
    },
  };
}

/** A mock host and a page on it; what the page complains about is collected in `complaints`. */
export async function openDesk(browser, { width = 1440, height = 900, locale = 'en-GB', colorScheme = 'light', mock: options = {}, path = '/inbox/mine', touch = false } = {}) {
  const mock = createMock(options);
  const address = await mock.listen();
  const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme, hasTouch: touch, timezoneId: 'Europe/Oslo', reducedMotion: 'reduce', bypassCSP: false });
  // Toasts stay, and attempts to connect again are made by whoever presses the button.
  await patient(context, 3000);
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text()) || (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))) complaints.push(`console: ${message.text().slice(0, 160)} at ${message.location().url}:${message.location().lineNumber}`);
  });
  await page.goto(address + path);
  return { mock, page, context, address, complaints, requests, close: async () => (await context.close(), mock.close()) };
}

/** Violations of WCAG 2.0 to 2.2, A and AA, as lines. */
export async function audit(page) {
  // Through the protocol, because the policy of the page allows no foreign scripts.
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { iframes: false, runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] } }),
  );
  return found.violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} (${violation.help}) ${node.any?.[0]?.message ?? ''}`));
}
