// Common emoji to pick from, loaded when somebody asks for them. Screen readers know each by its name.
import type { Key } from './words.svelte';

/** Whole rows of eight, so that going up and down stays in a column. */
const ROW = 8;
const GROUPS = [
  ['faces', '😀 😄 😂 🤣 😊 😉 😍 🥰 😘 😋 😎 🤔 🙂 😐 😏 🙄 😴 😕 🙁 😢 😭 😡 😱 😳 🤗 🤭 🤫 🤷 🤦 😅 😇 🥳'],
  ['hands', '👍 👎 👌 ✌️ 🤞 👋 👏 🙌 🙏 💪 🤝 ✋ 👇 👆 👉 👈'],
  ['signs', '❤️ 🧡 💛 💚 💙 💜 🖤 💔 ✅ ❌ ❓ ❗ ⭐ 🔥 ✨ 💯'],
  ['things', '🎉 🎁 🎂 ☕ 🍕 🍀 🌞 🌧️ ❄️ 📷 📎 📦 📅 🚗 ✈️ 🏠'],
] as const;

function add(parent: HTMLElement, tag: string, attributes: Record<string, string>, text = ''): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

/** Shows them in a box, the first with the focus. What is picked is inserted, and they stay until `close`, which is told
 * whether the focus goes back to where one writes. */
export function show(box: HTMLElement, t: (key: Key) => string, insert: (emoji: string) => void, close: (back: boolean) => void): void {
  const buttons: HTMLElement[] = [];
  const dialog = add(box, 'div', { class: 'emoji', role: 'dialog', 'aria-label': t('emoji') });
  for (const [name, all] of GROUPS) {
    const label = t(`emoji.${name}`);
    const group = add(dialog, 'div', { class: 'group', role: 'group', 'aria-label': label });
    add(group, 'p', { 'aria-hidden': 'true' }, label);
    for (const one of all.split(' ')) buttons.push(add(group, 'button', { type: 'button', tabindex: '-1' }, one));
  }

  let at = 0;
  const move = (to: number): void => {
    buttons[at]!.tabIndex = -1;
    at = buttons[to] ? to : at;
    buttons[at]!.tabIndex = 0;
    buttons[at]!.focus();
  };
  dialog.onclick = ({ target }) => {
    const picked = buttons.indexOf(target as HTMLElement);
    if (picked < 0) return;
    move(picked);
    insert(buttons[picked]!.textContent);
  };
  dialog.onkeydown = (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - ROW, ArrowDown: at + ROW, Home: 0, End: buttons.length - 1 }[event.key];
    if (to !== undefined) move(to);
    else if (event.key === 'Escape') close(true);
    else return;
    event.preventDefault();
    // Escape closes this, not the chat.
    event.stopPropagation();
  };
  dialog.addEventListener('focusout', ({ relatedTarget }) => {
    // The button that opened it closes it by itself.
    if (relatedTarget instanceof Element && !dialog.contains(relatedTarget) && !relatedTarget.hasAttribute('aria-expanded')) close(false);
  });
  move(0);
}
