// Files on their way up and down: with the pass in a header, never in an address.
import type { Chat } from './chat.svelte';
import type { FileRules } from './protocol';
import type { Upload } from './timeline';

export type Fault = { code: 'too_large' | 'type' | 'count' | 'failed' | 'infected' | 'pixels'; name: string };
/** An upload that waits for its message, as the server keeps it. */
export type Kept = Pick<Upload, 'id' | 'name' | 'content_type' | 'size_bytes'>;

/** Whether the rules take a file of this name and type. */
export function takes(rules: FileRules, name: string, type: string): boolean {
  if (rules.types.length === 0) return true;
  return rules.types.some((one) => {
    const wanted = one.toLowerCase();
    if (wanted.startsWith('.')) return name.toLowerCase().endsWith(wanted);
    return wanted.endsWith('/*') ? type.toLowerCase().startsWith(wanted.slice(0, -1)) : type.toLowerCase() === wanted;
  });
}

/** Which of the files may come along, beside those that are there already, and what is wrong with the others. */
export function admitted(rules: FileRules, files: readonly File[], held: number): { files: File[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const good: File[] = [];
  for (const file of files) {
    if (file.size > rules.bytes) faults.push({ code: 'too_large', name: file.name });
    else if (!takes(rules, file.name, file.type)) faults.push({ code: 'type', name: file.name });
    else if (held + good.length >= rules.count) faults.push({ code: 'count', name: file.name });
    else good.push(file);
  }
  return { files: good, faults };
}

interface Answer {
  status: number;
  body: Partial<Kept> & { code?: string };
  /** Seconds after which it may come again. */
  wait: number;
}

/** What the server says of a file that it does not take, and what the visitor reads. */
const REFUSED: Record<string, Fault['code']> = { file_type: 'type', too_large: 'too_large', too_many_pixels: 'pixels', infected: 'infected' };
const ATTEMPTS = 4;
const LONGEST_WAIT_S = 20;

function post(path: string, pass: string, file: File, progress: (share: number) => void, signal?: AbortSignal): Promise<Answer> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Authorization', `Bearer ${pass}`);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onloadend = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // What is no answer of ours says nothing.
      }
      done({ status: request.status, body: body ?? {}, wait: Number(request.getResponseHeader('Retry-After')) || 5 });
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** Uploads one file, again when the server asks for that; answers with what is kept, or with what is wrong. */
export async function upload(chat: Chat, file: File, progress: (share: number) => void = () => {}, signal?: AbortSignal): Promise<Kept | Fault['code']> {
  let [fresh, was_refused] = [false, false];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pass = await chat.filePass(fresh);
    fresh = false;
    if (!pass || signal?.aborted) return 'failed';
    const { status, body, wait } = await post(chat.files_path, pass, file, progress, signal);
    const { id, name, content_type, size_bytes } = body;
    if (status === 201 && id) return { id, name: name ?? file.name, content_type: content_type ?? file.type, size_bytes: size_bytes ?? file.size };
    if (status === 401 && !was_refused) fresh = was_refused = true;
    else if ((status === 429 || status === 503) && attempt + 1 < ATTEMPTS) await new Promise((done) => setTimeout(done, Math.min(wait, LONGEST_WAIT_S) * 1000));
    else return REFUSED[body.code ?? ''] ?? 'failed';
  }
  return 'failed';
}

/** Uploads those that have no id, one after the other. */
export async function uploadAll(chat: Chat, uploads: readonly Upload[]): Promise<Upload[]> {
  const all: Upload[] = [];
  for (const one of uploads) {
    const found = one.id === null && one.file ? await upload(chat, one.file) : null;
    all.push(found && typeof found === 'object' ? { ...one, ...found } : one);
  }
  return all;
}

/** A file of a message, as an address in this document. */
export async function download(chat: Chat, conversation: number, message: number, place: number): Promise<string | null> {
  for (const fresh of [false, true]) {
    const pass = await chat.filePass(fresh);
    if (!pass) return null;
    const answer = await fetch(`${chat.files_path}/${conversation}/${message}/${place}`, { headers: { authorization: `Bearer ${pass}` } }).catch(() => null);
    if (answer?.ok) return URL.createObjectURL(await answer.blob());
    if (answer?.status !== 401) return null;
  }
  return null;
}
