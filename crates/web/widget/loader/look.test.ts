import { describe, expect, it } from 'vitest';
import { dress, inkOn } from './look';

const luminance = (color: string): number => {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
};
const contrast = (a: string, b: string): number => {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
};

describe('the ink on a colour', () => {
  it('can be read on every colour there is', () => {
    for (let r = 0; r < 256; r += 3) {
      for (let g = 0; g < 256; g += 3) {
        for (let b = 0; b < 256; b += 15) {
          const color = `#${[r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
          const ink = inkOn(color) === '#000' ? '#000000' : '#ffffff';
          if (contrast(color, ink) < 4.5) expect.fail(`${color} on ${ink} is ${contrast(color, ink)}`);
        }
      }
    }
  });
});

describe('styles', () => {
  it('stand above every rule of the page', () => {
    const element = document.createElement('div');
    dress(element, 'color:red;width:4px');
    expect(element.style.cssText).toMatch(/color: red !important/);
    expect(element.style.getPropertyPriority('width')).toBe('important');
  });
});
