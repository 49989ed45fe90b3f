// Builds the page inside the widget's frame.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { parts } from '../../dev/parts.mjs';

/** Nothing is loaded ahead of a chunk: there is one style sheet, and no chunk needs another that is not there. */
const plainImports: Plugin = {
  name: 'plain-imports',
  enforce: 'pre',
  load: (id) => (id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load();' : null),
};

/** What marks a component's elements for its styles: its name, which is unique here and travels lighter than a digest. */
const cssHash = ({ name }: { name: string }): string => name;

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/sb/frame/',
  publicDir: false,
  plugins: [parts as Plugin, plainImports, svelte({ configFile: false, compilerOptions: { cssHash, runes: true, discloseVersion: false } })],
  build: {
    target: 'es2022',
    outDir: '../../dist/widget/frame',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    manifest: 'manifest.json',
    reportCompressedSize: false,
  },
});
