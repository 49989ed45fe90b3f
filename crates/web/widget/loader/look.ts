// How the launcher and the frame look, set through CSSOM, which no style policy of a page stands against.

/** Gives an element these styles and no others; no rule of the page overrides them. */
export function dress(element: HTMLElement, styles: string): void {
  element.style.cssText = `all:initial;${styles};`.replace(/;/g, '!important;');
}

/** Black or white, whichever stands out more from a colour such as `#0d6661`; at least 4.5:1 for every colour. */
export function inkOn(color: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.179 ? '#000' : '#fff';
}

const CHAT = 'M12 4c-5 0-9 3-9 7 0 2 1 4 3 6v4l4-2h2c5 0 9-4 9-8s-4-7-9-7z';
const DOWN = 'M6 9l6 6 6-6';

/** The drawing on the launcher, and what changes it. */
export function drawing(): [SVGElement, (open: boolean) => void] {
  const make = (tag: string): SVGElement => document.createElementNS('http://www.w3.org/2000/svg', tag) as SVGElement;
  const svg = make('svg');
  const path = make('path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.style.cssText = 'width:28px;stroke:currentColor;stroke-width:2;stroke-linejoin:round';
  svg.appendChild(path);
  const show = (open: boolean): void => {
    path.setAttribute('d', open ? DOWN : CHAT);
    svg.style.fill = open ? 'none' : 'currentColor';
  };
  return [svg, show];
}
