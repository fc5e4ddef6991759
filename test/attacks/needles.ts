/** Something that must not be found, and the forms in which it might be written. */
export interface Needle {
  readonly name: string;
  readonly forms: readonly Uint8Array[];
}

/** A secret of bytes: as it is, in hex, and in base64 and base64url wherever in a longer text it begins. */
export function secretBytes(name: string, bytes: Uint8Array): Needle {
  const raw = Buffer.from(bytes);
  const hex = raw.toString('hex');
  return {
    name,
    forms: [
      raw,
      Buffer.from(hex),
      Buffer.from(hex.toUpperCase()),
      ...base64Forms(raw, 'base64'),
      ...base64Forms(raw, 'base64url'),
    ],
  };
}

/** A secret that is a text. */
export function secretText(name: string, text: string): Needle {
  const { forms } = secretBytes(name, Buffer.from(text));
  return { name, forms: [...forms, Buffer.from(text, 'utf16le')] };
}

/**
 * The names of the needles that are in the hay. Text that a JSON string holds in base64url is searched as the bytes that it
 * stands for too.
 */
export function findNeedles(needles: readonly Needle[], hay: readonly (string | Uint8Array)[]): readonly string[] {
  const piles: readonly Buffer[] = hay.flatMap((each) =>
    typeof each === 'string' ? [Buffer.from(each), ...decodedStrings(each)] : [Buffer.from(each)],
  );
  return needles
    .filter(({ forms }) => forms.some((form) => piles.some((pile) => pile.includes(Buffer.from(form)))))
    .map(({ name }) => name);
}

function decodedStrings(json: string): Buffer[] {
  return [...json.matchAll(/"([\w-]{8,})"/g)].map(([, text]) => Buffer.from(text!, 'base64url'));
}

/** Three bytes make four characters: what a longer text shows of ours depends on where it begins. The edges are cut. */
function base64Forms(bytes: Buffer, encoding: 'base64' | 'base64url'): Buffer[] {
  return [0, 1, 2]
    .map((offset) => {
      const whole = bytes.subarray((3 - offset) % 3);
      return Buffer.from(whole.subarray(0, whole.length - (whole.length % 3)).toString(encoding));
    })
    .filter(({ length }) => length >= MIN_FORM);
}

/** Shorter texts are found anywhere. */
const MIN_FORM = 8;
