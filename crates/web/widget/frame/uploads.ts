// Files on their way up and down: with the pass in a header, never in an address.
import type { Chat } from './chat.svelte';
import type { FileRules } from './protocol';
import type { Upload } from './timeline';

export type Fault = { code: 'too_large' | 'type' | 'count' | 'failed'; name: string };

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
  id: string | null;
}

function post(path: string, pass: string, file: File, progress: (share: number) => void, signal?: AbortSignal): Promise<Answer> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Authorization', `Bearer ${pass}`);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.setRequestHeader('X-File-Name', encodeURIComponent(file.name));
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onloadend = () => {
      let id: unknown = null;
      try {
        id = (JSON.parse(request.responseText) as { id?: unknown }).id;
      } catch {
        // What is no answer of ours has no id.
      }
      done({ status: request.status, id: request.status === 201 && typeof id === 'string' ? id : null });
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** Uploads one file; null when it did not work. */
export async function upload(chat: Chat, file: File, progress: (share: number) => void = () => {}, signal?: AbortSignal): Promise<string | null> {
  const pass = await chat.filePass();
  if (!pass || signal?.aborted) return null;
  const answer = await post(chat.files_path, pass, file, progress, signal);
  if (answer.status !== 401) return answer.id;
  const fresh = await chat.filePass(true);
  return fresh ? (await post(chat.files_path, fresh, file, progress, signal)).id : null;
}

/** Uploads those that have no id, one after the other. */
export async function uploadAll(chat: Chat, uploads: readonly Upload[]): Promise<Upload[]> {
  const all: Upload[] = [];
  for (const one of uploads) all.push(one.id !== null || !one.file ? one : { ...one, id: await upload(chat, one.file) });
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
