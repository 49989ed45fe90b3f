// What the parts of the desk share: the list, the opened item, and actions that keys and the palette may call.
import { getContext, setContext } from 'svelte';
import type { ItemList } from './list.svelte';
import type { OpenItem } from './item.svelte';

/** Actions that some part of the desk offers while it is on the screen. */
export interface Handlers {
  next?: () => void;
  previous?: () => void;
  back?: () => void;
  take?: () => void;
  assign?: () => void;
  toggleClosed?: () => void;
  reply?: () => void;
  note?: () => void;
  undo?: () => void;
}

export interface Commands {
  readonly list: ItemList;
  readonly item: OpenItem | null;
  readonly handlers: Handlers;
  open(id: number): void;
  close(): void;
  showKeys(): void;
  showPalette(): void;
  /** Offers actions until the returned function is called. */
  offer(handlers: Handlers): () => void;
}

const KEY = Symbol('desk');

export function provide(base: Omit<Commands, 'offer' | 'handlers'>): Commands {
  const handlers: Handlers = {};
  const commands: Commands = Object.create(base, {
    handlers: { value: handlers },
    offer: {
      value: (offered: Handlers) => {
        Object.assign(handlers, offered);
        return () => {
          for (const name of Object.keys(offered) as (keyof Handlers)[]) {
            if (handlers[name] === offered[name]) delete handlers[name];
          }
        };
      },
    },
  }) as Commands;
  return setContext(KEY, commands);
}

export const desk = (): Commands => getContext<Commands>(KEY);
