/**
 * Plain data of whatever it is given, fit to be shown to others: JSON without secrets and payload. Bytes become their length,
 * fields whose name tells of a secret and texts that look like a key or a ticket become `[redacted]`, passwords in URLs
 * go. Functions and absent fields are left out; what is no plain object is named by its class; what is too deep or too long is
 * cut. Addresses and names of servers stay: they are what a trace is about.
 */
export function redact(value: unknown): unknown {
  return plain(value, 0);
}

function plain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : plainObject(value, depth);
    default:
      return undefined;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return CUT;
  if (Array.isArray(value)) return plainList(value, depth);
  if (value instanceof Error) return plainError(value, depth);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor.name}]`;
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const shown = plainField(name, field, depth + 1);
    return shown === undefined ? [] : [[name, shown] as const];
  });
  return Object.fromEntries(fields);
}

function plainField(name: string, value: unknown, depth: number): unknown {
  if (value !== undefined && SECRET_NAME.test(name)) return REDACTED;
  if (typeof value === 'string' && name === 'id' && SESSION_ID.test(value)) return shortId(value);
  return plain(value, depth);
}

/** What a connection goes by in traces: the first 8 digits of its id, which is the hex text of a session id. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

function plainList(values: readonly unknown[], depth: number): unknown[] {
  const shown = values.slice(0, MAX_ITEMS).map((item) => plain(item, depth + 1) ?? null);
  return values.length > MAX_ITEMS ? [...shown, CUT] : shown;
}

/** Without the stack, which names files of this machine. */
function plainError(error: Error, depth: number): unknown {
  const { name, message } = error;
  return { name, ...('code' in error && { code: plain(error.code, depth + 1) }), message: redactText(message) };
}

function redactText(text: string): string {
  // Cut after that, since half of a secret may not look like one.
  const shown = text
    .slice(0, 2 * MAX_TEXT)
    .replace(TICKET, REDACTED)
    .replace(TURN_USER_INFO, '$1')
    .replace(USER_INFO, '$1')
    .replace(SECRET_PARAMETER, `$1${REDACTED}`)
    .replace(LONG_HEX, REDACTED)
    .replace(LONG_BASE64, (run) => (isMixed(run) ? REDACTED : run));
  const isCut = shown.length > MAX_TEXT || text.length > 2 * MAX_TEXT;
  return isCut ? `${shown.slice(0, MAX_TEXT)}${CUT}` : shown;
}

/** Random bytes in base64 have capitals, small letters and digits; long words and paths seldom have. */
function isMixed(run: string): boolean {
  return /[A-Z]/.test(run) && /[a-z]/.test(run) && /\d/.test(run);
}

const REDACTED = '[redacted]';
const CUT = '[…]';

/** Names of fields whose value is nobody's business: key material, what proves something, and what was carried. */
const SECRET_NAME =
  /secret|password|passwd|passphrase|^pwd$|token|credential|private|^pem$|key$|nonce|^handle$|ticket|signature|payload|^data$|envelope/i;

const TICKET = /\bsp\d[\w-]{20,}/g;
/** `turn:user:password@host`: all before the last `@` of the word, for a password may have any other character in it. */
const TURN_USER_INFO = /\b(turns?:)\S*@/gi;
/** User and password in a URL. */
const USER_INFO = /\b([a-z][a-z\d+.-]*:(?:\/\/)?)[^\s/]+@/gi;
const SECRET_PARAMETER = /([?&](?:token|key|secret|password)=)[^\s&#]+/gi;
/** 16 bytes or more. */
const LONG_HEX = /\b[\da-f]{32,}\b/gi;
const LONG_BASE64 = /[\w+/-]{22,}={0,2}/g;

const SESSION_ID = /^[\da-f]{32}$/;

const MAX_DEPTH = 12;
const MAX_ITEMS = 200;
const MAX_TEXT = 2_000;
