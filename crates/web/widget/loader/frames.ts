// Frames of ours in a page of somebody else, and what they say.

/** What a frame says: taken only from that frame and its exact origin, and in this form. */
export type Hear = (type: string, value: any, detail: unknown) => void;

/** Listens to a frame that is about to load, until the signal ends it. The frame tells its page's origin where it may answer to. */
export function prepare(frame: HTMLIFrameElement, title: string, address: string, signal: AbortSignal, hear: Hear): HTMLIFrameElement {
  frame.title = title;
  frame.referrerPolicy = 'origin';
  frame.src = address;
  const heard = ({ source, origin, data }: MessageEvent): void => {
    if (source === frame.contentWindow && origin === new URL(address).origin && data && data.sb === 1) hear(`${data.type}`, data.value, data.detail);
  };
  addEventListener('message', heard, { signal });
  signal.addEventListener('abort', () => frame.remove());
  return frame;
}

/** Says something to a frame, and to no other origin than its own. */
export function say(frame: HTMLIFrameElement, type: string, value?: unknown): void {
  frame.contentWindow!.postMessage({ sb: 1, type, value }, new URL(frame.src).origin);
}
