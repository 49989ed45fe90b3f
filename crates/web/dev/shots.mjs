// Pictures of the desk in every layout, language and mood, each checked by axe-core. Prints what it finds and
// fails when there is anything. `npm run build && npm run shots [-- FOLDER [NAME]]`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { audit, openBrowser, openDesk } from './browser.mjs';

const folder = process.argv[2] ?? join(process.env.TMPDIR ?? '/tmp', 'desk-shots');
const only = process.argv[3];
mkdirSync(folder, { recursive: true });

const item = '/inbox/mine/10424';
const phone = { width: 375, height: 812, touch: true };
const scenes = [
  ['desktop', { path: item }],
  ['desktop-dark', { path: item, colorScheme: 'dark' }],
  ['desktop-danish', { path: item, locale: 'da-DK' }],
  ['unassigned', { path: '/inbox/unassigned' }],
  ['open-sorted', { path: '/inbox/open/10430?sort=waiting_longest', locale: 'nb-NO' }],
  ['tablet', { path: item, width: 1000, height: 800 }],
  ['tablet-details', { path: item, width: 1000, height: 800 }, async (page) => page.getByRole('button', { name: 'Details', exact: true }).click()],
  ['small', { path: '/inbox/open', width: 800, height: 900 }],
  ['phone-list', { path: '/inbox/open', ...phone }],
  ['phone-thread', { path: item, ...phone }],
  ['phone-dark', { path: '/inbox/open', ...phone, colorScheme: 'dark', locale: 'nl-NL' }],
  ['phone-views', { path: '/inbox/open', ...phone }, async (page) => page.getByRole('button', { name: /Choose a view/ }).click()],
  ['empty', { path: '/inbox/mine', mock: { items: 0 } }],
  ['error', { path: '/inbox/mine', mock: { fail_items: true } }],
  ['missing', { path: '/inbox/mine/999999' }],
  ['login', { path: '/login', mock: { signed_in: false } }],
  ['login-phone-dark', { path: '/login', mock: { signed_in: false }, ...phone, colorScheme: 'dark' }],
  ['search', { path: '/search?q=lamp' }],
  ['presence', { path: item }, async (page) => page.getByRole('button', { name: /Change your availability/ }).click()],
  ['presence-phone', { path: '/inbox/open', ...phone }, async (page) => page.getByRole('button', { name: /Change your availability/ }).click()],
  ['assign', { path: item }, async (page) => (await page.getByRole('button', { name: /^Assign:/ }).click(), page.getByRole('listbox').waitFor())],
  ['assign-dark', { path: item, colorScheme: 'dark' }, async (page) => (await page.getByRole('button', { name: /^Assign:/ }).click(), page.getByRole('listbox').waitFor())],
  ['more', { path: item }, async (page) => page.getByRole('button', { name: 'More actions' }).click()],
  ['move', { path: item }, async (page) => (await page.getByRole('button', { name: 'More actions' }).click(), await page.getByRole('button', { name: /^Move to/ }).click(), page.getByRole('dialog').waitFor())],
  ['merge', { path: item }, async (page) => (await page.getByRole('button', { name: 'More actions' }).click(), await page.getByRole('button', { name: /^Merge with/ }).click(), await page.getByRole('searchbox').fill('a'), await page.getByRole('radio').first().check())],
  ['note', { path: item }, async (page) => (await page.getByRole('tab', { name: 'Note' }).click(), page.getByRole('textbox', { name: /note to your/ }).fill('Asked the warehouse; they call back at two.'))],
  ['note-dark', { path: item, colorScheme: 'dark' }, async (page) => page.getByRole('tab', { name: 'Note' }).click()],
  ['keys', { path: item }, async (page) => page.keyboard.press('?')],
  ['palette', { path: item }, async (page) => page.keyboard.press('Control+k')],
  ['palette-found', { path: item, colorScheme: 'dark' }, async (page) => (await page.keyboard.press('Control+k'), await page.keyboard.type('lamp'), page.getByRole('option', { name: /#/ }).first().waitFor())],
  ['laptop', { path: '/inbox/open/10424', width: 1280, height: 800 }],
  ['status-told', { path: item }, async (page, mock) => (await page.getByRole('button', { name: /Change your availability/ }).click(), mock.setStatus(1, 'away', 'meeting', 2), page.locator('.toast').waitFor())],
  ['waiting', { path: '/inbox/waiting/10426' }, async (page) => (await page.getByLabel('Why not …').selectOption({ label: 'Liv Moe' }), page.getByText('Liv Moe: skipped, full').waitFor())],
  ['waiting-dark', { path: '/inbox/waiting/10426', colorScheme: 'dark', locale: 'nl-NL' }, async (page) => page.locator('.remedies').waitFor()],
  ['waiting-phone', { path: '/inbox/waiting/10426', ...phone, locale: 'nb-NO' }, async (page) => page.locator('.states .chip').first().waitFor()],
  ['waiting-phone-list', { path: '/inbox/waiting', ...phone }],
  ['waiting-phone-details', { path: '/inbox/waiting/10426', ...phone, colorScheme: 'dark', locale: 'da-DK' }, async (page) => (await page.locator('header [aria-pressed]').last().click(), page.locator('.remedies').waitFor())],
  ['settings-channels', { path: '/settings/channels' }],
  ['settings-rule', { path: '/settings/channels/support_mail' }],
  ['settings-rule-dark', { path: '/settings/channels/contact', colorScheme: 'dark', locale: 'nb-NO' }],
  ['settings-rule-phone', { path: '/settings/channels/support_mail', ...phone }],
  ['settings-rule-faults', { path: '/settings/channels/support_mail', height: 1300 }, async (page) => (await page.getByRole('button', { name: 'Add a case' }).click(), await page.getByRole('button', { name: 'Save' }).click(), page.locator('[aria-invalid]').first().waitFor())],
  ['settings-rule-faults-phone', { path: '/settings/channels/support_mail', ...phone, colorScheme: 'dark', locale: 'nl-NL' }, async (page) => (await page.locator('.add button').click(), await page.locator('.foot .primary').click(), page.locator('[aria-invalid]').first().waitFor())],
  ['settings-missing', { path: '/settings/channels/%E0%A4%A' }],
  ['settings-deactivate', { path: '/settings/people', mock: { role: 'admin' } }, async (page) => (await page.getByRole('button', { name: 'Deactivate Liv Moe' }).click(), page.getByRole('combobox', { name: /Hand/ }).waitFor())],
  ['settings-people', { path: '/settings/people' }],
  ['settings-me', { path: '/settings/me', locale: 'da-DK' }],
];

const { browser, close } = await openBrowser();
let faults = 0;
for (const [name, options, act] of scenes) {
  if (only && !name.startsWith(only)) continue;
  const desk = await openDesk(browser, options);
  try {
    await desk.page.waitForSelector('h1', { state: 'attached', timeout: 5000 });
    await desk.page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {}); // The event stream never ends.
    if (act) await act(desk.page, desk.mock);
    await desk.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await desk.page.screenshot({ path: join(folder, `${name}.png`) });
    const wide = await desk.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    const found = [...(await audit(desk.page)), ...desk.complaints, ...(wide > 0 ? [`the page is ${wide} px too wide`] : [])];
    faults += found.length;
    console.log(found.length === 0 ? `ok    ${name}` : `FAIL  ${name}\n        ${found.join('\n        ')}`);
  } catch (error) {
    faults += 1;
    console.log(`FAIL  ${name}: ${error.message}`);
  } finally {
    await desk.close();
  }
}
await close();
process.exit(faults > 0 ? 1 : 0);
