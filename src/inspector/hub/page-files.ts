import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';

/** Serves the files of the page, from one folder and no other. */
export class PageFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `path`: of the URL, decoded. */
  async serve(path: string, port: number, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : normalize(path).slice(1);
    const type = TYPES[extname(name)];
    const body = type === undefined || !isPlain(path) ? undefined : await read(join(this.#folder, name));
    if (body === undefined) {
      response.writeHead(404, HEADERS).end();
      return;
    }
    response.writeHead(200, { ...HEADERS, 'Content-Type': type, 'Content-Security-Policy': policyOf(port) }).end(body);
  }
}

/** No way leads out of the folder, and none to hidden files. */
function isPlain(path: string): boolean {
  return /^(\/[\w-][\w.-]*)*\/?$/.test(path);
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch {
    return undefined;
  }
}

/** The page talks to the hub and to nobody else. */
function policyOf(port: number): string {
  return [
    "default-src 'self'",
    `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "worker-src 'self' blob:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

const TYPES: Readonly<Record<string, string | undefined>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
