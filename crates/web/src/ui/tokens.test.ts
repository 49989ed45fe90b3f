import { describe, expect, it } from 'vitest';
import css from './tokens.css?raw';

const colours = new Map([...css.matchAll(/--([a-z-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name!, [light!, dark!] as const]));

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const TEXT: [string, string[]][] = [
  ['text', ['bg', 'surface', 'raised', 'hover', 'accent-soft', 'note']],
  ['quiet', ['bg', 'surface', 'raised', 'hover']],
  ['accent', ['bg', 'surface', 'raised', 'accent-soft']],
  ['on-accent', ['accent']],
  ['note-text', ['note']],
  ['warn', ['warn-soft', 'surface']],
  ['bad', ['bad-soft', 'surface']],
  ['good', ['surface', 'bg']],
];
const CONTROLS: [string, string[]][] = [['line-strong', ['surface', 'bg', 'raised']], ['focus', ['surface', 'bg', 'accent-soft', 'note']]];

describe.each([['light', 0], ['dark', 1]] as const)('in the %s theme', (_, theme) => {
  const check = (pairs: [string, string[]][], least: number): void => {
    for (const [front, backs] of pairs) {
      for (const back of backs) {
        const ratio = contrast(colours.get(front)![theme], colours.get(back)![theme]);
        expect(ratio, `${front} on ${back} is ${ratio.toFixed(2)}`).toBeGreaterThanOrEqual(least);
      }
    }
  };
  it('text has a contrast of 4.5 to 1', () => check(TEXT, 4.5));
  it('controls and the focus ring have one of 3 to 1', () => check(CONTROLS, 3));
});

it('the formula knows black on white', () => expect(contrast('#000000', '#ffffff')).toBeCloseTo(21));
