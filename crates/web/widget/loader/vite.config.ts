// Builds the loader into one plain script that runs on the pages of others.
import { defineConfig } from 'vite';
import { fileURLToPath } from 'node:url';
import { wordsOf } from '../../dev/parts.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const languages = ['en', 'nl', 'nb', 'da'];
const words = Object.fromEntries(
  languages.map((language) => {
    const of = wordsOf(`${root}/locales/${language}.json`, 'launcher');
    return [language, [of['launcher.title'], ...of['launcher.unread'].split('{n}')]];
  }),
);

export default defineConfig({
  root,
  publicDir: false,
  // Title of the launcher, and what its badge says.
  define: { __SB_WORDS__: JSON.stringify(words) },
  build: {
    target: 'es2019',
    outDir: 'dist/widget',
    emptyOutDir: false,
    reportCompressedSize: false,
    minify: 'oxc',
    lib: { entry: 'widget/loader/main.ts', formats: ['iife'], name: 'switchboardLoader', fileName: () => 'loader.js' },
  },
});
