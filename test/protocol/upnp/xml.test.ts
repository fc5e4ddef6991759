import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import { childOf, parseXml, textElement, textOf } from '../../../src/protocol/upnp/xml.ts';

const parse = (text: string) => parseXml(Buffer.from(text), 'test');

describe('an XML document', () => {
  it('is its root element, without prefixes, attributes and comments', () => {
    const root = parse('<?xml version="1.0"?><!-- c --><s:a x="y"><u:b>1</u:b><b>2</b><c/></s:a>');
    expect(root).toEqual({
      name: 'a',
      text: '',
      children: [
        { name: 'b', text: '1', children: [] },
        { name: 'b', text: '2', children: [] },
        { name: 'c', text: '', children: [] },
      ],
    });
    expect(textOf(root, 'b')).toBe('1');
    expect(textOf(root, 'd')).toBe('');
    expect(childOf(root, 'd')).toBeUndefined();
  });

  it.each([
    ['&lt;b&gt; &amp;amp; &quot;&apos;', '<b> &amp; "\''],
    ['&#65;&#x42;', 'AB'],
    ['&bogus; &#0; &#1114112; &', '&bogus; &#0; &#1114112; &'],
    ['<![CDATA[<x>]]>', '<x>'],
    ['  1 ', '1'],
    ['007', '007'],
    ['1e3', '1e3'],
    ['true', 'true'],
  ])('has %s for text', (given, expected) => {
    expect(parse(`<a>${given}</a>`).text).toBe(expected);
  });

  it('says again what was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        expect(parse(textElement('a', text)).text).toBe(text.trim());
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no element', 'hello'],
    ['two roots', '<a/><b/>'],
    ['an unfinished tag', '<a><b'],
    ['a document type', '<!DOCTYPE a><a/>'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "&c;&c;">]><a>&b;</a>'],
    ['an external entity', '<!doctype a SYSTEM "file:///etc/passwd"><a/>'],
    ['25 levels', `${'<a>'.repeat(25)}${'</a>'.repeat(25)}`],
    ['24 levels and an empty element', `${'<a>'.repeat(24)}<b/>${'</a>'.repeat(24)}`],
    ['10,000 elements', `<a>${'<b/>'.repeat(10_000)}</a>`],
    ['a prototype', '<a><__proto__>x</__proto__></a>'],
  ])('that is %s throws DecodeError', (_what, text) => {
    expect(() => parse(text)).toThrow(DecodeError);
  });

  it('is read or refused whatever is in it', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<a>',
        '</a>',
        '<b/>',
        '<a',
        '>',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?x ?>',
        '&amp;',
        '&',
        '"',
        ' x="',
        '<:',
        '#text',
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          expect(parse(`<r>${pieces.join('')}</r>`).name).toBe('r');
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 1_000, seed: 5 },
    );
  });
});
