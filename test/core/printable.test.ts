import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPrintable, printable } from '../../src/core/printable.ts';

describe('text from outside', () => {
  it.each([
    ['what paints a terminal', '\u001b[2J\u001b]0;owned\u0007', '[2J]0;owned'],
    ['what reorders or hides text', 'a\u202eb\u200bc\u2066d', 'abcd'],
    ['ends of lines and other blanks', ' one\r\n\ttwo\u2028three ', 'one two three'],
    ['what is longer', 'x'.repeat(30), 'x'.repeat(20)],
    ['half of a character', `${'x'.repeat(19)}\u{1f600}`, 'x'.repeat(19)],
  ])('is shown without %s', (_, text, shown) => {
    expect(printable(text, 20)).toBe(shown);
  });

  it('is left as it is where there is no harm in it', () => {
    for (const text of ['Stale Nonce', 'Größe 5 µs', '漢字 \u{1f600}']) {
      expect(printable(text, 127)).toBe(text);
      expect(isPrintable(text)).toBe(true);
    }
    for (const text of ['\n', '\u001b[2J', 'a\u202eb', '\ud83d']) expect(isPrintable(text)).toBe(false);
  });

  it('is shown the same again, and always printable and short enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(60), (text, max) => {
        const shown = printable(text, max);
        expect(isPrintable(shown)).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(max);
        expect(printable(shown, max)).toBe(shown);
      }),
    );
  });
});
