import { formatEndpoint } from '../../core/endpoint.ts';
import { type ErrorCode, TraversalError } from '../../core/errors.ts';
import type { TurnFailure } from '../../protocol/turn/index.ts';

/** What a user is told of the failure of an allocation: `ERR_RELAY_REFUSED` or `ERR_RELAY_UNREACHABLE`. */
export function relayError(name: string, failure: TurnFailure): TraversalError {
  const [code, message] = describe(failure);
  return new TraversalError(code, `${name}: ${message}`);
}

function describe(failure: TurnFailure): readonly [ErrorCode, string] {
  switch (failure.kind) {
    case 'refused':
      return ['ERR_RELAY_REFUSED', `refused with ${failure.code} ${ADVICE[failure.code] ?? failure.reason}`.trimEnd()];
    case 'redirected': {
      const { alternate } = failure;
      const where = alternate === undefined ? 'another server, which it does not name' : formatEndpoint(alternate);
      return ['ERR_RELAY_REFUSED', `sends us to ${where}, where we do not go`];
    }
    case 'unanswered':
      return ['ERR_RELAY_UNREACHABLE', 'does not answer'];
    case 'integrity-violated':
      return ['ERR_RELAY_UNREACHABLE', 'what answers does not know the password'];
    case 'malformed':
      return ['ERR_RELAY_UNREACHABLE', 'its answers make no sense'];
    case 'disconnected':
      return ['ERR_RELAY_UNREACHABLE', 'the connection has ended'];
  }
}

/** Of RFC 8656 section 19, in the words of who has to mend it; the server's own stand for all others. */
const ADVICE: Readonly<Record<number, string>> = {
  401: 'Unauthorized: is the user or the password wrong?',
  441: 'Wrong Credentials: is the user or the password wrong?',
  486: 'Allocation Quota Reached: this user has as many addresses as the server gives one',
  508: 'Insufficient Capacity: the server has no address left',
};
