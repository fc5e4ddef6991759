import type { WebSocket } from 'ws';
import { registrationProof } from '../../src/protocol/rendezvous/registration-proof.ts';
import { decodeServerFrame, encodeFrame, type HelloFrame } from '../../src/protocol/rendezvous/wire.ts';
import type { TestIdentity } from '../protocol/rendezvous/support.ts';

export interface GreetedClient {
  readonly socket: WebSocket;
  readonly hello: HelloFrame;
}

/** Waits for the server's hello and, with an identity, registers it. Rejects when the server turns the client away. */
export async function sayHello(socket: WebSocket, identity?: TestIdentity): Promise<GreetedClient> {
  const hello = await nextFrame(socket);
  if (hello.type !== 'hello') throw new Error(`the server said ${hello.type} first`);
  if (identity !== undefined) {
    socket.send(registerFrame(hello, identity));
    const answer = await nextFrame(socket);
    if (answer.type !== 'registered') throw new Error(`the server answered the registration with ${answer.type}`);
  }
  return { socket, hello };
}

export function registerFrame({ name, challenge }: HelloFrame, { key, sign }: TestIdentity): string {
  const signature = sign(registrationProof(name, challenge));
  return encodeFrame({ type: 'register', key, signature, since: 0, standing: [] });
}

/** What the server says next. Rejects when the connection ends first. */
export function nextFrame(socket: WebSocket): Promise<ReturnType<typeof decodeServerFrame>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off('message', onMessage).off('close', onClose).off('error', onError);
    };
    const onMessage = (data: Buffer): void => {
      settle();
      resolve(decodeServerFrame(data.toString('utf8')));
    };
    const onClose = (code: number, reason: Buffer): void => {
      settle();
      reject(new Error(`closed with ${code}: ${reason}`));
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    socket.on('message', onMessage).on('close', onClose).on('error', onError);
  });
}
