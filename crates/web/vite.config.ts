// Builds the desk into `dist`, where the crate embeds it from.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Words that only the settings pages show, by the first part of their keys. They are loaded with those pages. */
const SETTINGS = new Set([
  'fact', 'fallback', 'outside_hours', 'people', 'reopen_owner', 'role', 'rule', 'scope', 'seat', 'target', 'when_nobody',
  'workspace_kind',
]);

/** Words that only the server uses, in mails. */
const SERVER = new Set(['chat_mail']);

/** Gives out a catalogue in two parts: `?part=desk` and `?part=settings`. */
const parts = {
  name: 'catalogue-parts',
  enforce: 'pre' as const,
  load(id: string) {
    const [, file, part] = /^(.*\/locales\/[a-z]+\.json)\?part=(desk|settings)$/.exec(id) ?? [];
    if (file === undefined) return null;
    const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
    const words = all.filter(([key]) => !SERVER.has(key.split('.')[0] ?? ''));
    const wanted = words.filter(([key]) => SETTINGS.has(key.split('.')[0] ?? '') === (part === 'settings'));
    return { code: `export default ${JSON.stringify(Object.fromEntries(wanted))}`, moduleType: 'js' as const };
  },
};

export default defineConfig({
  plugins: [parts, svelte()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/frame': 'http://127.0.0.1:8080' } },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    css: true,
  },
});
