// Writes the TypeScript types of the API from its OpenAPI document. With `--check` it only says whether they are
// current. A reference to a schema that the document lacks is named, and typed as text until it is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapi, { astToString } from 'openapi-typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'src/core/api.gen.ts');
const document = JSON.parse(readFileSync(join(root, '../api/openapi.json'), 'utf8'));

const named = new Set([...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"/]+)"/g)].map(([, name]) => name));
for (const name of [...named].sort()) {
  if (document.components.schemas[name]) continue;
  console.warn(`the OpenAPI document refers to a schema that it lacks: ${name}`);
  document.components.schemas[name] = { type: 'string' };
}

const header = '// Written by `npm run types` from crates/api/openapi.json; not edited by hand.\n\n';
const types = header + astToString(await openapi(document, { silent: true }));
if (process.argv.includes('--check')) {
  const current = (() => {
    try {
      return readFileSync(target, 'utf8');
    } catch {
      return '';
    }
  })();
  if (current !== types) {
    console.error('src/core/api.gen.ts is not what the OpenAPI document says: run `npm run types` in crates/web and commit it');
    process.exit(1);
  }
} else writeFileSync(target, types);
