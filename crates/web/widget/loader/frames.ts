// Frames of ours in a page of somebody else, and what they say.

/** What a frame says: taken only from that frame and its exact origin, and in this form. */
export type Hear = (type: string, value: any, detail: unknown) => void;

/** A frame of an origin, `base`, that is not in the page yet, listened to until the signal ends it. The frame tells its page's origin where it may answer to. */
export function prepare(title: string, base: string, path: string, signal: AbortSignal, hear: Hear): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  frame.title = title;
  frame.referrerPolicy = 'origin';
  frame.src = base + path;
  const heard = ({ source, origin, data }: MessageEvent): void => {
    if (source === frame.contentWindow && origin === base && data && data.sb === 1) hear(`${data.type}`, data.value, data.detail);
  };
  addEventListener('message', heard, { signal });
  signal.addEventListener('abort', () => frame.remove());
  return frame;
}

/** Says something to a frame, and to no other origin than its own. */
export function say(frame: HTMLIFrameElement, base: string, type: string, value?: unknown): void {
  frame.contentWindow!.postMessage({ sb: 1, type, value }, base);
}
