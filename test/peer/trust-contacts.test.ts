import { expect, it } from 'vitest';
import { createContactBook } from '../../src/peer/contact-book.ts';
import { createHalfOpen } from '../../src/peer/half-open.ts';
import { filled } from '../protocol/rendezvous/support.ts';

const keyOf = (i: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => (i >> (8 * at)) & 255);

it('contacts: 256 are remembered, the one that was kept first is forgotten', () => {
  const book = createContactBook();
  const contact = { key: filled(32, 1), signature: filled(64, 2) };
  for (let i = 0; i < 256; i++) book.keep(keyOf(i), contact);
  book.keep(keyOf(0), { ...contact, key: filled(32, 3) });
  book.keep(keyOf(256), contact);
  expect(book.find(keyOf(0))?.key).toEqual(filled(32, 3));
  expect(book.find(keyOf(1))).toBeUndefined();
  expect(book.find(keyOf(256))).toEqual(contact);
});

it('half-open: so many of a group, so many of all, and each that leaves makes room', () => {
  const halfOpen = createHalfOpen<string>({ each: 2, total: 3 });
  const leave = halfOpen.enter('a');
  halfOpen.enter('a');
  expect(halfOpen.enter('a')).toBeUndefined();
  const leaveB = halfOpen.enter('b');
  expect(halfOpen.enter('c')).toBeUndefined();
  leaveB?.();
  expect(halfOpen.enter('a')).toBeUndefined();
  leave?.();
  expect(halfOpen.enter('a')).toBeDefined();
  expect(halfOpen.enter('c')).toBeDefined();
});
