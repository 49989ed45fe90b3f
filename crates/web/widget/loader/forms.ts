// Forms in a page: `<div data-switchboard-form="contact">` becomes a frame as high as the form.
import { prepare, say } from './frames';
import { dress } from './look';

/** Fills every place of the page that asks for a form and has none yet. */
export function embedForms(base: string, locale: string, signal: AbortSignal, emit: (name: string, detail: unknown) => void): void {
  document.querySelectorAll<HTMLElement>('[data-switchboard-form]').forEach((place) => {
    let { switchboardForm: form, title = form, locale: own = locale, prefill } = place.dataset;
    if (place.firstElementChild) return;
    const high = (px: unknown): void => dress(frame, `display:block;width:100%;height:${px}px`);
    const frame = prepare(title!, base, `/channels/${form}/?lang=${own}`, signal, (type, value) => {
      if (type === 'form:height' && value < 3e4) high(value);
      if (/^form:(ready|sent|error)$/.test(type)) {
        // The form's page comes more than once: with its errors, and to say thanks. It is filled in once.
        if (prefill) say(frame, base, 'form:prefill', prefill);
        prefill = '';
        emit(type, { form });
      }
    });
    high(480);
    place.appendChild(frame);
  });
}
