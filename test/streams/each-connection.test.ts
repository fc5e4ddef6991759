import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ByteSocket } from '../../src/core/network.ts';
import { eachConnection } from '../../src/streams/index.ts';

/** A connection of which only its end matters. */
class FakeSocket implements Pick<ByteSocket, 'destroy'> {
  destroyed = 0;
  destroy(): void {
    this.destroyed++;
  }
}

describe('eachConnection', () => {
  let scheduler: TestScheduler;
  let sockets: Record<'a' | 'b', ByteSocket & FakeSocket>;
  let failures: unknown[][];

  beforeEach(() => {
    scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    sockets = { a: fakeSocket(), b: fakeSocket() };
    failures = [];
  });

  function serve(connections$: Observable<ByteSocket>, handlers: Record<'a' | 'b', Observable<string>>) {
    const handler = (socket: ByteSocket) => (socket === sockets.a ? handlers.a : handlers.b);
    return connections$.pipe(eachConnection(handler, (error, socket) => failures.push([error, socket])));
  }

  it('serves all at once, each as long as its handler runs', () => {
    scheduler.run(({ hot, cold, expectObservable, expectSubscriptions, flush }) => {
      const connections$ = hot('a-b-------|', sockets);
      const handlers = { a: cold('-x-x--|'), b: cold('y-y|') };
      expectObservable(serve(connections$, handlers)).toBe('-xyxy-----|');
      expectSubscriptions(handlers.a.subscriptions).toBe('^-----!');
      expectSubscriptions(handlers.b.subscriptions).toBe('--^--!');
      flush();
      expect([sockets.a.destroyed, sockets.b.destroyed]).toEqual([1, 1]);
      expect(failures).toEqual([]);
    });
  });

  it('keeps an error to its own connection and reports it', () => {
    scheduler.run(({ hot, cold, expectObservable, expectSubscriptions, flush }) => {
      const connections$ = hot('a-b-------|', sockets);
      const handlers = { a: cold('-x-#', undefined, 'reset'), b: cold('-y-y|') };
      expectObservable(serve(connections$, handlers)).toBe('-x-y-y----|');
      expectSubscriptions(connections$.subscriptions).toBe('^---------!');
      flush();
      expect(failures).toEqual([['reset', sockets.a]]);
      expect([sockets.a.destroyed, sockets.b.destroyed]).toEqual([1, 1]);
    });
  });

  it('keeps an exception of the handler to its own connection too', () => {
    scheduler.run(({ hot, expectObservable, flush }) => {
      const broken = () => {
        throw new Error('boom');
      };
      const served$ = hot('a-b--|', sockets).pipe(eachConnection(broken, (error) => failures.push([error])));
      expectObservable(served$).toBe('-----|');
      flush();
      expect(failures).toEqual([[new Error('boom')], [new Error('boom')]]);
    });
  });

  it('destroys all that stand when unsubscribed', () => {
    scheduler.run(({ hot, cold, expectObservable, expectSubscriptions, flush }) => {
      const handlers = { a: cold('-x-------|'), b: cold('---------|') };
      expectObservable(serve(hot('a-b-------|', sockets), handlers), '----!').toBe('-x---');
      expectSubscriptions(handlers.a.subscriptions).toBe('^---!');
      expectSubscriptions(handlers.b.subscriptions).toBe('--^-!');
      flush();
      expect([sockets.a.destroyed, sockets.b.destroyed]).toEqual([1, 1]);
    });
  });
});

function fakeSocket(): ByteSocket & FakeSocket {
  return new FakeSocket() as ByteSocket & FakeSocket;
}
