// Fails when what the browser loads has outgrown its budget. Sizes are gzip -9, 1 kB = 1024 bytes.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'dist/manifest.json'), 'utf8'));
const packed = (file) => gzipSync(readFileSync(join(root, file)), { level: 9 }).length / 1024;
const built = (file) => packed(join('dist', file));

/** A chunk with everything that it imports statically. */
function closure(key, seen = new Set(), within = manifest) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of within[key].imports ?? []) closure(next, seen, within);
  return seen;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const first = [...closure(entry)].map((key) => manifest[key]);
const sum = (files) => files.reduce((total, file) => total + built(file), 0);
const rows = [
  ['first load, JavaScript', sum(first.map((chunk) => chunk.file)), 140],
  ['first load, CSS', sum([...new Set(first.flatMap((chunk) => chunk.css ?? []))]), 18],
];
for (const language of ['en', 'nl', 'nb', 'da']) {
  for (const part of ['desk', 'settings']) {
    rows.push([`words, ${part}, ${language}`, built(manifest[`locales/${language}.json?part=${part}`].file), 8]);
  }
}
for (const [key, chunk] of Object.entries(manifest)) {
  if (chunk.isDynamicEntry && !key.includes('locales/')) rows.push([`lazy, ${chunk.name ?? key}`, built(chunk.file), 60]);
}

const frame = JSON.parse(readFileSync(join(root, 'dist/widget/frame/manifest.json'), 'utf8'));
const inFrame = (key) => built(join('widget/frame', frame[key].file));
const scripts = Object.keys(frame).filter((key) => frame[key].file.endsWith('.js') && !key.includes('locales/'));
/** What only some visitors load, with its budget: the chunk, and what it needs that nothing else needs. All the rest counts as the frame. */
const APART = { emoji: 6, work: 4 };
const begun = scripts.filter((key) => frame[key].isEntry || frame[key].isDynamicEntry);
const needed = (keys) => new Set(keys.flatMap((key) => [...closure(key, new Set(), frame)]));
const ours = needed(begun.filter((key) => !(frame[key].name in APART)));
const weigh = (keys) => [...keys].reduce((total, key) => total + inFrame(key), 0);
rows.push(['widget, loader', built('widget/loader.js'), 3]);
rows.push(['widget, frame, JavaScript', weigh(ours), 35]);
for (const [name, limit] of Object.entries(APART)) rows.push([`widget, lazy, ${name}`, weigh([...needed(begun.filter((key) => frame[key].name === name))].filter((key) => !ours.has(key))), limit]);
rows.push(['widget, frame, CSS', weigh(Object.keys(frame).filter((key) => frame[key].file.endsWith('.css'))), 5]);
for (const key of Object.keys(frame).filter((key) => key.includes('locales/'))) rows.push([`widget, words, ${/(\w+)\.json/.exec(key)[1]}`, inFrame(key), 3]);

let over = 0;
for (const [name, size, limit] of rows) {
  const mark = size > limit ? 'OVER' : 'ok';
  if (size > limit) over += 1;
  console.log(`${mark.padEnd(5)}${name.padEnd(30)}${size.toFixed(2).padStart(8)} kB of ${limit}`);
}
process.exit(over > 0 ? 1 : 0);
