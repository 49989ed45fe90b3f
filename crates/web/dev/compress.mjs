// Lays a gzip twin beside every built text file, so that the server never compresses while somebody waits.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !/\.(js|css|svg|html|json)$/.test(entry.name) || entry.name === 'manifest.json') continue;
  const packed = gzipSync(readFileSync(path), { level: 9 });
  if (packed.length < readFileSync(path).length) writeFileSync(`${path}.gz`, packed);
  else rmSync(`${path}.gz`, { force: true });
}
