import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is turned away, as an HTTP status. */
export type Refusal = 400 | 401 | 403 | 404 | 503;

/** Who may ask the hub: programs and pages of this machine that know its token. */
export class Access {
  /** 32 random bytes, base64url. */
  readonly token = randomBytes(32).toString('base64url');
  readonly #digest = digestOf(this.token);
  #hosts: readonly string[] = [];

  /** The hub listens on that port of 127.0.0.1 from now on. */
  listens(port: number): void {
    this.#hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  }

  /**
   * Whether the request names this hub: a name of a stranger's that leads to 127.0.0.1 (DNS rebinding) is none of it.
   */
  isOwnHost({ headers }: IncomingMessage): boolean {
    return headers.host !== undefined && this.#hosts.includes(headers.host);
  }

  /** What speaks against a WebSocket: programs have no origin, pages that of the hub. */
  refuse(request: IncomingMessage, who: 'program' | 'page'): Refusal | undefined {
    if (!this.isOwnHost(request)) return 403;
    const { origin } = request.headers;
    if (who === 'program' ? origin !== undefined : !this.#hosts.some((host) => origin === `http://${host}`)) return 403;
    const token = new URL(request.url ?? '/', 'http://hub').searchParams.get('token') ?? '';
    return timingSafeEqual(digestOf(token), this.#digest) ? undefined : 401;
  }
}

/** Of one length, whatever was told. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
