import { Observable } from 'rxjs';
import type { Binding } from '../core/binding.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { type Endpoint, sameEndpoint } from '../core/endpoint.ts';
import type { Random } from '../core/random.ts';
import { BINDING, type EncodableAttribute, encodeMessage, type StunMessage } from '../protocol/stun/index.ts';
import { readBindingResponse, stunFailure } from './binding-response.ts';
import type { PacketRouter } from './packet-router.ts';

export interface StunTransactionOptions {
  readonly router: PacketRouter;
  readonly server: Endpoint;
  readonly clock: Clock;
  readonly random: Random;
  /** What the request carries besides FINGERPRINT. */
  readonly attributes?: readonly EncodableAttribute[];
  /**
   * Where the answer must come from, when `attributes` ask for another origin (RFC 5780 section 7.2); `server` by
   * default.
   */
  readonly answerFrom?: Endpoint;
  /** ms to the first retransmission; doubles with each (RFC 8489 section 6.2.1). 500 by default. */
  readonly rto?: number;
  /** Transmissions in all, at least 1. 7 by default. */
  readonly rc?: number;
  /** The last transmission is waited for `rm` times `rto`. 16 by default, which makes 39.5 s in all. */
  readonly rm?: number;
}

/**
 * One Binding transaction on a shared socket (RFC 8489 sections 6.2.1 and 6.3): sends on subscribe, retransmits on the
 * clock, emits what the server observed and completes. Unsubscribing ends it; a later answer is then nobody's.
 *
 * All transmissions carry one transaction ID, so the round trip is counted from the one that was likely answered: the
 * earliest that is at most 500 ms old, since an early retransmission is more common than a loss; else the latest.
 *
 * Errors: `ERR_STUN_TIMEOUT` without an answer in time, `ERR_STUN_RESPONSE` when the answer is an error, comes from
 * another origin than was asked for, lacks XOR-MAPPED-ADDRESS, or has attributes that must be understood and are not.
 */
export function stunTransaction(options: StunTransactionOptions): Observable<Binding> {
  const { router, server, clock, random, attributes = [], answerFrom = server, rto = 500, rc = 7, rm = 16 } = options;
  return new Observable((subscriber) => {
    const transactionId = random.bytes(12);
    const request = encodeMessage(
      { class: 'request', method: BINDING, transactionId, attributes },
      { fingerprint: true },
    );
    const transmissions: number[] = [];
    let timer: TimerHandle;

    const transmit = (): void => {
      transmissions.push(clock.now());
      const isLast = transmissions.length === rc;
      timer = clock.setTimeout(isLast ? expire : transmit, isLast ? rm * rto : rto * 2 ** (transmissions.length - 1));
      router.socket.send(request, server);
    };
    const expire = (): void => {
      subscriber.error(stunFailure('ERR_STUN_TIMEOUT', server, `no answer to ${transmissions.length} requests`));
    };
    const succeed = (message: StunMessage): void => {
      const response = readBindingResponse(message);
      if (typeof response === 'string') {
        refuse(response);
        return;
      }
      const { mapped, other } = response;
      subscriber.next({
        server,
        local: router.socket.local,
        mapped,
        rtt: roundTrip(transmissions, clock.now()),
        ...(other && { other }),
      });
      subscriber.complete();
    };
    const refuse = (problem: string): void => {
      subscriber.error(stunFailure('ERR_STUN_RESPONSE', server, problem));
    };

    const registrations = [router.onResponse(transactionId, answerFrom, succeed)];
    if (!sameEndpoint(answerFrom, server)) {
      const misplaced = (message: StunMessage): void => {
        const response = readBindingResponse(message);
        refuse(typeof response === 'string' ? response : 'answered from its own address');
      };
      registrations.push(router.onResponse(transactionId, server, misplaced));
    }
    transmit();
    return () => {
      clock.clearTimeout(timer);
      for (const unregister of registrations) unregister();
    };
  });
}

/** A round trip in ms that needs no explanation: the RFC's default RTO. */
const PLAUSIBLE_RTT = 500;

function roundTrip(transmissions: readonly number[], now: number): number {
  const answered = transmissions.find((at) => now - at <= PLAUSIBLE_RTT) ?? transmissions.at(-1)!;
  return now - answered;
}
