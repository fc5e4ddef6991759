import { TraversalError } from '../core/errors.ts';

/** What is seen of a program leaves no machine. `expected`: such a URL, for people. Errors: `ERR_USAGE` for a URL of another machine. */
export function checkLocalUrl(url: string, expected: string): string {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  if (protocol === 'ws:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return url;
  throw new TraversalError(
    'ERR_USAGE',
    `${url.replace(/token=[^&]*/, 'token=..')} is no inspector of this machine: it is ${expected}`,
  );
}
