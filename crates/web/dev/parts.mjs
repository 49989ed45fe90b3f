// The catalogue in parts, each loaded with the pages that show it: `locales/nb.json?part=desk`.
import { readFileSync } from 'node:fs';

/** Words that only the settings pages show, by the first part of their keys. */
const SETTINGS = new Set([
  'fact', 'fallback', 'outside_hours', 'people', 'reopen_owner', 'role', 'rule', 'scope', 'seat', 'settings', 'target',
  'when_nobody', 'workspace_kind',
]);
/** Words of the settings pages that the desk shows as well. */
const SHARED = new Set(['channels', 'copied', 'me', 'people', 'title', 'tokens'].map((name) => `settings.${name}`));
/** Words that visitors see in the widget; `launcher` are those that its loader knows, `chat_mail` those that the server alone says. */
const OTHER = { widget: 'widget', launcher: 'launcher', chat_mail: 'server' };

const partOf = (key) => {
  const first = key.split('.')[0] ?? '';
  return OTHER[first] ?? (SETTINGS.has(first) && !SHARED.has(key) ? 'settings' : 'desk');
};

/** The words of one part, by key. */
export function wordsOf(file, part) {
  return Object.fromEntries(Object.entries(JSON.parse(readFileSync(file, 'utf8'))).filter(([key]) => partOf(key) === part));
}

export const parts = {
  name: 'catalogue-parts',
  enforce: 'pre',
  load(id) {
    const [, file, part] = /^(.*\/locales\/[a-z]+\.json)\?part=(desk|settings|widget)$/.exec(id) ?? [];
    if (file === undefined) return null;
    return { code: `export default ${JSON.stringify(wordsOf(file, part))}`, moduleType: 'js' };
  },
};
