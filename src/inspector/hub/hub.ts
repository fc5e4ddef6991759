import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { asTraversalError, TraversalError } from '../../core/errors.ts';
import { readTrace } from '../../trace/trace-reader.ts';
import { isStatelyFrame } from '../stately/stately-frame.ts';
import { StatelyProgram } from '../stately/stately-program.ts';
import { type Frame, MAX_FRAME, readFrame, readHello, readLines } from '../wire.ts';
import { Access, type Refusal } from './access.ts';
import { HubSource, type SourceLimits } from './hub-source.ts';
import { PageFiles } from './page-files.ts';
import { Viewer } from './viewer.ts';

export interface HubOptions {
  /** Of 127.0.0.1; 0 or absent: any free one. */
  readonly port?: number;
  /** Folder of the page that is served; absent: the one of this package. */
  readonly page?: string;
}

/** A server on this machine to which programs tell what happens in them, and where pages see it. */
export interface Hub {
  /** Of the page, with the token: for people. */
  readonly url: string;
  /** Where programs join, with the token. */
  readonly programUrl: string;
  /** Shows the lines of a trace beside what programs tell. Errors, thrown: those of `readTrace`. */
  show(title: string, lines: Iterable<string>): void;
  close(): Promise<void>;
}

/** Errors: `ERR_PORT_IN_USE`, `ERR_NETWORK`. */
export async function startHub({ port = 0, page = PAGE }: HubOptions = {}): Promise<Hub> {
  const hub = new HubServer(page);
  await hub.listen(port);
  return hub;
}

/** A program that has said what it is. */
interface Program {
  readonly source: HubSource;
  /** The lines in a frame. Errors: `ERR_PROTOCOL`. */
  read(frame: Frame): readonly string[];
}

class HubServer implements Hub {
  readonly #access = new Access();
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME });
  readonly #pages: PageFiles;
  readonly #sources = new Map<string, HubSource>();
  readonly #viewers = new Set<Viewer>();
  #programs = 0;
  #nextId = 1;
  #port = 0;

  constructor(page: string) {
    this.#pages = new PageFiles(page);
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#access.token}`;
  }

  get programUrl(): string {
    return `ws://127.0.0.1:${this.#port}/program?token=${this.#access.token}`;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const code = cause.code === 'EADDRINUSE' ? 'ERR_PORT_IN_USE' : 'ERR_NETWORK';
        reject(
          new TraversalError(code, `the inspector cannot listen on 127.0.0.1:${port}: ${cause.message}`, { cause }),
        );
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#access.listens(this.#port);
  }

  show(title: string, lines: Iterable<string>): void {
    const [first, ...records] = lines;
    const { header } = readTrace(first === undefined ? [] : [first]);
    const source = new HubSource(this.#newId(), title, header, TRACE_LIMITS);
    source.live = false;
    source.append(records.filter((line) => line !== ''));
    this.#add(source);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#access.isOwnHost(request)) response.writeHead(403).end();
    else if (request.method !== 'GET') response.writeHead(405).end();
    else {
      const path = pathOf(request);
      if (path === undefined) response.writeHead(400).end();
      else void this.#pages.serve(path, this.#port, response);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = pathOf(request);
    const who = path === '/program' ? 'program' : path === '/view' ? 'page' : undefined;
    const refusal = who === undefined ? 404 : (this.#access.refuse(request, who) ?? this.#refuseAsFull(who));
    // The other side may be gone before it is answered.
    socket.on('error', () => socket.destroy());
    if (refusal !== undefined) refuse(socket, refusal);
    else this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#take(opened, who === 'program'));
  }

  #refuseAsFull(who: 'program' | 'page'): Refusal | undefined {
    const isFull = who === 'program' ? this.#programs >= MAX_PROGRAMS : this.#viewers.size >= MAX_VIEWERS;
    return isFull ? 503 : undefined;
  }

  #take(socket: WebSocket, isProgram: boolean): void {
    // A frame that is too large, or none: the socket closes itself.
    socket.on('error', () => {});
    if (isProgram) this.#takeProgram(socket);
    else this.#takeViewer(socket);
  }

  #takeViewer(socket: WebSocket): void {
    const viewer = new Viewer(socket);
    for (const source of this.#sources.values()) viewer.show(source);
    this.#viewers.add(viewer);
    socket.on('message', () => socket.close(1008, 'a page has nothing to say'));
    socket.on('close', () => this.#viewers.delete(viewer));
  }

  #takeProgram(socket: WebSocket): void {
    let program: Program | undefined;
    this.#programs++;
    socket.on('message', (data, isBinary) => {
      try {
        if (isBinary) throw new TraversalError('ERR_PROTOCOL', 'a frame is not of text');
        const frame = readFrame(String(data));
        if (program === undefined && isStatelyFrame(frame)) program = this.#openStately(frame);
        if (program === undefined) program = this.#open(frame);
        else this.#append(program.source, program.read(frame));
      } catch (error) {
        socket.close(1008, reasonOf(error));
      }
    });
    socket.on('close', () => {
      this.#programs--;
      if (program === undefined) return;
      const { source } = program;
      source.live = false;
      for (const viewer of this.#viewers) viewer.ended(source.id);
    });
  }

  #open(frame: Frame): Program {
    const { program, header } = readHello(frame);
    const source = new HubSource(this.#newId(), `${program.name} (${program.pid})`, header, PROGRAM_LIMITS);
    this.#add(source);
    return { source, read: readLines };
  }

  /** A client of Stately's greets nobody, and has no name. */
  #openStately(frame: Frame): Program {
    const id = this.#newId();
    const who = `program ${id}`;
    const program = new StatelyProgram(who, frame);
    const source = new HubSource(id, '@statelyai/inspect', program.header, PROGRAM_LIMITS);
    this.#add(source);
    return { source, read: (next) => program.read(next) };
  }

  #newId(): string {
    return String(this.#nextId++);
  }

  #add(source: HubSource): void {
    this.#sources.set(source.id, source);
    for (const viewer of this.#viewers) viewer.show(source);
    this.#removeOldest();
  }

  /** Programs that have ended stay until there are too many. */
  #removeOldest(): void {
    const ended = [...this.#sources.values()].filter(({ live }) => !live);
    for (const { id } of ended.slice(0, Math.max(0, this.#sources.size - MAX_SOURCES))) {
      this.#sources.delete(id);
      for (const viewer of this.#viewers) viewer.removed(id);
    }
  }

  #append(source: HubSource, lines: readonly string[]): void {
    if (lines.length === 0) return;
    source.append(lines);
    for (const viewer of this.#viewers) viewer.lines(source.id, lines);
  }
}

/** What is told to who is turned away, in as many bytes as a close frame has (RFC 6455 section 5.5). */
function reasonOf(error: unknown): string {
  const { message } = asTraversalError(error, 'ERR_PROTOCOL');
  return message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 123);
}

/** `undefined`: it cannot be read. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  try {
    return decodeURIComponent(new URL(url, 'http://hub').pathname);
  } catch {
    return undefined;
  }
}

function refuse(socket: Duplex, status: Refusal): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const PAGE = fileURLToPath(new URL('../page', import.meta.url));
/** What is kept of a program, and of a trace, which is read once. */
const PROGRAM_LIMITS: SourceLimits = { lines: 20_000, size: 32 * 2 ** 20 };
const TRACE_LIMITS: SourceLimits = { lines: 300_000, size: 256 * 2 ** 20 };
const MAX_PROGRAMS = 32;
const MAX_VIEWERS = 16;
const MAX_SOURCES = 32;
