/** Throws `RangeError` on anything but pairs of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw new RangeError('not hexadecimal');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
