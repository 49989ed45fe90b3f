// Files on their way out: read in the browser and sent with the message.
import type { OutgoingFile } from './item.svelte';

/** The server has the last word; this only spares a hopeless upload. */
export const LARGEST_FILE_BYTES = 15 * 1024 * 1024;

export async function readFile(file: File): Promise<OutgoingFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { name: file.name || 'file', content_type: file.type || 'application/octet-stream', base64: base64(bytes), bytes: bytes.length };
}

/** Standard base64, in pieces small enough for one call. */
export function base64(bytes: Uint8Array): string {
  const PIECE = 0x8000;
  let binary = '';
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}
