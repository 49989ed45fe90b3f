// The page in the frame: reads what the server told it, waits for the page around it, and shows the chat.
import { mount } from 'svelte';
import App from './App.svelte';
import { Chat } from './chat.svelte';
import './frame.css';
import { Host, type Init } from './host';
import { setLocales } from './words.svelte';

const told = JSON.parse(document.getElementById('widget')?.textContent ?? '{}');
const host = new Host(told.origins ?? [], told.settings?.cookie?.name ?? `sb_${told.key}`, told.settings?.cookie?.days ?? 180, told.settings?.web_views);
const chat = new Chat(told, host);

async function begin(init: Init): Promise<void> {
  // In other words rather than in none.
  await setLocales([...init.locales, told.settings?.locale ?? 'en']).catch(() => setLocales(['en']));
  chat.begin(init);
  mount(App, { target: document.getElementById('app')!, props: { chat } });
}
host.meet(begin);
