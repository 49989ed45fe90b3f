// Builds the page inside the widget's frame.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { parts } from '../../dev/parts.mjs';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/sb/frame/',
  publicDir: false,
  plugins: [parts as Plugin, svelte({ configFile: false })],
  build: {
    target: 'es2022',
    outDir: '../../dist/widget/frame',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    reportCompressedSize: false,
  },
});
