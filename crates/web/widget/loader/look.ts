// How the launcher and the frame look, set through CSSOM, which no style policy of a page stands against.

/** Gives an element these styles and no others; no rule of the page overrides them. */
export function dress(element: HTMLElement, styles: string): void {
  element.style.cssText = `all:initial;${styles};`.replace(/;/g, '!important;');
}

/** Black or white, whichever stands out more from a colour such as `#0d6661`; at least 4.5:1 for every colour. */
export function inkOn(color: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.21 * r! + 0.72 * g! + 0.07 * b! > 0.179 ? '#000' : '#fff';
}

const CHAT = 'M6 21v-5a9 7 0 1 1 6 2z';
// The way there and back, so that nothing of it is filled.
const DOWN = 'M6 9l6 6 6-6-6 6';

/** The drawing on the launcher, and what changes it. */
export function drawing(): [SVGElement, (open: boolean) => void] {
  const make = (tag: string): SVGElement => document.createElementNS('http://www.w3.org/2000/svg', tag) as SVGElement;
  const svg = make('svg');
  const path = make('path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.style.cssText = 'width:28px;fill:currentColor;stroke:currentColor;stroke-width:2;stroke-linejoin:round';
  svg.appendChild(path);
  return [svg, (open) => path.setAttribute('d', open ? DOWN : CHAT)];
}
